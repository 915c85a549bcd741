// An open room: messages arrive, leave and change without a reload, and never move what is read.
//
// Everything is applied by id and idempotently: the socket, the outbox and the answer to one's
// own request may tell the same thing several times, in any order.
import { word } from './words.js';
import { el, icon, parse, pauseAfter, refusal, request, toast } from './dom.js';
import { menus } from './menu.js';
import { canOf, flagsOf, idOf, isBusy } from './log.js';
import { live } from './socket.js';
import { onChange } from './outbox.js';
import { stopped } from './presence.js';
import { react, toggle } from './reactions.js';
import { mayNot, viewOf, views } from './views.js';
import { View } from './view.js';
import { insert, quote } from './say.js';
import { pickEmoji } from './picker.js';
import { edit } from './revise.js';
import { change, stub } from './change.js';
import { follows, renewHead, renewHeadNow, renewHeadSoon } from './beside.js';
import { selecting } from './choose.js';
import { looked, reached, read, readAll, rewound } from './reading.js';
import { renew, touched } from './renew.js';
import { arriving, beside, follow, openThread, reload, restart } from './thread.js';

const main = document.querySelector('main[data-room]');
const { room, page, me, space } = main.dataset;
const say = (message) => { main.querySelector('[data-announce]').textContent = message; };

for (const node of document.querySelectorAll('[data-view]')) new View(node);

onChange(async ({ room: where, sent, refused }) => {
  if (where !== room) return;
  // Whoever was blocked is not told of it before they write.
  if ((refused && refused !== 'confirm') || (sent && mayNot())) renewHeadNow();
  for (const view of views()) {
    if (sent) view.sent(sent.client_id);
    if (sent?.message && (sent.message.thread ?? '') === view.thread) view.posted([{ data: sent.message, item: {} }]);
    await view.waiting();
  }
});

// ---- Where one starts: at a linked message, at the first unread one, else at the end

{
  const view = views()[0];
  const target = main.querySelector('.is-target') ?? view.log.root.querySelector('[data-new]');
  if (target) view.log.show(target);
  view.count(0);
  looked(view);
  if (view.log.atEnd()) view.seen();
}

// ---- Events

function onEvents(items) {
  const again = new Set();
  // What comes together for one place is put there at once, before what is said of it.
  const posted = new Map();
  const flush = () => {
    for (const [root, list] of posted) follow(root, list);
    posted.clear();
  };
  for (const item of items) {
    const { event, data, seq } = item;
    if (!data) continue;
    if (event === 'message.posted') {
      reached(seq);
      if (data.deleted && !data.author) continue; // purged since
      stopped(data.author.handle);
      const root = data.thread ?? '';
      posted.set(root, [...posted.get(root) ?? [], { data, item }]);
      if (data.root) replies(data.root);
      // A replayed one has what was done to it since.
      if (data.reactions?.length || data.edited_at || data.pinned || data.reply_count) again.add(data.id);
      continue;
    }
    flush();
    const id = data.message_id ?? data.id;
    if (event === 'room.changed') { follows(data); renewHeadSoon(); continue; }
    if (id) touched(id);
    for (const late of arriving.values()) if (id) late.changed.add(id);
    if (event.startsWith('reaction.')) react(data.message_id, data.reactions ?? [], { ...data, on: event === 'reaction.added' });
    else if (event.startsWith('message.') && data.author) changed(data);
    else if (id) again.add(id);
    if (data.root) replies(data.root);
    if (event === 'message.pinned' || event === 'message.unpinned' || isBeside(data, event)) renewHeadSoon();
  }
  flush();
  if (again.size) renew([...again]);
  read();
}

/** Whether a message whose words have changed stands among the decisions beside the room, or may. */
function isBeside({ id, seq }, event) {
  if (event !== 'message.edited' && event !== 'message.deleted') return false;
  const at = views()[0]?.log.find(id)?.dataset.seq ?? seq;
  return Boolean(document.querySelector(`.room-about a[href*="?at="]${at ? `[href$="?at=${Number(at)}"]` : ''}`));
}

