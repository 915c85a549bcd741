// Loaded on every page. Everything here is a comfort: without it the page still works.
import { word, lang } from './words.js';
import { ask, el, icon, show, toast } from './dom.js';
import { arrived } from './drafts.js';

const root = document.documentElement;
arrived();

// Theme. The cookie lets the server paint the right one at once; localStorage outlives the cookie.
const dark = matchMedia('(prefers-color-scheme: dark)');
const shade = () => root.dataset.theme || (dark.matches ? 'dark' : 'light');

function keep(theme) {
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
  try { localStorage.setItem('theme', theme); } catch { /* storage may be off */ }
}

function paint() {
  for (const button of document.querySelectorAll('[data-theme-toggle]')) button.setAttribute('aria-pressed', String(shade() === 'dark'));
}

try {
  const stored = localStorage.getItem('theme');
  if (stored && stored !== root.dataset.theme) { root.dataset.theme = stored; keep(stored); }
} catch { /* storage may be off */ }
paint();
dark.addEventListener('change', paint);

// Relative times, refreshed while younger than a week. A time without a title is exact and left alone.
const relative = new Intl.RelativeTimeFormat(lang, { numeric: 'auto' });
const UNITS = [[60, 'second', 1], [3600, 'minute', 60], [86400, 'hour', 3600], [604800, 'day', 86400]];

function refreshTimes() {
  for (const time of document.querySelectorAll('time[title]')) {
    const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
    const age = Math.abs(seconds);
    const [, unit, size] = UNITS.find(([limit]) => age < limit) ?? [];
    if (!unit) continue;
    const said = relative.format(unit === 'second' ? 0 : Math.trunc(seconds / size), unit);
    if (time.textContent !== said) time.textContent = said;
  }
}
setInterval(() => { if (!document.hidden) refreshTimes(); }, 60_000);
document.addEventListener('visibilitychange', () => { if (!document.hidden) refreshTimes(); });

// Clicks: theme, shortcuts, copying, menus that close.
document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (!menu.contains(event.target) || event.target.closest('.menu-body button, .menu-body a')) menu.open = false;
  }
  const button = event.target.closest('button');
  if (!button) return;
  if (button.matches('[data-theme-toggle]')) {
    root.dataset.theme = shade() === 'dark' ? 'light' : 'dark';
    keep(root.dataset.theme);
    paint();
  } else if (button.matches('[data-shortcuts]')) {
    showShortcuts();
  } else if (button.matches('[data-copy]')) {
    copy(new URL(button.dataset.copy, location.href).href);
  } else if (button.matches('[data-copy-text]')) {
    copy(document.getElementById(button.dataset.copyText)?.textContent ?? '');
  }
});

function copy(text) {
  // Absent outside https and localhost.
  navigator.clipboard?.writeText(text).then(() => toast(word('copied')), () => toast(word('failed')));
}

// Confirmation. In the capture phase: it has to come before whoever sends the form by fetch.
let agreed = null;
document.addEventListener('submit', (event) => {
  const leaver = event.submitter?.dataset.unsent ? event.submitter : null;
  if (leaver && localStorage.getItem('outbox')) leaver.dataset.confirm = leaver.dataset.unsent;
  const asker = event.submitter?.dataset.confirm ? event.submitter : event.target.dataset.confirm ? event.target : null;
  if (!asker || agreed === asker) { agreed = null; return; }
  event.preventDefault();
  event.stopImmediatePropagation();
  const form = event.target;
  const submitter = event.submitter;
  ask({
    title: asker.dataset.confirm,
    text: asker.dataset.confirmText,
    yes: asker.dataset.confirmYes,
    danger: [asker, submitter].some((each) => each?.matches('.is-danger, .btn-danger')),
  }).then((yes) => {
    if (!yes) return;
    agreed = asker;
    form.requestSubmit(submitter?.isConnected ? submitter : undefined);
  });
}, true);

// Who leaves takes the unsent texts along.
document.addEventListener('submit', (event) => {
  if (event.defaultPrevented || !event.target.action.endsWith('/logout')) return;
  for (const store of [localStorage, sessionStorage]) {
    for (const name of Object.keys(store)) if (name.startsWith('draft:') || name === 'outbox') store.removeItem(name);
  }
  indexedDB.deleteDatabase('praxis-outbox');
});

