// How far one has read: told to the server when the newest message is in sight, unless unread ones
// lie above this page. It counts once the server has said so; a mark lost on the way is told again.
import { request } from './dom.js';
import { live, onState } from './socket.js';
import { views } from './views.js';

const main = document.querySelector('main[data-room]');
const { room } = main.dataset;
let newest = Number(main.dataset.head);
let marked = Number(main.dataset.read || 0);
let confirmed = marked;
let marking = 0;

const column = () => views().find((view) => !view.thread);
const above = () => main.querySelector('.unread-above');

/** Something with this seq is in the room. */
export function reached(seq) { newest = Math.max(newest, seq); }

/** History was rewound or skipped to this head. */
export function rewound(head) {
  newest = head;
  marked = Math.min(marked, head);
  confirmed = Math.min(confirmed, head);
}

const due = () => {
  const view = column();
  return Boolean(view) && !above() && !document.hidden && view.log.atEnd() && newest > marked;
};

export function read() {
  if (marking || !due()) return;
  marking = setTimeout(() => {
    marking = 0;
    if (due()) mark(newest);
  }, 400);
}

function mark(seq) {
  marked = seq;
  if (live.send({ type: 'read', room, seq })) return;
  request(`/api/v1/rooms/${room}/read`, { method: 'PUT', json: { seq }, accept: 'application/json' })
    .then((response) => { if (response.ok) confirmed = Math.max(confirmed, seq); })
    .catch(() => { /* told again when the connection is back */ });
}

/** The way to the first unread message is no longer needed. */
export function settled() {
  above()?.remove();
  read();
}

/** The first unread message has come into sight. */
export function looked(view) {
  if (view.thread || !above()) return;
  const line = view.log.root.querySelector('[data-new]')?.getBoundingClientRect();
  const box = view.log.scroll.getBoundingClientRect();
  if (line && line.bottom > box.top && line.top < box.bottom) settled();
}

/** Everything was marked as read, by the menu or by the button above. */
export function readAll() {
  const focused = above()?.contains(document.activeElement);
  above()?.remove();
  if (focused) column()?.log.scroll.focus({ preventScroll: true });
  marked = confirmed = Math.max(marked, newest);
  column()?.count(0);
}

onState((state) => { if (state === 'online' && marked > confirmed) mark(marked); });

// Told on one's own stream, wherever one has read.
document.addEventListener('praxis:read', ({ detail }) => {
  if (detail.room !== room) return;
  confirmed = Math.max(confirmed, detail.read_seq);
  marked = Math.max(marked, detail.read_seq);
  if (detail.read_seq < newest) return;
  above()?.remove();
  column()?.count(0);
});

document.addEventListener('visibilitychange', () => {
  const view = column();
  if (!document.hidden) {
    for (const each of views()) if (each.log.atEnd()) each.seen();
  } else if (view?.log.atEnd() && !above() && newest <= marked && view.log.newAfter !== null) {
    // All of it was read: what comes now is new.
    view.log.newAfter = null;
    view.log.keep(() => view.log.arrange());
  }
});
