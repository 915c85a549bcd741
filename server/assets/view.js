// One view of a room: its main column, or a thread. What comes goes into its log, what waits stands
// below it, and what came while one reads further up is counted.
import { word } from './words.js';
import { toast } from './dom.js';
import { canOf, Log, MOST } from './log.js';
import { entries } from './outbox.js';
import { outgoing } from './outgoing.js';
import { looked, read, settled } from './reading.js';
import { renew } from './renew.js';
import { edit } from './revise.js';
import { enhance } from './say.js';
import { open, views } from './views.js';

const main = document.querySelector('main[data-room]');
const { room, page, me, space } = main.dataset;

export class View {
  constructor(node) {
    this.node = node;
    this.thread = node.dataset.view;
    this.unseen = 0;
    // Client ids that the server has and that are not shown yet; true: they have come, further down.
    this.limbo = new Map();
    this.log = new Log(node, {
      page, me, thread: this.thread, seen: () => this.seen(), moved: () => looked(this), arrived: () => this.atLast(), changed: renew, left: () => this.offerEnd(),
    });
    this.form = node.querySelector('form[data-chat]');
    this.outbox = node.querySelector('[data-outbox]');
    this.pill = node.querySelector('[data-pill]');
    this.pill?.addEventListener('click', (event) => { event.preventDefault(); this.toEnd(); });
    if (this.form) enhance(this.form, { room, sent: () => { if (!this.thread) settled(); this.toEnd(); }, edit: () => this.editLast() });
    open.set(node, this);
    this.waiting();
  }

  /** Messages of others that came while one reads further up, or looks elsewhere. */
  count(by) {
    this.unseen = by ? this.unseen + by : 0;
    this.offerEnd();
    const all = views().reduce((sum, view) => sum + view.unseen, 0);
    const title = document.title.replace(/^\(\d+\) /, '');
    document.title = all ? `(${all}) ${title}` : title;
  }

  /** The way to the newest, where there is something to come to. */
  offerEnd() {
    if (this.pill) {
      this.pill.hidden = (!this.unseen || this.log.atEnd()) && !this.log.hasNewer();
      this.pill.querySelector('span').textContent = this.unseen ? word('newMessages', { n: this.unseen }) : word('toNewest');
    }
  }

  seen() {
    if (document.hidden) return;
    if (this.unseen || (this.pill && !this.pill.hidden)) this.count(0);
    read();
  }

  async toEnd() {
    try {
      if (this.log.hasNewer() && !await this.log.newest()) return; // a later press shows it
    } catch { toast(word('failed')); }
    this.log.toBottom();
    this.waiting();
    if (this.log.atEnd()) this.seen();
  }

  /** The newest messages are in the page again: nothing that has come is still to be shown. */
  atLast() {
    for (const [client, come] of this.limbo) if (come) this.limbo.delete(client);
    this.waiting();
    if (this.log.atEnd()) this.seen();
  }

  /** Messages that have come, each with its event, put in at once. */
  posted(list) {
    const fresh = list.filter(({ data }) => !this.log.find(data.id));
    if (!fresh.length) return;
    const followed = this.log.atBottom();
    const own = fresh.filter(({ data }) => data.author.handle === me);
    const others = fresh.length - own.length;
    const articles = fresh.map(({ data, item }) => {
      const article = this.log.make(data, item);
      if (data.author.handle !== me) article.classList.add('is-new');
      this.log.hold(article);
      return article;
    });
    // More than a page holds is fetched when one comes there.
    const already = this.log.hasNewer();
    const most = followed ? articles.length : this.log.all().length + articles.length;
    if (this.log.newer && !already && most > MOST) this.log.leave();
    if (this.log.hasNewer()) {
      for (const { data } of own) if (this.limbo.has(data.client_id)) this.limbo.set(data.client_id, true);
      if (others) this.count(others);
      if (followed && !already) this.toEnd();
      return;
    }
    for (const { data } of own) {
      this.limbo.delete(data.client_id);
      this.pending(data.client_id)?.remove();
    }
    if (document.hidden && this.log.newAfter === null && others && !this.thread) this.log.newAfter = Number(this.log.last()?.dataset.seq ?? 0);
    this.log.put(articles);
    if (followed) this.log.trim(false);
    if (followed && !document.hidden) this.seen();
    else if (others) this.count(others);
  }

  pending(client) { return this.outbox?.querySelector(`[data-client="${CSS.escape(client)}"]`); }

  /** The server has taken what stands here; it is shown for good when it comes back. */
  sent(client) {
    const line = this.pending(client);
    if (!line || line.dataset.thread !== this.thread) return;
    if (!this.limbo.has(client)) this.limbo.set(client, false);
    line.classList.add('is-sent');
  }

  /**
   * What is in the outbox for this place: pale with a clock, or refused with its reason. The main
   * column shows that of threads too, unless they are open.
   */
  async waiting() {
    if (!this.outbox) return;
    const shown = new Set(views().map((view) => view.thread));
    const own = (await entries(room)).filter((entry) => {
      const of = entry.reply_to || '';
      return (of === this.thread || (!this.thread && !shown.has(of))) && !this.log.sent(entry.client_id);
    });
    const keep = new Set(own.map((entry) => entry.client_id));
    this.log.keep(() => {
      for (const old of [...this.outbox.children]) {
        const client = old.dataset.client;
        if (!keep.has(client) && (!this.limbo.has(client) || this.log.sent(client))) old.remove();
      }
      for (const entry of own) {
        const now = outgoing(entry, this.thread);
        const old = this.pending(entry.client_id);
        if (!old) this.outbox.append(now);
        else if (old.dataset.state !== now.dataset.state) old.replaceWith(now);
      }
    });
  }

  editLast() {
    const own = this.log.all().filter((each) => each.dataset.by === me && canOf(each, me).has('edit')).at(-1);
    if (own) edit(own, { renew, space });
    return Boolean(own);
  }
}
