// An open room: messages arrive, leave and change without a reload, and never move what is read.
//
// Everything is applied by id and idempotently: the socket, the outbox and the answer to one's
// own request may tell the same thing several times, in any order.
import { word } from './words.js';
import { el, icon, parse, refusal, request, toast } from './dom.js';
import { menus } from './menu.js';
import { canOf, idOf, Log } from './log.js';
import { live } from './socket.js';
import { entries, onChange } from './outbox.js';
import { outgoing } from './outgoing.js';
import { stopped } from './presence.js';
import { react, toggle } from './reactions.js';
import { open, viewOf, views } from './views.js';
import { enhance, insert, quote } from './say.js';
import { pickEmoji } from './picker.js';
import { edit } from './revise.js';

const main = document.querySelector('main[data-room]');
const { room, page, me } = main.dataset;
const title = document.title;
const wide = matchMedia('(min-width: 768px)');
const say = (message) => { main.querySelector('[data-announce]').textContent = message; };

// ---- Views: the room, or one thread; and a thread beside the room

class View {
  constructor(node) {
    this.node = node;
    this.thread = node.dataset.view;
    this.unseen = 0;
    this.limbo = new Set(); // client ids that the server has and that have not come back yet
    this.log = new Log(node, { page, me, thread: this.thread, seen: () => this.seen(), moved: () => {} });
    this.form = node.querySelector('form[data-chat]');
    this.outbox = node.querySelector('[data-outbox]');
    this.pill = node.querySelector('[data-pill]');
    this.pill?.addEventListener('click', (event) => { event.preventDefault(); this.toEnd(); });
    if (this.form) enhance(this.form, { room, sent: () => this.toEnd(), edit: () => this.editLast() });
    this.waiting();
  }

  /** Messages of others that came while one reads further up. */
  count(by) {
    this.unseen = by ? this.unseen + by : 0;
    if (this.pill) {
      this.pill.hidden = !this.unseen && !this.log.hasNewer();
      this.pill.querySelector('span').textContent = this.unseen ? word('newMessages', { n: this.unseen }) : word('toNewest');
    }
    const all = views().reduce((sum, view) => sum + view.unseen, 0);
    document.title = all ? `(${all}) ${title}` : title;
  }

  seen() {
    if (this.unseen || (this.pill && !this.pill.hidden)) this.count(0);
    read();
  }

  async toEnd() {
    try { if (this.log.hasNewer()) await this.log.newest(); } catch { toast(word('failed')); }
    this.log.toBottom();
    this.waiting();
    this.seen();
  }

  posted(data, item) {
    if (this.log.find(data.id)) return;
    this.limbo.delete(data.client_id);
    const own = data.author.handle === me;
    if (this.log.hasNewer()) { if (!own) this.count(1); return; } // it is shown when one comes there
    const followed = this.log.atBottom();
    if (document.hidden && this.log.newAfter === null && !own && !this.thread) this.log.newAfter = Number(this.log.last()?.dataset.seq ?? 0);
    if (own) this.pending(data.client_id)?.remove();
    this.log.put([this.log.make(data, item)], { fresh: !own });
    if (followed) { this.log.trim(false); this.seen(); } else if (!own) this.count(1);
  }

  pending(client) { return this.outbox?.querySelector(`[data-client="${CSS.escape(client)}"]`); }

  /** What is in the outbox for this place: pale with a clock, or refused with its reason. */
  async waiting() {
    if (!this.outbox) return;
    const own = (await entries(room)).filter((entry) => (entry.reply_to || '') === this.thread && !this.log.sent(entry.client_id));
    const keep = new Set(own.map((entry) => entry.client_id));
    this.log.keep(() => {
      for (const old of [...this.outbox.children]) {
        const client = old.dataset.client;
        if (!keep.has(client) && (!this.limbo.has(client) || this.log.sent(client))) old.remove();
      }
      for (const entry of own) {
        const now = outgoing(entry);
        const old = this.pending(entry.client_id);
        if (!old) this.outbox.append(now);
        else if (old.dataset.state !== now.dataset.state) old.replaceWith(now);
      }
    });
  }

  editLast() {
    const own = this.log.all().filter((each) => each.dataset.by === me && canOf(each, me).has('edit')).at(-1);
    if (own) edit(own, { renew, space: main.dataset.space });
    return Boolean(own);
  }
}

for (const node of document.querySelectorAll('[data-view]')) open.set(node, new View(node));

onChange(async ({ room: where, sent }) => {
  if (where !== room) return;
  for (const view of views()) {
    if (sent && view.pending(sent.client_id)) {
      view.limbo.add(sent.client_id);
      view.pending(sent.client_id).classList.add('is-sent');
      if (sent.message) view.posted(sent.message, {});
    }
    await view.waiting();
  }
});
// ---- Read markers

