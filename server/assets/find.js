// Search from everywhere: suggestions under the box of the bar, and the quick switcher (Ctrl-K).
// Without it the box is a form that leads to the page of results.
import { word } from './words.js';
import { el, icon, request, show } from './dom.js';

const WAIT = 90;
const KINDS = {
  topic: ['discussion', 'kindTopic'], post: ['reply', 'kindPost'], message: ['rooms', 'kindMessage'], room: ['rooms', 'kindRoom'], playbook: ['study', 'kindPlaybook'],
  case_study: ['study', 'kindCaseStudy'], resource: ['clip', 'kindResource'], member: ['user', 'kindMember'], space: ['spaces', 'kindSpace'],
};
let ids = 0;

/** A combobox whose options are places: Enter leads to the one that is marked. */
function combobox(field, host, { kind, open }) {
  const id = `found-${++ids}`;
  const list = el('ul', { class: 'listbox', id, role: 'listbox', 'aria-label': word('suggest'), hidden: true });
  const status = el('p', { class: 'sr', role: 'status' });
  host.append(list, status);
  for (const [name, value] of [['role', 'combobox'], ['aria-autocomplete', 'list'], ['aria-expanded', 'false'], ['aria-controls', id], ['autocomplete', 'off']]) field.setAttribute(name, value);
  let active = -1;
  let timer, asking;

  function close() {
    clearTimeout(timer);
    asking?.abort();
    list.hidden = true;
    active = -1;
    field.setAttribute('aria-expanded', 'false');
    field.removeAttribute('aria-activedescendant');
    status.textContent = '';
  }

  function mark(index) {
    const options = list.children;
    options[active]?.setAttribute('aria-selected', 'false');
    // One step beyond the last is the field itself: Enter then searches for what stands there.
    active = index < -1 ? options.length - 1 : index >= options.length ? -1 : index;
    const option = options[active];
    if (!option) { field.removeAttribute('aria-activedescendant'); return; }
    option.setAttribute('aria-selected', 'true');
    option.scrollIntoView({ block: 'nearest' });
    field.setAttribute('aria-activedescendant', option.id);
  }

  function draw(items) {
    list.replaceChildren(...items.map((item, index) => {
      // A kind that this script is too old for is shown as what it is called.
      const [sign, key] = KINDS[item.kind] ?? ['search', null];
      const kindOf = key ? word(key) : item.kind;
      const detail = [kindOf, item.kind === 'space' ? null : item.space_name].filter(Boolean).join(', ');
      const option = el('li', { class: 'is-found', role: 'option', id: `${id}-${index}`, 'aria-selected': 'false' },
        icon(sign), el('span', {}, el('b', {}, item.title || kindOf), el('small', {}, detail)));
      option.dataset.url = item.url;
      return option;
    }));
    active = -1;
    list.hidden = !items.length;
    field.setAttribute('aria-expanded', String(items.length > 0));
    status.textContent = items.length ? word('suggestions', { n: items.length }) : '';
    if (open && items.length) mark(0);
  }

  async function ask(q) {
    asking?.abort();
    asking = new AbortController();
    try {
      const query = new URLSearchParams({ q, ...(kind ? { kind } : {}) });
      const response = await request(`/api/v1/search/suggest?${query}`, { accept: 'application/json', signal: asking.signal });
      const { items = [] } = response.ok ? await response.json() : {};
      if (field.value.trim() === q) draw(items);
    } catch (error) {
      if (error.name !== 'AbortError') close();
    }
  }

  field.addEventListener('input', () => {
    clearTimeout(timer);
    const q = field.value.trim();
    if (q.length < 2) { close(); return; }
    timer = setTimeout(() => ask(q), WAIT);
  });
  field.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    if (event.key === 'Escape' && !list.hidden) { close(); if (!open) event.stopPropagation(); else return; }
    else if (list.hidden) return;
    else if (event.key === 'ArrowDown') mark(active + 1);
    else if (event.key === 'ArrowUp') mark(active - 1);
    else if (event.key === 'Enter' && active >= 0) location.assign(list.children[active].dataset.url);
    else return;
    event.preventDefault();
  });
  field.addEventListener('blur', () => { if (!open) close(); });
  list.addEventListener('mousedown', (event) => event.preventDefault());
  list.addEventListener('click', (event) => {
    const option = event.target.closest('[role="option"]');
    if (option) location.assign(option.dataset.url);
  });
}

const box = document.querySelector('[data-find]');
if (box) combobox(box.querySelector('input'), box, {});

function toBox() {
  const field = [box?.querySelector('input'), document.querySelector('.find-form input[name="q"]')].find((one) => one?.offsetParent);
  if (field) { field.focus(); field.select(); } else location.assign('/search');
}

function switcher() {
  if (document.querySelector('dialog[open]')) return;
  const field = el('input', { id: 'switch-q', type: 'text', autofocus: true, maxlength: '200', spellcheck: 'false', placeholder: word('switchPlaceholder') });
  const dialog = el('dialog', { class: 'switcher', 'aria-labelledby': 'switch-label' });
  dialog.append(el('label', { id: 'switch-label', for: 'switch-q' }, word('switchTo')), field);
  show(dialog);
  combobox(field, dialog, { kind: 'space,room,member,playbook', open: true });
  field.focus();
}

document.addEventListener('keydown', (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    switcher();
  } else if (event.key === '/' && !event.ctrlKey && !event.metaKey && !event.altKey
    && !event.target.closest?.('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable], dialog')) {
    event.preventDefault();
    toBox();
  }
});
