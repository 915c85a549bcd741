// The head of a room, and what stands beside it where there is space for that: fetched again when
// the room has changed.
import { parse, request } from './dom.js';
import { here } from './presence.js';
import { mayNot } from './views.js';

const SPREAD = 4000;
const main = document.querySelector('main[data-room]');
let timer = 0;

/** Everybody in the room hears of a change at once; each asks a little later, once. */
export function renewHeadSoon() {
  timer ||= setTimeout(renewHead, Math.random() * SPREAD);
}

/** Where one may not write any more, the reason stands in place of the field; what was typed stays in it. */
function mayWrite(no) {
  const could = mayNot();
  const feet = [...document.querySelectorAll('.room-foot')];
  // A page that came without a field gets one by coming again.
  if (!no && feet.some((foot) => !foot.querySelector('form[data-chat]'))) { location.reload(); return; }
  for (const foot of feet) {
    const form = foot.querySelector('form[data-chat]');
    const said = foot.querySelector('[data-no-say]');
    if (no && !said) {
      if (form?.contains(document.activeElement)) foot.closest('[data-view]').querySelector('[data-scroll]').focus();
      foot.append(no.cloneNode(true));
    } else if (!no) said?.remove();
    if (form) form.hidden = Boolean(no);
  }
  if (mayNot() !== could) document.querySelector('.msg-acts')?.remove(); // it comes again with what one may do now
}

const nameIn = (head) => head.querySelector('h1 > span:not(.presence, .label)')?.textContent ?? '';

/** The name of a room stands in the title of the page and at its field, too. */
function rename(old, name) {
  if (!old || !name || old === name) return;
  document.title = document.title.replace(old, () => name);
  const field = main.querySelector('form[data-chat] textarea');
  if (!field) return;
  field.placeholder = field.placeholder.replace(old, () => name);
  field.labels[0].textContent = field.placeholder;
}

export async function renewHead() {
  clearTimeout(timer);
  timer = 0;
  try {
    const beside = document.querySelector('.room-aside');
    const whole = Boolean(beside?.offsetWidth);
    const response = await request(`${main.dataset.page}?fragment=${whole ? 'beside' : 'head'}`);
    if (!response.ok) return;
    const now = parse(await response.text());
    mayWrite(now.querySelector('[data-no-say]'));
    const [head, old] = [now.querySelector('[data-room-head]'), main.querySelector('[data-room-head]')];
    // Whoever has a menu of it open is not disturbed.
    if (old?.querySelector('details[open], [aria-expanded="true"]')) { timer ||= setTimeout(renewHead, 2000); return; }
    if (head && old) {
      rename(nameIn(old), nameIn(head));
      const at = old.contains(document.activeElement) ? old.querySelectorAll('a, button, summary') : [];
      const focused = [...at].indexOf(document.activeElement);
      old.replaceWith(head);
      if (focused >= 0) head.querySelectorAll('a, button, summary')[focused]?.focus();
    }
    // The thread that may be open beside it stays.
    const about = now.querySelector('.room-about');
    const place = beside?.querySelector('.room-about');
    if (about && place && !place.contains(document.activeElement)) place.replaceWith(about);
    here();
    document.dispatchEvent(new Event('praxis:rooms'));
  } catch { /* the next change tries again */ }
}