let newest = Number(main.dataset.head);
let marked = Number(main.dataset.read || 0);
let marking = 0;

function read() {
  const view = views().find((each) => !each.thread);
  if (!view || marking || document.hidden || !view.log.atEnd() || newest <= marked) return;
  marking = setTimeout(() => {
    marking = 0;
    if (document.hidden || !view.log.atEnd() || newest <= marked) return;
    marked = newest;
    if (!live.send({ type: 'read', room, seq: marked })) {
      request(`/api/v1/rooms/${room}/read`, { method: 'PUT', json: { seq: marked }, accept: 'application/json' }).catch(() => { marked = 0; });
    }
  }, 400);
}
document.addEventListener('visibilitychange', read);

// ---- Where one starts: at a linked message, at the first unread one, else at the end

{
  const view = views()[0];
  const target = main.querySelector('.is-target') ?? view.log.root.querySelector('[data-new]');
  if (target) view.log.show(target);
  view.count(0);
  if (view.log.atEnd()) view.seen();
}

// ---- Events

const stale = new Set();
let renewing = null;

/** Fetches messages again as they now are and puts them over what is shown. */
async function renew(ids) {
  for (const id of ids) if (views().some((view) => view.log.find(id))) stale.add(id);
  renewing ??= (async () => {
    try {
      while (stale.size) {
        const now = [...stale].slice(0, 50);
        for (const id of now) stale.delete(id);
        const part = await views()[0].log.part(`ids=${now.map(encodeURIComponent).join(',')}`);
        const found = new Map([...part.querySelectorAll('.msg')].map((article) => [idOf(article), article]));
        for (const view of views()) {
          view.log.put([...found.values()].filter((article) => view.log.find(idOf(article))).map((article) => article.cloneNode(true)));
          for (const id of now) if (!found.has(id)) view.log.keep(() => { view.log.find(id)?.remove(); view.log.arrange(); });
        }
      }
    } catch { toast(word('failed')); } finally { renewing = null; }
  })();
  await renewing;
}

function onEvents(items) {
  const again = new Set();
  for (const item of items) {
    const { event, data, seq } = item;
    if (!data) continue;
    switch (event) {
      case 'message.posted': {
        newest = Math.max(newest, seq);
        stopped(data.author.handle);
        const root = data.thread ?? '';
        for (const view of views()) if (view.thread === root) view.posted(data, item);
        if (data.root) replies(data.root);
        break;
      }
      case 'reaction.added':
      case 'reaction.removed':
        react(data.message_id, data.reactions ?? []);
        break;
      case 'room.changed':
        renewHead();
        break;
      default:
        if (data.id) again.add(data.id);
        if (data.thread) again.add(data.thread);
        if (event === 'message.pinned' || event === 'message.unpinned') renewHead();
    }
  }
  if (again.size) renew([...again]);
  read();
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

/** The head, and what stands beside the room where there is space for it. */
async function renewHead() {
  try {
    const beside = document.querySelector('.room-aside');
    const whole = Boolean(beside?.offsetWidth);
    const response = await request(whole ? page : `${page}?fragment=head`);
    if (!response.ok) return;
    const now = parse(await response.text());
    const [head, old] = [now.querySelector('[data-room-head]'), main.querySelector('[data-room-head]')];
    const aside = now.querySelector('.room-aside');
    // Whoever has a menu of it open is not disturbed.
    if (old?.querySelector('details[open], [aria-expanded="true"]')) { setTimeout(renewHead, 2000); return; }
    if (head) old?.replaceWith(head);
    // The thread that may be open there stays.
    const [parts, thread] = [[...(aside?.children ?? [])], beside?.querySelector('[data-panel]')];
    if (whole && aside && thread && !beside.contains(document.activeElement)) {
      beside.replaceChildren(...parts.filter((part) => part.dataset.panel === undefined), thread);
    }
    document.dispatchEvent(new Event('praxis:rooms'));
  } catch { /* the next change tries again */ }
}

/** History was rewound or is too far behind: everything again, in place. */
async function start() {
  try {
    for (const view of views()) {
      if (view.thread) await thread(view.thread, view.node); else { await view.log.newest(); await view.waiting(); }
    }
    say(word('caughtUp'));
  } catch { toast(word('failed')); }
}

live.subscribe(main.dataset.stream, {
  since: Number(main.dataset.head),
  epoch: main.dataset.epoch,
  onEvents,
  onReset({ head }) { newest = head; start(); },
  onLost: () => location.reload(),
});

// ---- Acts of the menu and the bar of a message

const menu = menus({
  template: 'message-menu',
  item: '.msg',
  id: idOf,
  places: (article) => ({ seq: article.dataset.seq }),
  can: (article) => canOf(article, me),
});

async function act(form, button) {
  const about = button.closest('.msg') ?? menu.about();
  const url = button.hasAttribute('formaction') ? button.formAction : form.action;
  const body = new URLSearchParams(new FormData(form, button)); // while the button is still in the page
  menu.close();
  const emoji = /\/messages\/([^/]+)\/reactions$/.exec(new URL(url).pathname);
  if (emoji && button.value) { toggle(emoji[1], button.value, new URL(url).searchParams.has('undo')); return; }
  try {
    const response = await request(url, { method: 'POST', body });
    if (response.redirected) { location.assign(response.url); return; }
    if (!response.ok) { toast(await refusal(response)); return; }
    if (about) await renew([idOf(about)]);
    else await renewHead();
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
    edit(message, { renew, space: main.dataset.space });
  } else if (from('[data-quote]') && message) {
    event.preventDefault();
    const { form } = viewOf(message);
    if (form) quote(form, message);
  } else if (from('[data-select]')) {
    event.preventDefault();
    selecting(true, message);
  } else if (from('[data-select-end]')) {
    event.preventDefault();
    selecting(false);
  } else if (from('[data-thread-link]') && wide.matches && document.querySelector('[data-panel]')) {
    event.preventDefault();
    thread(from('[data-thread-link]').dataset.threadLink).catch(() => location.assign(from('[data-thread-link]').href));
  } else if (from('[data-panel-close]')) {
    event.preventDefault();
    closePanel();
  }
});