/** Shows a message as an event says it now is, wherever it stands. */
function changed(data) {
  for (const view of views()) {
    const article = view.log.find(data.id);
    if (!article || isBusy(article) || article.classList.contains('is-stub')) continue;
    if (data.deleted) {
      const at = Date.parse(data.created_at);
      view.log.put([stub({ ...data, seq: article.dataset.seq, at }, article.querySelector('.msg-thread'))]);
    } else view.log.keep(() => change(article, data, flagsOf(article, me)));
  }
}

/** The line under a message that says how many replies its thread has. */
function replies({ id, reply_count: n }) {
  for (const view of views()) {
    const message = view.thread ? null : view.log.find(id);
    if (!message) continue;
    view.log.keep(() => {
      const count = el('b', {}, word('replies', { n }));
      const line = el('a', { class: 'msg-thread', href: `${page}/thread/${id}`, 'data-thread-link': id }, icon('thread'), count);
      const old = message.querySelector('.msg-thread');
      if (old) old.replaceWith(line);
      else (message.querySelector('[data-reactions]') ?? message.querySelector('.msg-edited') ?? message.querySelector('.msg-body')).after(line);
    });
  }
}

// Who may write here may have changed without an event of the room: one joined its space or left it, or a block is over.
document.addEventListener('praxis:membership', ({ detail }) => { if (detail.space === space || detail.room === room) renewHeadNow(); });
// The space around it was archived, or only its members write there now. Most of what happens in it is of no account here.
let around = '';
if (main.dataset.around) {
  live.subscribe(main.dataset.around, {
    since: Number(main.dataset.aroundHead),
    epoch: main.dataset.epoch,
    onEvents(items) {
      for (const { event, data } of items) {
        if (event !== 'space.changed' || !data) continue;
        const now = `${data.archived} ${data.visibility} ${data.name}`;
        if (now !== around) renewHeadSoon();
        around = now;
      }
    },
    onReset: renewHeadSoon,
  });
}
document.addEventListener('visibilitychange', () => { if (!document.hidden && mayNot()) renewHeadNow(); });

// Whoever leaves a private room loses its stream at once, while the way out is still loading.
let leaving = false;
document.addEventListener('submit', ({ target }) => { leaving ||= target.id === 'leave'; });

let restarting = 0;

/** History was rewound or is too far behind: everything again, in place, until it is there. */
async function start(tries = 0) {
  clearTimeout(restarting);
  try {
    for (const view of views()) {
      if (view.thread) { await reload(view); continue; }
      await view.log.newest();
      view.limbo.clear();
      await view.waiting();
    }
    await restart();
    say(word('caughtUp'));
  } catch {
    restarting = setTimeout(() => start(tries + 1), pauseAfter(tries));
  }
}

live.subscribe(main.dataset.stream, {
  since: Number(main.dataset.head),
  epoch: main.dataset.epoch,
  onEvents,
  onReset({ head }) {
    for (const view of views()) view.log.held?.posted.clear(); // they may be of a history that is gone
    rewound(head);
    start();
  },
  onLost: () => setTimeout(() => location.reload(), leaving ? 3000 : 0),
});

// ---- Acts of the menu and the bar of a message

const menu = menus({
  template: 'message-menu',
  item: '.msg',
  id: idOf,
  places: (article) => ({ seq: article.dataset.seq }),
  can: (article) => canOf(article, me),
});

let menuOnItsWay = null;

/** The menu itself comes when a message is first looked at more closely. */
function fetchMenu() {
  menuOnItsWay ??= (async () => {
    const response = await request(`${page}?fragment=menu`);
    if (!response.ok) throw response;
    main.append(...parse(await response.text()).querySelectorAll('template'));
  })().catch((lost) => { menuOnItsWay = null; throw lost; });
  return menuOnItsWay;
}

