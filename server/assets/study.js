// A case study or a playbook that is read: which part is in view, printing, and what is new. Who
// stands behind a study and who uses it is brought up to date in place; a new revision never
// changes what is being read, but says that it is there.
import { el, parse, request } from './dom.js';
import { live } from './socket.js';
import { word } from './words.js';

const links = [...document.querySelectorAll('[data-toc] a[href^="#"]')];
const parts = links.map((link) => document.getElementById(link.hash.slice(1)));

function mark() {
  const line = innerHeight * 0.3;
  let at = -1;
  parts.forEach((part, index) => { if (part && part.getBoundingClientRect().top <= line) at = index; });
  if (at >= 0 && innerHeight + scrollY >= document.documentElement.scrollHeight - 4) at = links.length - 1;
  links.forEach((link, index) => {
    if (index === at) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  });
  const list = links[at]?.closest('[data-toc]');
  const row = links[at];
  if (list && (row.offsetTop < list.scrollTop || row.offsetTop + row.offsetHeight > list.scrollTop + list.clientHeight)) {
    list.scrollTop = row.offsetTop - list.clientHeight / 2;
  }
}

let due = 0;
addEventListener('scroll', () => { if (!due) due = requestAnimationFrame(() => { due = 0; mark(); }); }, { passive: true });
if (links.length) mark();

// A link to a folded form opens it.
function unfold() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target && target.matches('details')) target.open = true;
}
addEventListener('hashchange', unfold);
unfold();

document.querySelector('[data-print]')?.addEventListener('click', () => print());

// ---- Live

const main = document.querySelector('main[data-stream]');
const line = main?.querySelector('[data-renew]');

/** Something else is here now than what is being read: whoever wants it asks for it. */
function offer() {
  if (line.querySelector('.note')) return;
  const show = el('a', { class: 'btn btn-small', href: location.pathname + location.search }, word('showChanges'));
  line.replaceChildren(el('p', { class: 'note is-info' }, el('span', {}, word('pageChanged')), show));
}

/** What stands around the text is renewed; not while somebody writes in it. */
async function renew() {
  const response = await request(location.href);
  if (!response.ok) return;
  const page = parse(await response.text());
  let moved = false;
  for (const which of ['#endorsements', '#used-at', '.study-head .topic-meta', '.aside']) {
    const [old, fresh] = [document.querySelector(which), page.querySelector(which)];
    if (!old || !fresh || old.innerHTML === fresh.innerHTML) continue;
    if (old.querySelector('details.fold-form[open]') || old.contains(document.activeElement)) { offer(); continue; }
    old.replaceWith(fresh);
    moved = true;
  }
  if (moved && !line.querySelector('.note')) {
    const said = el('p', { class: 'sr' }, word('libraryChanged'));
    line.replaceChildren(said);
    setTimeout(() => said.remove(), 4000);
  }
}

if (main && main.hasAttribute('data-signed-in')) {
  const mine = main.dataset.reading;
  const text = /^(study\.(published|retired)|playbook\.changed)$/;
  let waiting = 0;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(() => { renew().catch(() => {}); }, 200); };
  live.subscribe(main.dataset.stream, {
    since: Number(main.dataset.head),
    epoch: main.dataset.epoch,
    onEvents(items) {
      const about = mine ? items.filter((item) => item.data?.id === mine) : items;
      if (about.some((item) => text.test(item.event))) offer();
      else if (mine && about.length) soon();
    },
    onReset: offer,
    onLost: offer,
  });
}
