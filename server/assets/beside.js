// The head of a room, and what stands beside it where there is space for that: fetched again when
// the room has changed.
import { parse, request } from './dom.js';
import { here } from './presence.js';
import { selecting } from './choose.js';
import { idOf } from './log.js';
import { renew } from './renew.js';
import { openThread } from './thread.js';
import { mayNot } from './views.js';

const SPREAD = 4000;
const main = document.querySelector('main[data-room]');
let timer = 0;
let turns = 0;

/** Everybody in the room hears of a change at once; each asks a little later, once. */
export function renewHeadSoon() {
  timer ||= setTimeout(renewHead, Math.random() * SPREAD);
}

/** What only this member hears of shows at once; several in a row ask once. */
export function renewHeadNow() {
  clearTimeout(timer);
  timer = setTimeout(renewHead, 200);
}

/** A room that has moved is read on at its new address; what was typed comes along. */
export function follows({ slug }) {
  const { page, space } = main.dataset;
  if (!slug || !space || page === `/s/${space}/chat/${slug}`) return;
  location.replace(location.href.replace(page, `/s/${space}/chat/${slug}`));
}

/** Where one may not write any more, the reason stands in place of the field; what was typed stays in it. */
function mayWrite(no) {
  const could = !mayNot();
  const reason = no?.textContent.trim();
  for (const foot of document.querySelectorAll('.room-foot')) {
    const form = foot.querySelector('form[data-chat]');
    const said = foot.querySelector('[data-no-say]');
    if (!no && !form) {
      // What came without a field gets one by coming again: the page, or the thread beside it.
      if (main.contains(foot)) { location.reload(); return; }
      openThread(foot.closest('[data-view]').dataset.view).catch(() => { /* it is opened again by hand */ });
      continue;
    }
    if (said?.textContent.trim() === reason) continue;
    if (form?.contains(document.activeElement)) foot.closest('[data-view]').querySelector('[data-scroll]').focus();
    said?.remove();
    if (no) foot.append(no.cloneNode(true));
    if (form) form.hidden = Boolean(no);
  }
  if (could === !no) return;
  // They come again with what one may do now.
  const acts = document.querySelector('.msg-acts');
  if (acts?.contains(document.activeElement)) acts.parentElement.querySelector('.msg-more')?.focus();
  acts?.remove();
  if (no) {
    main.querySelector('[data-announce]').textContent = reason;
    selecting(false);
  } else renew([...document.querySelectorAll('.msg[id]:has(span.reaction)')].map(idOf));
}

const nameIn = (head) => head.querySelector('h1 > :is(span, a):not(.presence, .label)')?.textContent ?? '';

/** The name of a room stands in the title of the page and at its field, too. */
function rename(old, name) {
  if (!old || !name || old === name) return;
  const changed = (text, end = text.length) => {
    const at = text.lastIndexOf(old, end - old.length);
    return at < 0 ? text : text.slice(0, at) + name + text.slice(at + old.length);
  };
  document.title = changed(document.title, document.title.lastIndexOf(' – '));
  const field = main.querySelector('form[data-chat] textarea');
  if (!field) return;
  field.placeholder = changed(field.placeholder);
  field.labels[0].textContent = field.placeholder;
}

export async function renewHead() {
  clearTimeout(timer);
  timer = 0;
  const turn = ++turns;
  try {
    const beside = document.querySelector('.room-aside');
    const whole = Boolean(beside?.offsetWidth);
    const tab = main.querySelector('[data-view=""]') ? '' : '&tab=thread';
    const response = await request(`${main.dataset.page}?fragment=${whole ? 'beside' : 'head'}${tab}`);
    if (!response.ok) return;
    const now = parse(await response.text());
    if (turn !== turns) return; // an answer that was asked for later says more
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