// Prefetch on pointer-down: the tenth of a second before the click is enough for a local page.
// Only for visitors: a member's pages are `no-store`, and would be fetched twice.
const fetched = new Set([location.href]);
document.addEventListener('pointerdown', (event) => {
  const link = event.target.closest?.('a[href]');
  if (!link || event.button !== 0 || link.origin !== location.origin || link.target || link.hasAttribute('download')) return;
  const address = link.href.split('#')[0];
  if (document.querySelector('meta[name="csrf"]') || fetched.has(address) || address === location.href.split('#')[0] || navigator.connection?.saveData) return;
  fetched.add(address);
  document.head.append(el('link', { rel: 'prefetch', href: address }));
}, { passive: true });

// Keyboard.
function showShortcuts() {
  const sheet = document.getElementById('shortcuts');
  if (!sheet || document.querySelector('dialog[open]')) return;
  show(el('dialog', { 'aria-labelledby': 'shortcuts-title' },
    el('form', { method: 'dialog', class: 'dialog-head' },
      el('h2', { id: 'shortcuts-title' }, word('shortcuts')),
      el('button', { class: 'btn btn-quiet btn-icon', 'aria-label': word('close') }, icon('close'))),
    sheet.content.cloneNode(true)));
}

const stops = () => [...document.querySelectorAll('[data-row], article[data-post], article.msg[id]')].filter((stop) => stop.offsetParent);
const current = () => document.activeElement?.closest?.('[data-row], article[data-post], article.msg[id]');

function step(by) {
  const all = stops();
  const here = all.indexOf(current());
  const below = () => all.findIndex((stop) => stop.getBoundingClientRect().top > 60);
  const next = all[here < 0 ? Math.max(0, below()) : here + by];
  if (!next) return;
  const target = next.querySelector('.row-title a') ?? next;
  if (target === next) next.tabIndex = -1;
  target.focus({ preventScroll: true });
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  next.scrollIntoView({ block: next.offsetHeight > innerHeight * 0.7 ? 'start' : 'nearest', behavior: calm ? 'auto' : 'smooth' });
}

const PLACES = { h: '/', s: '/spaces', l: '/library', p: '/people' };
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => current()?.querySelector('.row-title a')?.click(),
  c: () => {
    const text = document.querySelector('form[data-composer] textarea[data-markdown], form[data-chat] textarea');
    if (text) text.focus();
    else document.querySelector('[data-key="c"]')?.click();
  },
  r: () => (current()?.querySelector('[data-reply]') ?? document.querySelector('.is-opening [data-reply]'))?.click(),
  e: () => current()?.querySelector('[data-edit]')?.click(),
  '?': showShortcuts,
};
let going = 0;

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    const menu = document.querySelector('details.menu[open]');
    if (menu) { event.preventDefault(); menu.open = false; menu.querySelector('summary')?.focus(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (event.target.closest?.('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable], dialog, [role="listbox"]')) return;
  const wasGoing = Date.now() - going < 1500;
  going = 0;
  if (wasGoing && PLACES[event.key]) {
    event.preventDefault();
    location.assign(PLACES[event.key]);
  } else if (event.key === 'g') {
    going = Date.now();
  } else if (Object.hasOwn(KEYS, event.key)) {
    event.preventDefault();
    KEYS[event.key]();
  }
});

// A row of tabs that is too long for its page shows the one that is open.
for (const tabs of document.querySelectorAll('.tabs')) {
  const open = tabs.querySelector('[aria-current]');
  if (open && tabs.scrollWidth > tabs.clientWidth) tabs.scrollLeft = open.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - open.offsetWidth) / 2;
}

// After a refused form the summary of its errors comes first.
document.querySelector('[data-autofocus]')?.focus();

// The rest, only where it is used. A hub that restarts just then has it a moment later.
const PAUSES = [500, 1000, 2000, 4000, 8000];
async function load(script) {
  for (const pause of PAUSES) {
    try { return await import(script); } catch { await new Promise((wake) => { setTimeout(wake, pause); }); }
  }
  return import(script);
}
if (document.querySelector('[data-composer], [data-complete]')) load('./composer.js').then((module) => module.enhance(document));
if (document.querySelector('main[data-topic]')) load('./topic.js');
if (document.querySelector('main[data-room]')) load('./room.js');
if (document.querySelector('.log.is-still')) load('./still.js');
if (document.querySelector('[data-refused]')) load('./refused.js');
if (document.querySelector('main[data-library], form[data-share]')) load('./library.js');
if (document.querySelector('meta[name="me"]')) load('./side.js');
if (document.querySelector('[data-find], .find-form')) load('./find.js');
