// Completion of @members, #tags and :emoji by their names: a list under the caret, driven from the field by arrow keys.
import { word } from './words.js';
import { el, request } from './dom.js';

const WAIT = 120;
let ids = 0;

/**
 * In a text: `kinds` maps the sign to what it completes ({'@': 'member', '#': 'tag', ':': 'emoji'}).
 * In a one-line field of space-separated values: `kind`.
 */
export function complete(field, { kinds, kind, space }) {
  const id = `complete-${++ids}`;
  const list = el('ul', { class: 'listbox', id, role: 'listbox', 'aria-label': word('suggest'), hidden: true });
  const status = el('p', { class: 'sr', role: 'status' });
  const host = field.closest('[data-write], .field') ?? field.parentElement;
  host.append(list, status);
  field.setAttribute('aria-autocomplete', 'list');
  field.setAttribute('autocomplete', 'off');
  if (field.tagName === 'INPUT') { field.setAttribute('role', 'combobox'); field.setAttribute('aria-expanded', 'false'); field.setAttribute('aria-controls', id); }

  let found = null; // {from, to, kind, q} of what is being typed
  let active = 0;
  let timer, asking;

  const open = () => !list.hidden;

  function close() {
    clearTimeout(timer);
    asking?.abort();
    list.hidden = true;
    field.removeAttribute('aria-activedescendant');
    if (field.hasAttribute('aria-expanded')) field.setAttribute('aria-expanded', 'false');
    else field.removeAttribute('aria-controls');
    status.textContent = '';
  }

  function look() {
    const to = field.selectionStart;
    if (to !== field.selectionEnd) return null;
    const before = field.value.slice(0, to);
    const match = kinds ? /(?:^|[\s(>])([@#]|:(?=..))([\p{L}\p{N}_+-]{1,30})$/u.exec(before) : /(?:^|\s)(#?)([\p{L}\p{N}_-]{1,30})$/u.exec(before);
    if (!match || (kinds && !kinds[match[1]])) return null;
    const [, sign, q] = match;
    return { from: to - q.length - sign.length, to, q, sign: kinds ? sign : '', kind: kinds ? kinds[sign] : kind };
  }

  async function ask(at) {
    asking?.abort();
    asking = new AbortController();
    try {
      const query = new URLSearchParams({ kind: at.kind, q: at.q, ...(space ? { space } : {}) });
      const response = await request(`/complete?${query}`, { accept: 'application/json', signal: asking.signal });
      const { items = [] } = response.ok ? await response.json() : {};
      if (found !== at) return;
      if (items.length) draw(items);
      else close();
    } catch (error) {
      if (error.name !== 'AbortError') close();
    }
  }

  function draw(items) {
    list.replaceChildren(...items.map((item, index) => {
      const option = el('li', { role: 'option', id: `${id}-${index}`, 'aria-selected': 'false' },
        `${found.kind === 'emoji' ? '' : found.sign}${item.value}`, el('small', {}, [item.label, item.detail].filter((part) => part && part !== item.value).join(', ')));
      option.dataset.value = item.value;
      return option;
    }));
    list.hidden = false;
    field.setAttribute('aria-controls', id);
    if (field.hasAttribute('aria-expanded')) field.setAttribute('aria-expanded', 'true');
    status.textContent = word('suggestions', { n: items.length });
    mark(0);
    place();
  }

  function mark(index) {
    const options = list.children;
    options[active]?.setAttribute('aria-selected', 'false');
    active = (index + options.length) % options.length;
    options[active].setAttribute('aria-selected', 'true');
    options[active].scrollIntoView({ block: 'nearest' });
    field.setAttribute('aria-activedescendant', options[active].id);
  }

  // Set by property, which a strict CSP allows: where the caret stands is known to nobody else.
  function place() {
    const caret = kinds ? caretIn(field, found.from) : { left: 0, top: 0, line: field.offsetHeight };
    const box = field.getBoundingClientRect();
    const outer = host.getBoundingClientRect();
    const top = box.top - outer.top + caret.top;
    // What cuts it off: the window, a page that scrolls inside, the bar of a small window.
    const bar = document.querySelector('.tabbar')?.getBoundingClientRect();
    const lowest = Math.min(innerHeight, field.closest('.room')?.getBoundingClientRect().bottom ?? innerHeight, bar?.height ? bar.top : innerHeight);
    const above = box.top + caret.top + caret.line + list.offsetHeight > lowest && box.top + caret.top > list.offsetHeight;
    list.style.left = `${Math.max(0, Math.min(box.left - outer.left + caret.left, outer.width - list.offsetWidth))}px`;
    list.style.top = `${above ? top - list.offsetHeight - 4 : top + caret.line + 4}px`;
  }

  function take(option) {
    const value = `${found.kind === 'emoji' ? '' : found.sign}${option.dataset.value} `;
    field.setSelectionRange(found.from, found.to);
    if (!document.execCommand('insertText', false, value)) field.setRangeText(value, found.from, found.to, 'end');
    found = null;
    close();
  }

  field.addEventListener('input', () => {
    found = look();
    if (!found) { close(); return; }
    clearTimeout(timer);
    const at = found;
    timer = setTimeout(() => ask(at), WAIT);
  });
  field.addEventListener('keydown', (event) => {
    if (!open() || event.isComposing) return;
    if (event.key === 'ArrowDown') mark(active + 1);
    else if (event.key === 'ArrowUp') mark(active - 1);
    else if ((event.key === 'Enter' && !event.ctrlKey && !event.metaKey) || event.key === 'Tab') take(list.children[active]);
    else if (event.key === 'Escape') { found = null; close(); }
    else return;
    event.preventDefault();
    event.stopImmediatePropagation(); // the field's own Enter sends
  });
  field.addEventListener('blur', () => { found = null; close(); });
  list.addEventListener('mousedown', (event) => event.preventDefault());
  list.addEventListener('click', (event) => {
    const option = event.target.closest('[role="option"]');
    if (option) take(option);
  });
}

// Where a character of a textarea is drawn: the same text in a copy of its box, measured.
const COPIED = ['boxSizing', 'width', 'paddingTop', 'paddingRight', 'paddingBottom', 'paddingLeft', 'borderTopWidth', 'borderRightWidth',
  'borderBottomWidth', 'borderLeftWidth', 'fontFamily', 'fontSize', 'fontWeight', 'letterSpacing', 'lineHeight', 'tabSize'];

function caretIn(field, index) {
  const style = getComputedStyle(field);
  const copy = el('div', { class: 'mirror', 'aria-hidden': 'true' });
  for (const name of COPIED) copy.style[name] = style[name];
  const here = el('span', {}, field.value.slice(index, index + 1) || '.');
  copy.append(field.value.slice(0, index), here);
  document.body.append(copy);
  const place = { left: here.offsetLeft, top: here.offsetTop - field.scrollTop, line: here.offsetHeight };
  copy.remove();
  return place;
}
