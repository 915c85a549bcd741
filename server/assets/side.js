// What a signed-in page tells live wherever one is: rooms with something new, and notices.
import { word } from './words.js';
import { el, icon, parse, request } from './dom.js';
import { live, onFrame, onState } from './socket.js';

// A list of rooms has so many a page, and no more than so many pages are asked for.
const PAGE = 100;
const PAGES = 5;
// So many rows, and no row is added to a list: what is beyond them is only counted.
const ROWS = 60;
const me = document.querySelector('meta[name="me"]');
const bell = document.querySelector('[data-bell]');
const line = document.querySelector('[data-told]');
const total = document.querySelector('[data-rooms-unread]');
let beyond = Number(total?.dataset.beyond ?? 0); // rooms with something new that the sidebar has no place for
const linksOf = (id) => document.querySelectorAll(`[data-side-room="${CSS.escape(id)}"]`);

/** Shows a count in every place that shows it; nothing for 0. */
function show(places, n, key) {
  for (const place of places) {
    place.hidden = n === 0;
    place.querySelector('[data-n]').textContent = n > 99 ? '99+' : String(n);
    place.querySelector('.sr').textContent = ` ${word(key, { n })}`;
  }
}

/** The counter of a room's row, which has one only while something is new. */
function counter(link) {
  const old = link.querySelector('[data-unread]');
  if (old) return old;
  const count = el('span', { class: 'unread', 'data-unread': true }, el('span', { 'data-n': true }), el('span', { class: 'sr' }));
  link.append(count);
  return count;
}

const waits = ({ unread, mentions, muted }) => (muted ? mentions : Math.max(mentions, unread)) > 0;

function room(id, { unread, mentions, muted }) {
  const n = muted ? mentions : unread;
  for (const link of linksOf(id)) {
    link.classList.toggle('is-unread', n > 0);
    if (n === 0) { link.querySelector('[data-unread]')?.remove(); continue; }
    const count = counter(link);
    count.classList.toggle('is-mention', mentions > 0);
    show([count], mentions > 0 ? mentions : n, mentions > 0 ? 'mentions' : 'unread');
  }
  count();
}

function count() {
  if (!total) return;
  show([total], document.querySelectorAll('.side [data-side-room].is-unread').length + beyond, 'roomsUnread');
}

// ---- Activity in rooms: what is unread is asked for, at most every two seconds

let asked = 0;
let timer = 0;
const joined = new Set(); // rooms that one was let into since the page came
const moved = new Set(); // rooms read while a list is fetched: what it says of them is from before that

/** A room that was not in the sidebar when the page came, such as a conversation that has just begun. */
function add({ id, space, slug, name, private: closed, mine }) {
  const list = document.querySelector(`[aria-labelledby="${slug ? 'nav-rooms' : 'nav-direct'}"] ul`);
  if (!list || list.children.length > ROWS || linksOf(id).length) return;
  const link = el('a', { href: slug ? `/s/${space}/chat/${slug}` : `/direct/${id}`, 'data-side-room': id },
    ...(slug && closed ? [icon('lock')] : []), el('span', {}, name));
  mute(link, mine.muted);
  list.lastElementChild.before(el('li', {}, link));
}

/** What is paler to see is said to hear. */
function mute(link, muted) {
  link.toggleAttribute('data-muted', muted);
  const said = link.querySelector('[data-quiet]');
  if (!muted) said?.remove();
  else if (!said) link.querySelector(':scope > span').after(el('span', { class: 'sr', 'data-quiet': true }, ` ${word('muted')}`));
}

/** A favourite has a star for its sign. */
function star(link, { slug, private: closed, mine: { favourite } }) {
  if (favourite === (link.dataset.starred !== undefined)) return;
  link.toggleAttribute('data-starred', favourite);
  link.querySelector(':scope > .icon')?.remove();
  const sign = favourite ? 'star-filled' : slug && closed && 'lock';
  if (sign) link.prepend(icon(sign));
}

/** Favourites come first, and rooms are in the order of their names, as in a page that comes now. */
function inOrder() {
  for (const list of document.querySelectorAll('[aria-labelledby="nav-rooms"] ul, [aria-labelledby="nav-direct"] ul')) {
    const links = [...list.querySelectorAll(':scope > li > [data-side-room]')];
    const named = list.closest('[aria-labelledby="nav-rooms"]');
    const starred = (link) => Number(link.dataset.starred !== undefined);
    const name = (link) => (named ? link.querySelector(':scope > span').textContent.toLowerCase() : '');
    const sorted = links.toSorted((a, b) => starred(b) - starred(a) || (name(a) < name(b) ? -1 : Number(name(a) > name(b))));
    if (sorted.every((link, at) => link === links[at]) || list.contains(document.activeElement)) continue;
    list.prepend(...sorted.map((link) => link.closest('li')));
  }
}

