// A thread beside the room, where there is space for it; else its own page.
import { parse, request } from './dom.js';
import { renew } from './renew.js';
import { View } from './view.js';
import { open, views } from './views.js';

const main = document.querySelector('main[data-room]');
const { page } = main.dataset;
const panel = document.querySelector('[data-panel]');
const wide = matchMedia('(min-width: 768px)');
let asked = 0;
let root = null;

/** What comes for a thread while its panel is fetched, by its root: the page may be older than that. */
export const arriving = new Map();

/** Whether a thread opens beside the room. */
export const beside = () => Boolean(panel && wide.matches);

async function fetched(id) {
  const response = await request(`${page}/thread/${id}?fragment=1`);
  if (!response.ok) throw response;
  return parse(await response.text()).querySelector('[data-view]');
}

const messages = (view) => view.querySelectorAll('[data-log] > .msg');

export async function openThread(id) {
  const turn = ++asked;
  const late = { posted: [], changed: new Set() };
  arriving.set(id, late);
  try {
    const node = await fetched(id);
    if (turn !== asked) return;
    take();
    root = id;
    panel.append(document.adoptNode(node));
    panel.hidden = false;
    document.body.classList.add('has-thread');
    const view = new View(node);
    view.posted(late.posted);
    renew([...late.changed]);
    view.log.toBottom();
    (view.form?.querySelector('textarea') ?? node).focus();
    again();
  } finally {
    if (arriving.get(id) === late) arriving.delete(id);
  }
}

/** What is in a thread, again, in place. */
export async function reload(view) {
  await view.log.turn(fetched(view.thread), (node) => view.log.replaceAll(messages(node)));
  await view.waiting();
}

/** Threads that are on their way when history was rewound are asked for anew. */
export const restart = () => Promise.all([...arriving.keys()].slice(-1).map(openThread));

function take() {
  const old = panel.querySelector('[data-view]');
  if (!old) return;
  open.delete(old);
  old.remove();
}

/** The main column shows what waits for threads that are not open. */
function again() {
  for (const view of views()) if (!view.thread) view.waiting();
}

function close() {
  asked += 1;
  if (!panel?.querySelector('[data-view]')) return;
  take();
  panel.hidden = true;
  document.body.classList.remove('has-thread');
  again();
  const message = views()[0]?.log.find(root);
  const back = message?.querySelector('.msg-thread') ?? message;
  if (back === message) message?.setAttribute('tabindex', '-1');
  back?.focus({ preventScroll: true });
}

document.addEventListener('click', (event) => {
  if (!event.target.closest('[data-panel-close]') || !panel?.contains(event.target)) return;
  event.preventDefault();
  close();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !event.defaultPrevented && !event.isComposing && panel && !panel.hidden && !document.querySelector('dialog[open], details[open] > .menu-body, .msg .menu-body')) close();
});

/** The view of a thread that is open, or the place where what comes for it is kept until it is. */
export const follow = (id, list) => {
  arriving.get(id)?.posted.push(...list);
  for (const view of views()) if (view.thread === id) view.posted(list);
};
