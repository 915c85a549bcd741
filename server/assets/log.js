// The messages of a room or thread as they stand in the page.
//
// Invariants: messages stand in the order of their seq, each once. Every change goes through
// `keep`, so what is being read never moves. No more than MOST of them are in the page. What arrives
// while a part is fetched may be newer than the answer: `turn` holds it and puts it over that.
import { word, lang } from './words.js';
import { el, parse, request } from './dom.js';
import { stub } from './change.js';
import { mayNot } from './views.js';

const TOGETHER = 5 * 60_000;
export const MOST = 300;
const NEAR = 48;

const clock = new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit' });
const dated = new Intl.DateTimeFormat(lang, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const exact = new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short' });

/** The id of a message, from its place in the page. */
export const idOf = (article) => article.id.slice(2);

/** When it was written. */
const atOf = (article) => new Date(article.dataset.at ? Number(article.dataset.at) : article.querySelector('.msg-time time').dateTime);

/** What may be done with it: said by the message where it is unusual. */
export function flagsOf(article, me) {
  const template = document.getElementById('message');
  const usual = article.dataset.by === me ? template?.dataset.own : template?.dataset.others;
  const can = new Set((article.dataset.can ?? usual ?? '').split(' '));
  if (article.closest('[data-view]')?.dataset.view) { can.delete('thread'); can.delete('pick'); }
  return can;
}

/** The same as it is now, where nobody may write for a while. */
export function canOf(article, me) {
  const can = flagsOf(article, me);
  if (mayNot()) for (const act of ['react', 'pin', 'unpin', 'pick', 'edit']) can.delete(act);
  return can;
}

const dayOf = (at) => `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`;

/** Shows when it was written by the reader's clock; where the day is not said elsewhere, with the day. */
export function localise(message, at = atOf(message), whole = false) {
  const time = message.querySelector('.msg-time time');
  if (!time || time.dataset.clock !== undefined) return;
  time.dataset.clock = '';
  time.textContent = whole ? exact.format(at) : clock.format(at);
  time.parentElement.title = exact.format(at);
}

/** Whether somebody edits it: then it stays, and is renewed when they have done. */
export function isBusy(article) {
  if (!article.querySelector('.msg-edit')) return false;
  article.dataset.stale = '';
  return true;
}

function dayName(at) {
  const today = new Date();
  if (dayOf(at) === dayOf(today)) return word('today');
  today.setDate(today.getDate() - 1);
  return dayOf(at) === dayOf(today) ? word('yesterday') : dated.format(at);
}

export class Log {
  /** `view` holds [data-scroll], [data-log] and the links [data-older], [data-newer]; `page` is the room's address. */
  constructor(view, { page, me, thread = '', seen = () => {}, moved = () => {}, arrived = () => {}, changed = () => {}, left = () => {} }) {
    this.view = view;
    this.root = view.querySelector('[data-log]');
    this.scroll = view.querySelector('[data-scroll]');
    this.older = view.querySelector('[data-older]');
    this.newer = view.querySelector('[data-newer]');
    // arrived(): the newest message has come into the page. left(): the newest is in it no more. changed(ids): these may be
    // older than they are.
    Object.assign(this, { page, me, thread, arrived, changed, left });
    /** The "New" line stands before the first message of others behind this seq. */
    this.newAfter = view.dataset.newAfter ? Number(view.dataset.newAfter) : null;
    /** Everything behind this seq is here, up to the last message. */
    this.from = Number(view.dataset.from ?? 0);
    this.turns = 0;
    this.held = null;
    this.arrange();
    this.scroll.addEventListener('scroll', () => { moved(); this.edges(); if (this.atEnd()) seen(); }, { passive: true });
    if (this.older || this.newer) {
      this.watch = new IntersectionObserver((seenNow) => { if (seenNow.some((each) => each.isIntersecting)) this.edges(); }, { root: this.scroll, rootMargin: '400px' });
      for (const link of [this.older, this.newer]) if (link) this.watch.observe(link);
    }
  }

  all() { return [...this.root.querySelectorAll(':scope > .msg')]; }

  find(id) { return this.root.querySelector(`:scope > #m-${CSS.escape(id)}`); }

  sent(client) { return this.root.querySelector(`:scope > [data-client="${CSS.escape(client)}"][data-by="${CSS.escape(this.me)}"]`); }

  last() { return this.all().at(-1); }

  /** Whether newer messages are on the server and not here. */
  hasNewer() { return Boolean(this.newer && !this.newer.hidden); }

  atBottom() { return this.scroll.scrollTop > -NEAR; }

  /** Whether the newest message is in sight. */
  atEnd() { return !this.hasNewer() && this.atBottom(); }

  toBottom() { this.scroll.scrollTop = 0; }

  /** Brings a line into the upper third, without moving what lies around the log. */
  show(line) {
    const box = this.scroll.getBoundingClientRect();
    this.scroll.scrollTop += line.getBoundingClientRect().top - box.top - box.height / 4;
  }

  // ---- Changing without moving

  keep(change) {
    const bottom = this.atEnd();
    const box = this.scroll.getBoundingClientRect();
    const anchor = bottom ? null : this.all().find((each) => each.getBoundingClientRect().bottom > box.top + 8);
    // Its lower edge: its own head may come and go with what stands above it.
    const before = anchor?.getBoundingClientRect().bottom;
    const result = change();
    if (bottom) this.toBottom();
    else if (anchor?.isConnected) this.scroll.scrollTop += anchor.getBoundingClientRect().bottom - before;
    return result;
  }

  /** Puts messages where they belong, over those of the same id. */
  put(articles) {
    this.keep(() => {
      const all = this.all();
      for (const article of articles) {
        const old = this.find(idOf(article));
        if (old) { all[all.indexOf(old)] = this.swap(old, article); continue; }
        const seq = Number(article.dataset.seq);
        let at = all.length;
        while (at > 0 && Number(all[at - 1].dataset.seq) > seq) at -= 1;
        if (at === 0) this.root.prepend(article);
        else all[at - 1].after(article);
        all.splice(at, 0, article);
      }
      this.arrange();
    });
  }

  /** Puts one in the place of another, unless somebody writes in that; returns which of them stands there. */
  swap(old, article) {
    if (isBusy(old)) return old;
    const focused = old.contains(document.activeElement);
    this.carry(old, article);
    old.replaceWith(article);
    if (focused) { article.tabIndex = -1; article.focus({ preventScroll: true }); }
    return article;
  }

  /** A box that was there, ticked or not, goes over to the message that takes its place. */
  carry(old, article) {
    const pick = old.querySelector(':scope > .msg-pick');
    if (!pick || article.classList.contains('is-stub')) return;
    article.querySelector(':scope > .msg-pick')?.remove();
    article.prepend(pick);
  }

  replaceAll(articles) {
    const now = [...articles].map((article) => {
      const old = this.find(idOf(article));
      if (old && isBusy(old)) return old;
      if (old) this.carry(old, article);
      return article;
    });
    this.root.replaceChildren(...now);
    this.arrange();
  }

  /** Takes a message away, unless somebody writes in it. */
  remove(id) {
    const old = this.find(id);
    if (old && !isBusy(old)) this.keep(() => { old.remove(); this.arrange(); });
  }

  // ---- Days, groups, times, the "New" line

  arrange() {
    const days = new Map([...this.root.querySelectorAll(':scope > .day')].map((line) => [line.dataset.day, line]));
    let line = this.root.querySelector(':scope > [data-new]');
    // Where messages between the last read one and the first here are missing, the first unread is not here.
    let marked = this.newAfter === null || this.from > this.newAfter;
    let placed = false;
    let before = null;
    let day = '';
    for (const message of this.all()) {
      const at = atOf(message);
      const above = [];
      const key = dayOf(at);
      if (key !== day) {
        const heading = days.get(key) ?? this.heading(key);
        days.delete(key);
        const link = heading.querySelector('a') ?? heading;
        // The archive's days are those of the hub, which reads no clock but its own.
        if (link.href) link.href = `${this.page}/day/${at.toISOString().slice(0, 10)}#${message.id}`;
        if (link.textContent !== dayName(at)) link.textContent = dayName(at);
        above.push(heading);
        day = key;
      }
      if (!marked && Number(message.dataset.seq) > this.newAfter && message.dataset.by !== this.me) {
        marked = placed = true;
        line ??= el('p', { class: 'new-line', id: 'new', 'data-new': true }, el('span', {}, word('newLine')));
        above.push(line);
      }
      let next = message;
      for (const node of above.reverse()) {
        if (next.previousElementSibling !== node) next.before(node);
        next = node;
      }
      const joined = Boolean(before) && !above.length && before.dataset.by === message.dataset.by
        && !before.classList.contains('is-stub') && !message.classList.contains('is-stub')
        && at - atOf(before) < TOGETHER && before.id !== `m-${this.thread}`; // what a thread is about stands for itself
      message.classList.toggle('is-joined', joined);
      if (!joined) this.face(message);
      localise(message, at);
      before = message;
    }
    for (const left of days.values()) left.remove();
    if (!placed) line?.remove();
    this.view.querySelector('[data-empty]')?.toggleAttribute('hidden', Boolean(before));
  }

  /** Joined messages come without a picture and a link; one that is no longer joined gets them. */
  face(message) {
    if (message.classList.contains('is-stub') || message.querySelector(':scope > .msg-avatar')) return;
    const by = message.dataset.by;
    const name = message.querySelector('.msg-author');
    if (name.tagName !== 'A') name.replaceWith(el('a', { class: 'msg-author', href: `/people/${by}` }, name.textContent));
    const other = this.root.ownerDocument.querySelector(`[data-by="${CSS.escape(by)}"] > .msg-avatar`);
    const src = other?.getAttribute('src') ?? `/people/${by}/avatar`;
    message.querySelector('.msg-head').before(el('img', { class: 'msg-avatar', src, width: 36, height: 36, alt: '' }));
  }

  heading(key) {
    return el('h2', { class: 'day', 'data-day': key }, this.thread ? el('span') : el('a', { href: `${this.page}/day/${key}` }));
  }

  // ---- A message from its event

  /** The partial of the page, filled with what an event says. */
  make(data, item = {}) {
    const template = document.getElementById('message');
    const at = new Date(data.created_at ?? item.at);
    const own = data.author.handle === this.me;
    if (data.deleted) return stub({ ...data, seq: data.seq ?? item.seq, at: at.getTime() });
    const avatar = this.root.ownerDocument.querySelector(`[data-by="${CSS.escape(data.author.handle)}"] .msg-avatar`);
    const values = {
      id: data.id, seq: data.seq ?? item.seq, client: data.client_id ?? '', handle: data.author.handle,
      name: data.author.display_name, datetime: at.toISOString(),
    };
    const article = template.content.firstElementChild.cloneNode(true);
    const fill = (text) => text.replace(/\{(\w+)\}/g, (whole, key) => String(values[key] ?? whole));
    for (const node of [article, ...article.querySelectorAll('*')]) {
      for (const { name, value } of [...node.attributes]) if (value.includes('{')) node.setAttribute(name, fill(value));
      for (const child of node.childNodes) if (child.nodeType === Node.TEXT_NODE && child.data.includes('{')) child.data = fill(child.data);
    }
    if (!own) delete article.dataset.client;
    if (avatar) article.querySelector('.msg-avatar').src = avatar.src;
    article.querySelector('.msg-body').replaceChildren(...parse(data.body_html).body.childNodes);
    return article;
  }

  // ---- History

  async part(query) {
    const response = await request(`${this.page}?fragment=messages&${query}`);
    if (!response.ok) throw response;
    return parse(await response.text()).querySelector('[data-part]');
  }

  /**
   * One fetch: apply(part) gets its answer, unless a later fetch has overtaken it. What arrives
   * meanwhile is put over it. Says whether it was applied.
   */
  async turn(asked, apply) {
    const turn = ++this.turns;
    const behind = this.hasNewer();
    this.held ??= { posted: new Map(), changed: new Set() };
    this.root.setAttribute('aria-live', 'off');
    this.root.setAttribute('aria-busy', 'true');
    try {
      const part = await asked;
      if (turn !== this.turns) return false;
      apply(part);
      const { posted, changed } = this.held;
      if (!this.hasNewer()) this.put([...posted.values()].filter((article) => !this.find(idOf(article))));
      this.changed([...changed]);
      if (behind && !this.hasNewer()) this.arrived();
      return true;
    } finally {
      if (turn === this.turns) {
        this.held = null;
        this.root.removeAttribute('aria-busy');
        setTimeout(() => { if (!this.held) this.root.setAttribute('aria-live', 'polite'); });
      }
    }
  }

  /** Keeps a message that has come for the part that is on its way, if one is. */
  hold(article) { this.held?.posted.set(idOf(article), article); }

  /** Fetches more where an end of what is here comes near. */
  async edges() {
    if (this.held || this.thread) return;
    const [first, last] = [this.all()[0], this.last()];
    if (!first) return;
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    const up = this.older && !this.older.hidden && scrollHeight - clientHeight + scrollTop < 600;
    const down = this.hasNewer() && scrollTop > -600;
    if (!up && !down) return;
    try {
      await this.turn(this.part(up ? `before=${first.dataset.seq}` : `after=${last.dataset.seq}`), (part) => {
        if (up) this.from = Number(part.dataset.from);
        this.put(part.querySelectorAll('.msg'));
        this.link(up ? this.older : this.newer, up ? part.dataset.older : part.dataset.newer);
        this.trim(up);
      });
    } catch { /* the next scroll tries again */ }
  }

  link(link, href) {
    if (!link) return;
    link.hidden = !href;
    if (href) link.href = href;
  }

  /** Takes away what is far from where one reads, up to what somebody edits. */
  trim(atBottomEnd) {
    const all = this.all();
    const over = all.length - MOST;
    if (over <= 0) return;
    const far = atBottomEnd ? all.slice(-over).reverse() : all.slice(0, over);
    const busy = far.findIndex((each) => each.querySelector('.msg-edit'));
    const gone = busy < 0 ? far : far.slice(0, busy);
    if (!gone.length) return;
    this.keep(() => {
      for (const each of gone) each.remove();
      if (!atBottomEnd) this.from = Number(gone.at(-1).dataset.seq);
      this.arrange();
    });
    if (atBottomEnd) this.leave();
    else this.link(this.older, `${this.page}?before=${this.all()[0].dataset.seq}`);
  }

  /** From here on newer messages stay on the server until one comes there. */
  leave() {
    const last = this.last();
    if (last) this.link(this.newer, `${this.page}?after=${last.dataset.seq}`);
    this.left();
  }

  /** Shows the newest page, whatever was here. */
  newest() {
    return this.turn(this.part(''), (part) => {
      this.from = Number(part.dataset.from);
      this.replaceAll(part.querySelectorAll('.msg'));
      this.link(this.older, part.dataset.older);
      this.link(this.newer, part.dataset.newer);
      this.toBottom();
    });
  }
}
