// The one socket of a page. Whoever needs it subscribes here, so that a page has one connection
// and says once that it is lost.
import { word } from './words.js';
import { el } from './dom.js';
import { Live } from './live.js';

const framed = new Set();
const stated = new Set();
const line = document.querySelector('[data-connection]');
let broken = 0;

function say(state, member) {
  if (state === 'connecting' || !line) return;
  clearTimeout(broken);
  if (state === 'online') {
    if (line.textContent) { line.textContent = word('online'); broken = setTimeout(() => { line.textContent = ''; }, 2000); }
  } else if (state === 'offline') {
    // A short gap heals unseen.
    broken = setTimeout(() => { line.textContent = word('reconnecting'); }, line.textContent ? 0 : 2000);
  } else if (state === 'signed-out') {
    const here = location.pathname + location.search;
    // With a member: somebody else's session has taken the place of this page's.
    if (member) line.replaceChildren(`${word('otherAccount')} `, el('a', { href: here }, word('loadAgain')));
    else line.replaceChildren(`${word('signedOut')} `, el('a', { href: `/login?next=${encodeURIComponent(here)}` }, word('signIn')));
  }
}

export const live = new Live({
  member: document.querySelector('meta[name="me"]')?.dataset.id,
  onState(state, member) {
    say(state, member);
    for (const heard of stated) heard(state, member);
  },
  onFrame(frame) { for (const heard of framed) heard(frame); },
});

/** Hears every frame that is not part of a stream: presence, typing, activity. */
export const onFrame = (heard) => framed.add(heard);

/** Hears 'connecting', 'online', 'offline', 'signed-out', 'closed'. */
export const onState = (heard) => stated.add(heard);
