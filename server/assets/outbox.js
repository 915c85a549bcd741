// What was written and is not yet with the server: kept in IndexedDB, sent in order, once.
//
// Invariants: an entry is stored before it is shown and removed only after the server has said
// that it has it. One tab sends at a time (a lock); the client_id makes a second try harmless.
import { word } from './words.js';
import { parse, refusal, request, toast } from './dom.js';
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
        const db = asked.result;
        // Signing out deletes it, and a browser may take it away: the next use opens it anew.
        db.onversionchange = () => { db.close(); opened = undefined; };
        db.onclose = () => { opened = undefined; };
        resolve(db);
      };
      asked.onerror = () => resolve(null);
    } catch { resolve(null); }
  });
  return opened;
}

const memory = new Map();
let count = 0;

// What is only in this page goes with it.
addEventListener('beforeunload', (event) => { if (memory.size) event.preventDefault(); });

/** A transaction; null where nothing is stored. One that was closed since it was opened is opened again. */
async function begin(mode) {
  const db = await open();
  if (!db) return null;
  try { return db.transaction('entries', mode); } catch {
    opened = undefined;
    return (await open())?.transaction('entries', mode) ?? null;
  }
}

async function put(entry) {
  const write = await begin('readwrite');
  if (!write) {
    const kept = { order: ++count, ...entry };
    memory.set(kept.order, kept);
    return;
  }
  write.objectStore('entries').put(entry);
  await new Promise((resolve, reject) => { write.oncomplete = resolve; write.onabort = () => reject(write.error); });
  flag(true);
}

async function drop(entry) {
  const write = await begin('readwrite');
  if (!write) { memory.delete(entry.order); return; }
  await done(write.objectStore('entries').delete(entry.order));
}

/** What waits or was refused, the oldest first; of one room if it is named. */
export async function entries(room) {
  const read = await begin('readonly');
  const all = read ? await done(read.objectStore('entries').getAll()) : [...memory.values()];
  if (!all.length) flag(false); // what waits for somebody else of this browser waits on
  const mine = all.filter((entry) => entry.me === me);
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

/** heard({room, sent?: {client_id, message?}, refused?: code}) after every change, whichever tab made it. */
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
    if (refused?.code === 'rate_limited' || refused?.code === 'unauthenticated') return 'later';
    if (refused?.code && refused.code !== 'unavailable') return { why: refused.detail ?? '', code: refused.code };
  }
  // No socket, or one that does not answer: the same by HTTP, with the same client_id.
  try {
    const response = await request(`/api/v1/rooms/${room}/messages`, {
      method: 'POST', accept: 'application/json', json: { body, client_id: client, ...extra }, signal: AbortSignal.timeout?.(ANSWER_WITHIN * 2),
    });
    if (response.ok) return { sent: { client_id: client, message: await response.json() } };
    if (response.status === 401 || response.status === 429 || response.status >= 500) return 'later';
    if (response.status === 403 && await outdated()) return 'later';
    const findings = response.status === 409;
    return { why: await refusal(response), code: findings ? 'confirm' : 'invalid' };
  } catch { return 'later'; }
}

/** Whether this page's token is of a session that has ended; with the new one of the same member it goes on. */
async function outdated() {
  const response = await request('/rooms');
  if (!response.ok) return true;
  const page = response.redirected ? null : parse(await response.text());
  const now = page?.querySelector('meta[name="me"]');
  if (now?.dataset.id !== meta?.dataset.id) { signedOut = true; return true; }
  const [token, own] = [page.querySelector('meta[name="csrf"]'), document.querySelector('meta[name="csrf"]')];
  if (!token || !own || token.content === own.content) return false;
  own.content = token.content;
  return true;
}

/** Says so where no part of the page shows it. */
function sayRefused({ client_id: client, why }) {
  if (!document.querySelector(`[data-client="${CSS.escape(client)}"]`)) toast(word('notSent', { why }), 12);
}

let signedOut = false;

async function drain() {
  for (;;) {
    if (signedOut) return false;
    const next = (await entries()).find((entry) => entry.state === 'waiting');
    if (!next) return true;
    const answer = await deliver(next);
    if (answer === 'later') return false;
    if (answer.sent) {
      await drop(next);
      tell({ room: next.room, sent: { client_id: next.client_id, message: answer.sent.message } });
    } else {
      const refused = { ...next, state: 'refused', why: answer.why, code: answer.code };
      await put(refused);
      tell({ room: next.room, refused: answer.code });
      setTimeout(() => sayRefused(refused), 500); // the pages that show it have been told by then
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
  if (signedOut) return;
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

onState((state) => {
  if (state === 'signed-out') signedOut = true;
  if (state === 'online') { tries = 0; flush(); }
});
addEventListener('online', () => { tries = 0; flush(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden) flush(); });
flush();
