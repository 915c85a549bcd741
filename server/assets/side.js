// What a signed-in page tells live wherever one is: rooms with something new, and notices.
import { word } from './words.js';
import { el, icon, parse, request } from './dom.js';
import { live, onFrame } from './socket.js';

const me = document.querySelector('meta[name="me"]');
const bell = document.querySelector('[data-bell]');
const line = document.querySelector('[data-told]');

/** Shows a count in every place that shows it; nothing for 0. */
function show(places, n, key) {
  for (const place of places) {
    place.hidden = n === 0;
    place.querySelector('[data-n]').textContent = n > 99 ? '99+' : String(n);
    place.querySelector('.sr').textContent = ` ${word(key, { n })}`;
  }
}

function room(id, { unread, mentions, muted }) {
  for (const link of document.querySelectorAll(`[data-side-room="${CSS.escape(id)}"]`)) {
    const n = muted ? mentions : unread;
    link.classList.toggle('is-unread', n > 0);
    const count = link.querySelector('[data-unread]');
    count.classList.toggle('is-mention', mentions > 0);
    show([count], n, mentions > 0 ? 'mentions' : 'unread');
  }
  const waiting = [...document.querySelectorAll('.side [data-side-room].is-unread')].length;
  show(document.querySelectorAll('[data-rooms-unread]'), waiting, 'roomsUnread');
}

// ---- Activity in rooms: what is unread is asked for, at most every two seconds

let asked = 0;
let timer = 0;

/** A room that was not in the sidebar when the page came, such as a conversation that has just begun. */
function add({ id, space, slug, name, mine }) {
  const list = document.querySelector(`[aria-labelledby="${slug ? 'nav-rooms' : 'nav-direct'}"] ul`);
  if (!list || document.querySelector(`[data-side-room="${CSS.escape(id)}"]`)) return;
  const count = el('span', { class: 'unread', 'data-unread': true, hidden: true }, el('span', { 'data-n': true }), el('span', { class: 'sr' }));
  const link = el('a', { href: slug ? `/s/${space}/chat/${slug}` : `/direct/${id}`, 'data-side-room': id, 'data-muted': mine.muted }, icon(slug ? 'rooms' : 'user'), el('span', {}, name), count);
  list.lastElementChild.before(el('li', {}, link));
}

async function renew() {
  timer = 0;
  asked = Date.now();
  try {
    const response = await request('/api/v1/rooms', { accept: 'application/json' });
    if (!response.ok) return;
    for (const each of (await response.json()).items) {
      if (!each.mine) continue;
      if (each.mine.unread > 0) add(each);
      for (const link of document.querySelectorAll(`[data-side-room="${CSS.escape(each.id)}"]`)) link.toggleAttribute('data-muted', each.mine.muted);
      room(each.id, each.mine);
    }
  } catch { /* the next activity asks again */ }
}

function soon() {
  timer ||= setTimeout(renew, Math.max(250, 2000 - (Date.now() - asked)));
}

document.addEventListener('praxis:rooms', soon);
onFrame((frame) => { if (frame.type === 'activity') soon(); });

// ---- Notices

function notices(n) {
  if (bell && Number.isInteger(n)) show([bell.querySelector('[data-unread]')], n, 'newNotices');
}

/** The page of notices shows a new one without a reload. */
async function list() {
  const place = document.querySelector('[data-notices]');
  if (!place || place.contains(document.activeElement)) return;
  try {
    const response = await request('/notices');
    if (response.ok) place.replaceWith(parse(await response.text()).querySelector('[data-notices]'));
  } catch { /* the next one asks again */ }
}

live.subscribe(`member:${me.dataset.id}`, {
  onEvents(items) {
    for (const { event, data } of items) {
      if (event === 'read.moved') {
        const muted = document.querySelector(`[data-side-room="${CSS.escape(data.room)}"]`)?.dataset.muted !== undefined;
        room(data.room, { ...data, muted });
      }
      if (event === 'notice.created' || event === 'notice.read') notices(data.unread);
      if (event === 'notice.created' && line) {
        line.textContent = word('told', { name: data.actor?.display_name ?? '', title: data.title ?? '' });
        list();
        if (data.room) soon();
      }
    }
  },
  onReset: () => renew(),
});

// What was typed in a room while there was no connection goes out from any page.
try {
  if (localStorage.getItem('outbox')) import('./outbox.js');
} catch { /* storage may be off */ }