/** All rooms that one follows; `whole` is false where there are more than a sidebar holds. */
async function followed() {
  const rooms = [];
  let cursor = '';
  for (let page = 0; page < PAGES; page += 1) {
    const response = await request(`/api/v1/rooms?limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, { accept: 'application/json' });
    if (!response.ok) throw response;
    const { items, next_cursor: next } = await response.json();
    rooms.push(...items);
    if (!next) return { rooms, whole: true };
    cursor = next;
  }
  return { rooms, whole: false };
}

async function renew() {
  timer = 0;
  asked = Date.now();
  moved.clear();
  try {
    const { rooms, whole } = await followed();
    for (const each of rooms) {
      if (!each.mine || each.archived) continue;
      if (each.mine.unread > 0 || joined.delete(each.id)) add(each);
      for (const link of linksOf(each.id)) {
        mute(link, each.mine.muted);
        star(link, each);
        if (!each.slug) continue;
        link.href = `/s/${each.space}/chat/${each.slug}`;
        link.querySelector(':scope > span').textContent = each.name;
      }
      if (!moved.has(each.id)) room(each.id, each.mine);
    }
    inOrder();
    beyond = rooms.filter(({ id, archived, mine }) => mine && !archived && !moved.has(id) && waits(mine) && !linksOf(id).length).length;
    count();
    if (!whole) return;
    // What was left is no longer there.
    const still = new Set(rooms.map((each) => each.id));
    for (const link of document.querySelectorAll('[data-side-room]')) {
      if (!still.has(link.dataset.sideRoom)) (link.closest('li') ?? link).remove();
    }
    count();
  } catch { /* the next activity asks again */ }
}

function soon(spread = 0) {
  timer ||= setTimeout(renew, Math.max(250, 2000 - (Date.now() - asked)) + Math.random() * spread);
}

document.addEventListener('praxis:rooms', () => soon());
onFrame((frame) => { if (frame.type === 'activity') soon(); });

// Activity is not repeated: after a lost connection all of it is asked for, by everybody at another moment.
let before = false;
onState((state) => {
  if (state !== 'online') return;
  if (before) soon(4000);
  before = true;
});

// ---- Notices

function notices(n) {
  if (bell && Number.isInteger(n)) show([bell.querySelector('[data-unread]')], n, 'newNotices');
}

/** How many there are, and on their own page which, as a page that comes now says it. */
async function list() {
  try {
    const response = await request('/notices');
    if (!response.ok || response.redirected) return;
    const now = parse(await response.text());
    const shown = now.querySelector('[data-bell] [data-n]')?.textContent ?? '0';
    notices(shown === '99+' ? 100 : Number(shown));
    const place = document.querySelector('[data-notices]');
    const next = now.querySelector('[data-notices]');
    if (place && next && !place.contains(document.activeElement)) place.replaceWith(next);
  } catch { /* the next one asks again */ }
}

function onEvents(items) {
  for (const { event, data } of items) {
    if (event === 'read.moved') {
      moved.add(data.room);
      room(data.room, { ...data, muted: linksOf(data.room)[0]?.dataset.muted !== undefined });
      if (beyond > 0 && !linksOf(data.room).length) soon();
      document.dispatchEvent(new CustomEvent('praxis:read', { detail: data }));
    }
    if (event === 'membership.changed') {
      if (data.room) joined.add(data.room);
      document.dispatchEvent(new CustomEvent('praxis:membership', { detail: data }));
      if (data.space && !data.role) document.querySelector(`.side a[href="/s/${CSS.escape(data.space)}"]`)?.closest('li').remove();
      soon();
    }
    if (event === 'notice.created' || event === 'notice.read') notices(data.unread);
    if (event === 'notice.created') {
      if (line) line.textContent = word('told', { name: data.actor?.display_name ?? '', title: data.title ?? '' });
      if (document.querySelector('[data-notices]')) list();
      if (data.room) soon();
    }
  }
}

live.subscribe(`member:${me.dataset.id}`, {
  since: me.dataset.head === undefined ? undefined : Number(me.dataset.head),
  epoch: me.dataset.epoch,
  onEvents,
  onReset() { soon(); list(); },
});

// What was typed in a room while there was no connection goes out from any page.
try {
  if (localStorage.getItem('outbox')) import('./outbox.js');
} catch { /* storage may be off */ }