// ---- Reacting and answering stand at hand where the pointer or the focus is; once in the page, not in every message

let bar = null;

function offer(message) {
  const more = message?.querySelector(':scope > .msg-more, :scope > .menu');
  if (!more || bar?.parentElement === message) return;
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

// ---- A thread beside the room

const panel = document.querySelector('[data-panel]');
let opener = null;

async function thread(id, again = null) {
  const response = await request(`${page}/thread/${id}`);
  if (!response.ok) throw response;
  const next = parse(await response.text());
  const view = next.querySelector('[data-view]');
  if (!panel || (again && !panel.contains(again))) {
    // The page of a thread itself: what is in it, again.
    const shown = open.get(again);
    shown.log.replaceAll(view.querySelectorAll('[data-log] > .msg'));
    return;
  }
  opener = document.activeElement;
  const old = panel.querySelector('[data-view]');
  if (old) { open.delete(old); old.remove(); }
  panel.append(document.adoptNode(view));
  panel.hidden = false;
  document.body.classList.add('has-thread');
  const shown = new View(view);
  open.set(view, shown);
  shown.log.toBottom();
  if (!again) (shown.form?.querySelector('textarea') ?? view).focus();
}

function closePanel() {
  const view = panel?.querySelector('[data-view]');
  if (!view) return;
  open.delete(view);
  view.remove();
  panel.hidden = true;
  document.body.classList.remove('has-thread');
  opener?.focus?.();
}
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !event.defaultPrevented && panel && !panel.hidden && !document.querySelector('dialog[open], .menu-body')) closePanel();
});

// ---- Choosing messages for a topic

const boxing = new MutationObserver(boxes);

/** Gives every message that can be chosen a box. */
function boxes() {
  for (const message of main.querySelectorAll('[data-log] > .msg')) {
    if (message.querySelector('.msg-pick') || message.classList.contains('is-stub') || !canOf(message, me).has('pick')) continue;
    const name = message.querySelector('.msg-author').textContent;
    message.prepend(el('input', { class: 'msg-pick', type: 'checkbox', name: 'm', value: idOf(message), form: 'pick', 'aria-label': word('pick', { name }) }));
  }
}

function selecting(on, first) {
  if (on) {
    boxes();
    boxing.observe(main.querySelector('[data-log]'), { childList: true });
  } else boxing.disconnect();
  main.classList.toggle('is-selecting', on);
  const bar = main.querySelector('[data-selecting]');
  if (bar) bar.hidden = !on;
  for (const box of main.querySelectorAll('.msg-pick')) if (!on) box.checked = false;
  const box = first?.querySelector('.msg-pick');
  if (box) { box.checked = true; box.focus(); }
}

if (main.classList.contains('is-selecting')) selecting(true);

// A quotation that was asked for without scripts stands in the field already; with them the caret follows it.
const field = main.querySelector('form[data-chat] textarea');
if (field?.value && new URLSearchParams(location.search).has('quote')) insert(field, '');