document.addEventListener('click', (event) => {
  const more = event.target.closest('.msg-more');
  if (!more?.closest('.msg[id]') || document.getElementById('message-menu') || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  fetchMenu().then(() => more.click(), () => {
    if (navigator.onLine) location.assign(more.href);
    else toast(word('offlineAct'));
  });
}, true);

async function act(form, button) {
  const about = button.closest('.msg') ?? menu.about();
  const url = button.hasAttribute('formaction') ? button.formAction : form.action;
  const body = new URLSearchParams(new FormData(form, button)); // while the button is still in the page
  menu.close({ focus: true });
  const { pathname, searchParams } = new URL(url);
  const emoji = /\/messages\/([^/]+)\/reactions$/.exec(pathname);
  if (emoji && button.value) { toggle(emoji[1], button.value, searchParams.has('undo')); return; }
  try {
    const response = await request(url, { method: 'POST', body });
    if (response.redirected) { location.assign(response.url); return; }
    if (!response.ok) { toast(await refusal(response)); return; }
    if (pathname === `/rooms/${room}/read`) readAll();
    if (about) await renew([idOf(about)]);
    if (!about || pathname.endsWith('/pin')) await renewHead();
  } catch { toast(word('offlineAct')); }
}

document.addEventListener('submit', (event) => {
  if (event.target.dataset.async === undefined || event.defaultPrevented || !event.submitter) return;
  event.preventDefault();
  act(event.target, event.submitter);
});

document.addEventListener('click', async (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const from = (selector) => event.target.closest(selector);
  const message = from('.msg') ?? (from('.menu-body') && menu.about());
  if (from('[data-react]') && message) {
    event.preventDefault();
    const emoji = await pickEmoji(from('[data-react]'));
    if (emoji) toggle(idOf(message), emoji);
  } else if (from('[data-edit]') && message) {
    event.preventDefault();
    edit(message, { renew, space });
  } else if (from('[data-quote]') && message) {
    event.preventDefault();
    const { form } = viewOf(message);
    if (form && !form.hidden) quote(form, message);
  } else if (from('[data-select]')) {
    event.preventDefault();
    selecting(true, message);
  } else if (from('[data-select-end]')) {
    event.preventDefault();
    selecting(false);
  } else if (from('[data-thread-link]') && beside()) {
    event.preventDefault();
    const link = from('[data-thread-link]');
    openThread(link.dataset.threadLink).catch(() => location.assign(link.href));
  }
});

// The letters that the list of shortcuts names, on the message that has the focus.
document.addEventListener('keydown', (event) => {
  const message = event.target.closest?.('.msg[id]');
  if (!message || event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select, .menu-body')) return;
  const can = canOf(message, me);
  if (event.key === 'e' && can.has('edit')) {
    event.preventDefault();
    edit(message, { renew, space });
  } else if (event.key === 'r' && can.has('thread')) {
    event.preventDefault();
    const there = `${page}/thread/${idOf(message)}`;
    if (beside()) openThread(idOf(message)).catch(() => location.assign(there));
    else location.assign(there);
  }
});

// ---- Reacting and answering stand at hand where the pointer or the focus is; once in the page, not in every message

let bar = null;

function offer(message) {
  const more = message?.querySelector(':scope > .msg-more, :scope > .menu');
  if (!more || bar?.parentElement === message) return;
  fetchMenu().catch(() => { /* its link leads to a page with the same acts */ });
  bar?.remove();
  const can = canOf(message, me);
  bar = el('div', { class: 'msg-acts' });
  bar.append(...[...document.getElementById('message-bar').content.cloneNode(true).children].filter((part) => can.has(part.dataset.if)));
  for (const part of bar.children) {
    for (const { name, value } of [...part.attributes]) if (value.includes('{id}')) part.setAttribute(name, value.replaceAll('{id}', idOf(message)));
  }
  more.before(bar);
}
for (const kind of ['pointerover', 'focusin']) {
  document.addEventListener(kind, (event) => offer(event.target.closest?.('.msg')));
}

// A quotation that was asked for without scripts stands in the field already; with them the caret follows it.
const field = main.querySelector('form[data-chat] textarea');
if (field?.value && new URLSearchParams(location.search).has('quote')) insert(field, '');
