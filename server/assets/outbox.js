// What was written and is not yet with the server: kept in IndexedDB, sent in order, once.
//
// Invariants: an entry is stored before it is shown and removed only after the server has said
// that it has it. One tab sends at a time (a lock); the client_id makes a second try harmless.
import { refusal, request } from './dom.js';
import { live, onState } from './socket.js';

const ANSWER_WITHIN = 10_000;
const TRY_FROM = 2_000;
const TRY_TO = 30_000;
const meta = document.querySelector('meta[name="me"]');
const me = meta?.content ?? '';
// Nothing stays behind on a shared computer.
const lasting = meta?.dataset.shared === undefined;

const done = (asked) => new Promise((resolve, reject) => {
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
});

let opened;
function open() {
  opened ??= new Promise((resolve) => {
    if (!lasting) { resolve(null); return; }
    try {
      const asked = indexedDB.open('praxis-outbox', 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore('entries', { keyPath: 'order', autoIncrement: true });
      asked.onsuccess = () => {
        asked.result.onversionchange = () => asked.result.close(); // signing out deletes it
        resolve(asked.result);
      };
      asked.onerror = () => resolve(null);
      asked.onblocked = () => resolve(null);
    } catch { resolve(null); }
  });
  return opened;
}

const memory = new Map();
let count = 0;

async function put(entry) {
  const db = await open();
  if (!db) {
    const kept = { order: ++count, ...entry };
    memory.set(kept.order, kept);
    return;
  }
  const write = db.transaction('entries', 'readwrite');
  write.objectStore('entries').put(entry);
  await new Promise((resolve, reject) => { write.oncomplete = resolve; write.onabort = () => reject(write.error); });
  flag(1);
}

async function drop(entry) {
  const db = await open();
  if (!db) { memory.delete(entry.order); return; }
  await done(db.transaction('entries', 'readwrite').objectStore('entries').delete(entry.order));
}

/** What waits or was refused, the oldest first; of one room if it is named. */
export async function entries(room) {
  const db = await open();
  const all = db ? await done(db.transaction('entries').objectStore('entries').getAll()) : [...memory.values()];
  const mine = all.filter((entry) => entry.me === me);
  if (!mine.length) flag(0);
  return mine.filter((entry) => !room || entry.room === room);
}

// Other pages look at this before they load this module.
function flag(on) {
  try {
    if (on) localStorage.setItem('outbox', '1');
    else localStorage.removeItem('outbox');
  } catch { /* storage may be off: then this page's own timer has to do */ }
}

// ---- Who shows it: here and in other tabs

const listeners = new Set();
const channel = 'BroadcastChannel' in window ? new BroadcastChannel('outbox') : null;
const told = (what) => { for (const heard of listeners) heard(what); };
const tell = (what) => { told(what); channel?.postMessage(what); };
if (channel) channel.onmessage = ({ data }) => told(data);

/** heard({room, sent?: {client_id, message?}}) after every change, whichever tab made it. */
export const onChange = (heard) => listeners.add(heard);

// ---- Sending

function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID(); // absent outside https and localhost
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Keeps a message and sends it as soon as it can be. Resolves when it is kept. */
export async function add({ room, body, replyTo = '' }) {
  const entry = { me, room, body, reply_to: replyTo, client_id: uuid(), at: Date.now(), state: 'waiting' };
  await put(entry);
  tell({ room });
  flush();
  return entry.client_id;
}

/** Tries a refused one again; with `confirmed` after a question of the server. */
export async function retry(client, confirmed = false) {
  const entry = (await entries()).find((each) => each.client_id === client);
  if (!entry) return;
  await put({ ...entry, state: 'waiting', why: '', confirmed });
  tell({ room: entry.room });
  flush();
}

/** Forgets one; resolves to its text. */
export async function discard(client) {
  const entry = (await entries()).find((each) => each.client_id === client);
  if (!entry) return '';
  await drop(entry);
  tell({ room: entry.room });
  return entry.body;
}

const within = (promise, ms) => Promise.race([promise, new Promise((_, reject) => { setTimeout(() => reject({ code: 'unavailable' }), ms); })]);

/** 'later', {sent} or {why, code}. */
async function deliver(entry) {
  const { room, body, client_id: client, reply_to: replyTo, confirmed } = entry;
  const extra = { ...(replyTo ? { reply_to: replyTo } : {}), ...(confirmed ? { confirmed: true } : {}) };
  try {
    const answer = await within(live.request({ type: 'send', room, body, client_id: client, ...extra }), ANSWER_WITHIN);
    return { sent: answer };
  } catch (refused) {
    if (refused?.code === 'rate_limited') return 'later';
    if (refused?.code && refused.code !== 'unavailable') return { why: refused.detail ?? '', code: refused.code };
  }
  // No socket, or one that does not answer: the same by HTTP, with the same client_id.
  try {
    const response = await request(`/api/v1/rooms/${room}/messages`, {
      method: 'POST', accept: 'application/json', json: { body, client_id: client, ...extra }, signal: AbortSignal.timeout?.(ANSWER_WITHIN * 2),
    });
    if (response.ok) return { sent: { client_id: client, message: await response.json() } };
    if (response.status === 401 || response.status === 429 || response.status >= 500) return 'later';
    const findings = response.status === 409;
    return { why: await refusal(response), code: findings ? 'confirm' : 'invalid' };
  } catch { return 'later'; }
}

async function drain() {
  for (;;) {
    const next = (await entries()).find((entry) => entry.state === 'waiting');
    if (!next) return true;
    const answer = await deliver(next);
    if (answer === 'later') return false;
    if (answer.sent) {
      await drop(next);
      tell({ room: next.room, sent: { client_id: next.client_id, message: answer.sent.message } });
    } else {
      await put({ ...next, state: 'refused', why: answer.why, code: answer.code });
      tell({ room: next.room });
    }
  }
}

let busy = false;
let again = false;
let tries = 0;
let timer = 0;

/** Sends what waits, in order. One tab at a time, where the browser has locks. */
export async function flush() {
  clearTimeout(timer);
  if (busy) { again = true; return; }
  busy = true;
  let all = false;
  try {
    do {
      again = false;
      all = navigator.locks ? await navigator.locks.request(`outbox:${me}`, drain) : await drain();
    } while (again && all);
  } catch { /* storage failed: the timer tries again */ } finally { busy = false; }
  tries = all ? 0 : tries + 1;
  if (!all) timer = setTimeout(flush, Math.min(TRY_TO, TRY_FROM * 2 ** (tries - 1)));
}

onState((state) => { if (state === 'online') { tries = 0; flush(); } });
addEventListener('online', () => { tries = 0; flush(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden) flush(); });
flush();
