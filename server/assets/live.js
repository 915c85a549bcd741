// The socket: ordered streams that survive a lost connection (contract, section 3).
//
// Invariant: a stream's listener sees every event after `since` exactly once and in order,
// or one `onReset`, after which it fetches again by HTTP and goes on from the new head.

import { connected } from './dom.js';
import { word } from './words.js';

const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;
const READY_WITHIN = 10_000;
const BACKOFF_FROM = 500;
const BACKOFF_TO = 10_000;
const STEADY_AFTER = 10_000;
const LEAVING = 1001, SIGNED_OUT = 4401, SUSPENDED = 4403, TOO_SLOW = 4408;

function saySuspended() {
  const line = document.querySelector('[data-connection]');
  if (line) line.textContent = word('suspended');
}

export class Live {
  #socket = null;
  #streams = new Map();
  #waiting = new Map();
  #refs = 0;
  #tries = 0;
  #ready = false;
  #stopped = false;
  #timers = { retry: 0, ping: 0, dead: 0, steady: 0 };
  #options;

  /**
   * member: the id of whom the page is for. A socket of anybody else ends it: state 'signed-out', with that member
   * onState: 'connecting' | 'online' | 'offline' | 'signed-out' | 'closed'
   * onFrame: every frame that is not part of a stream (presence, typing, activity, sent, error without ref)
   * onSuspended: by default the page says so; what is on it stays to be read
   */
  constructor(options = {}) {
    this.#options = { url: '/api/v1/ws', onState() {}, onFrame() {}, onSuspended: saySuspended, ...options };
    addEventListener('online', this.#wake);
    document.addEventListener('visibilitychange', this.#wake);
    // A page kept in the back-forward cache may not hold a socket, and comes back with `since`.
    addEventListener('pagehide', () => this.#drop());
    addEventListener('pageshow', (event) => { if (event.persisted) this.#connect(); });
  }

  /**
   * Follows a stream. `since` and `epoch` come from the page; without `since` only what is new arrives.
   * onEvents(items), onReset({head, epoch}), onLost(code). Returns the function that ends it.
   */
  subscribe(name, { since, epoch, onEvents = () => {}, onReset = () => {}, onLost = () => {} } = {}) {
    const stream = { name, seq: since, epoch, onEvents, onReset, onLost, settled: false };
    this.#streams.set(name, stream);
    if (this.#ready) this.#ask(stream);
    else this.#connect();
    return () => {
      if (this.#streams.get(name) !== stream) return;
      this.#streams.delete(name);
      if (this.#ready) this.#write({ type: 'unsubscribe', stream: name });
    };
  }

  /** Sends a frame that wants an answer; resolves with it, rejects with the error frame or when the connection is lost. */
  request(frame) {
    return new Promise((resolve, reject) => {
      if (!this.#ready) { reject({ type: 'error', code: 'unavailable' }); return; }
      const ref = `r${++this.#refs}`;
      this.#waiting.set(ref, { resolve, reject });
      this.#write({ ...frame, ref });
    });
  }

  /** Sends a frame that wants none (typing, read). Says whether it went out. */
  send(frame) {
    if (this.#ready) this.#write(frame);
    return this.#ready;
  }

  /** What the page has seen, for whoever wants to fetch from there. */
  position(name) {
    const stream = this.#streams.get(name);
    return stream && { seq: stream.seq, epoch: stream.epoch };
  }

  close() {
    this.#stopped = true;
    removeEventListener('online', this.#wake);
    document.removeEventListener('visibilitychange', this.#wake);
    this.#drop();
    this.#options.onState('closed');
  }

  // A field, so that the same function can be taken off again.
  #wake = () => {
    if (document.hidden || this.#stopped) return;
    if (this.#ready) this.#ping(); // it may be dead without knowing, after sleep or a changed network
    else { this.#tries = 0; this.#connect(); }
  };

  #connect() {
    if (this.#stopped || this.#socket || !this.#streams.size) return;
    clearTimeout(this.#timers.retry);
    this.#options.onState('connecting');
    const url = new URL(this.#options.url, location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, 'praxis.v1');
    this.#socket = socket;
    this.#expect(READY_WITHIN);
    socket.addEventListener('message', (event) => { if (this.#socket === socket) this.#receive(event.data); });
    socket.addEventListener('close', (event) => { if (this.#socket === socket) this.#closed(event.code); });
  }

  // Forgets the socket at once: its own close event may come minutes later when the network is gone.
  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    for (const { reject } of this.#waiting.values()) reject({ type: 'error', code: 'unavailable' });
    this.#waiting.clear();
    for (const stream of this.#streams.values()) stream.settled = false;
    socket?.close();
  }

  #closed(code) {
    this.#drop();
    if (code === SIGNED_OUT) { this.#end('signed-out'); return; }
    if (code === SUSPENDED) { this.#stopped = true; this.#options.onSuspended(); return; }
    this.#options.onState('offline');
    // A server that leaves or calls us slow is there again: the first try comes soon, still spread out.
    const ceiling = Math.min(BACKOFF_TO, BACKOFF_FROM * 2 ** this.#tries);
    const wait = code === LEAVING || code === TOO_SLOW ? Math.random() * 1000 : ceiling / 2 + Math.random() * (ceiling / 2);
    this.#tries += 1;
    this.#timers.retry = setTimeout(() => this.#connect(), Math.max(wait, code === LEAVING ? 0 : BACKOFF_FROM));
  }

  #end(state, member) {
    this.#stopped = true;
    this.#drop();
    this.#options.onState(state, member);
  }

  // Any frame proves the connection; silence after a ping ends it.
  #expect(within) {
    clearTimeout(this.#timers.dead);
    this.#timers.dead = setTimeout(() => this.#closed(0), within);
  }

  #heard() {
    clearTimeout(this.#timers.dead);
    clearTimeout(this.#timers.ping);
    if (this.#ready) this.#timers.ping = setTimeout(() => this.#ping(), PING_EVERY);
  }

  #ping() {
    this.#write({ type: 'ping' });
    this.#expect(PONG_WITHIN);
  }

  #write(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #ask(stream) {
    stream.settled = false;
    const frame = { type: 'subscribe', stream: stream.name, ref: `s:${stream.name}` };
    if (stream.seq !== undefined) frame.since = stream.seq;
    if (stream.epoch !== undefined) frame.epoch = stream.epoch;
    this.#write(frame);
  }

  #receive(text) {
    let frame;
    try { frame = JSON.parse(text); } catch { return; }
    if (frame.type === 'ready') {
      const { member } = this.#options;
      // The cookie has become somebody else's: nothing of this page goes out under their name.
      if (member && frame.member?.id !== member) { this.#end('signed-out', frame.member); return; }
      this.#ready = true;
    }
    this.#heard();
    const stream = this.#streams.get(frame.stream);
    switch (frame.type) {
      case 'ready':
        // A connection that ends at once has not succeeded.
        this.#timers.steady = setTimeout(() => { this.#tries = 0; }, STEADY_AFTER);
        connected();
        this.#options.onState('online', frame.member);
        for (const each of this.#streams.values()) this.#ask(each);
        break;
      case 'subscribed':
        if (!stream) break;
        stream.settled = true;
        stream.epoch = frame.epoch;
        stream.seq ??= frame.head;
        break;
      case 'reset':
        if (!stream) break;
        stream.settled = true;
        stream.epoch = frame.epoch;
        stream.seq = frame.head;
        stream.onReset({ head: frame.head, epoch: frame.epoch });
        break;
      case 'events':
        if (stream) this.#deliver(stream, frame.items ?? []);
        break;
      case 'unsubscribed':
        if (stream && frame.code) { this.#streams.delete(stream.name); stream.onLost(frame.code); }
        break;
      case 'error':
        this.#refused(frame);
        break;
      case 'pong':
        break;
      default:
        if (!this.#settle(frame, 'resolve')) this.#options.onFrame(frame);
    }
  }

  #deliver(stream, items) {
    if (!stream.settled) return; // a hole was seen: what is still on its way comes again
    const fresh = [];
    let hole = false;
    for (const item of items) {
      if (item.seq <= stream.seq) continue;
      if (item.seq !== stream.seq + 1) { hole = true; break; }
      stream.seq = item.seq;
      fresh.push(item);
    }
    if (fresh.length) stream.onEvents(fresh);
    if (hole) this.#ask(stream);
  }

  #refused(frame) {
    if (this.#settle(frame, 'reject')) return;
    const name = String(frame.ref ?? '').startsWith('s:') ? frame.ref.slice(2) : frame.stream;
    const stream = this.#streams.get(name);
    if (!stream) { this.#options.onFrame(frame); return; }
    if (frame.code === 'rate_limited' || frame.code === 'unavailable') {
      setTimeout(() => { if (this.#ready && this.#streams.get(name) === stream && !stream.settled) this.#ask(stream); }, 1000 + Math.random() * 4000);
    } else {
      this.#streams.delete(name);
      stream.onLost(frame.code);
    }
  }

  #settle(frame, how) {
    const waiting = this.#waiting.get(frame.ref);
    if (!waiting) return false;
    this.#waiting.delete(frame.ref);
    waiting[how](frame);
    return true;
  }
}
