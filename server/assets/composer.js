// Writing: tabs, toolbar, completion, quotes, drafts. The bare form works without any of it.
import { word } from './words.js';
import { el, icon, parse, request, toast } from './dom.js';
import { complete } from './complete.js';
import * as drafts from './drafts.js';
import { attach } from './upload.js';

let ids = 0;

/** Enhances every composer below `scope` once; call again for a form that came by fetch. */
export function enhance(scope) {
  for (const form of scope.querySelectorAll('form[data-composer]')) {
    if (form.dataset.enhanced !== undefined) continue;
    form.dataset.enhanced = '';
    for (const text of form.querySelectorAll('textarea[data-markdown]')) editor(form, text);
    if (drafts.restore(form)) {
      toast(word('restored'));
      const answered = form.elements.parent_id?.value;
      const post = answered && document.getElementById(`post-${answered}`);
      if (post) replyTo(form, post, { focus: false });
    }
    form.addEventListener('input', () => drafts.save(form));
    // A reply sent by fetch clears its draft once it is accepted, any other when its result is there.
    form.addEventListener('submit', () => { if (!form.dataset.async) drafts.sent(form); });
    form.addEventListener('click', (event) => { if (event.target.closest('[data-reply-cancel]')) replyTo(form, null); });
    for (const text of form.querySelectorAll('textarea')) text.dispatchEvent(new Event('input'));
  }
  for (const input of scope.querySelectorAll('input[data-complete]')) complete(input, { kind: input.dataset.complete });
}

/** Empties a composer after its text was accepted. */
export function reset(form) {
  form.reset();
  drafts.clear(form);
  replyTo(form, null, { focus: false });
  for (const text of form.querySelectorAll('textarea')) text.dispatchEvent(new Event('input'));
}

/** Points the reply composer at a post, or with null at the topic. */
export function replyTo(form, post, { focus = true } = {}) {
  const line = form.querySelector('[data-replying]');
  const opening = !post || post.classList.contains('is-opening');
  form.elements.parent_id.value = opening ? '' : post.dataset.post;
  if (line) {
    line.hidden = opening;
    line.querySelector('[data-replying-to]').textContent =
      opening ? '' : word('replyingTo', { name: post.querySelector('.post-author')?.textContent ?? '' });
  }
  if (!focus) return;
  form.querySelector('textarea')?.focus({ preventScroll: true });
  if (line && !opening) requestAnimationFrame(() => clear(form, post));
}

/** Scrolls a post out from behind the composer that lies over the page's end, its head at most up to the bar. */
function clear(form, post) {
  const over = post.getBoundingClientRect().bottom + 12 - (form.closest('.dock') ?? form).getBoundingClientRect().top;
  const room = post.getBoundingClientRect().top - (document.querySelector('.bar')?.offsetHeight ?? 0) - 8;
  if (over > 0 || room < 0) scrollBy(0, Math.min(over, room));
}

// ---- One text field

function editor(form, text) {
  const box = text.closest('[data-write]');
  const name = `write-${++ids}`;
  const status = el('p', { class: 'sr', role: 'status' });
  const counter = el('p', { class: 'counter', role: 'status' });
  box?.after(counter, status);
  if (box) dress(form, text, box, name);
  if (box && form.dataset.draft) attach(text, box, insert);
  complete(text, { kinds: { '@': 'member', '#': 'tag' }, space: form.dataset.space });

  const limit = text.maxLength;
  const grows = CSS.supports('field-sizing', 'content');
  text.addEventListener('input', () => {
    const left = limit - text.value.length;
    counter.textContent = limit > 0 && left <= Math.min(500, limit / 10) ? word('left', { n: left }) : '';
    text.closest('.dock')?.classList.toggle('is-open', text.value !== '');
    if (!grows) {
      text.style.height = 'auto';
      text.style.height = `${text.scrollHeight + 2}px`;
    }
  });

  text.addEventListener('keydown', (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.isComposing) return;
    if (event.key === 'Enter') {
      event.preventDefault();
      form.requestSubmit(form.querySelector('.btn-primary') ?? undefined);
    } else if (TOOL_KEYS[event.key]) {
      event.preventDefault();
      TOOLS[TOOL_KEYS[event.key]](text);
    }
  });
}

function dress(form, text, box, name) {
  const pane = el('div', { id: `${name}-write`, role: 'tabpanel', 'aria-labelledby': `${name}-tab-write` });
  const preview = el('div', { id: `${name}-preview`, class: 'preview prose', role: 'tabpanel', tabindex: 0, 'aria-labelledby': `${name}-tab-preview`, hidden: true });
  const tab = (which, label, selected) => el('button', {
    type: 'button', role: 'tab', id: `${name}-tab-${which}`, 'aria-controls': `${name}-${which}`,
    'aria-selected': String(selected), tabindex: selected ? 0 : -1,
  }, label);
  const tabs = [tab('write', word('write'), true), tab('preview', word('preview'), false)];
  const tools = el('div', { class: 'write-tools', role: 'group', 'aria-label': word('tools') },
    ...Object.entries(TOOLS).map(([key, apply]) => {
      const button = el('button', { type: 'button', 'aria-label': word(key), title: word(key) }, icon(key));
      button.addEventListener('click', () => apply(text));
      return button;
    }));
  const bar = el('div', { class: 'write-bar' }, el('div', { class: 'write-tabs', role: 'tablist' }, ...tabs), tools);
  // A press on the bar must not take the focus from the text: the docked composer would fold under the finger.
  bar.addEventListener('pointerdown', (event) => { if (document.activeElement === text) event.preventDefault(); });
  bar.addEventListener('mousedown', (event) => { if (document.activeElement === text) event.preventDefault(); });

  const focused = document.activeElement === text;
  box.prepend(bar);
  text.replaceWith(pane);
  pane.append(text);
  box.append(preview);
  if (focused) text.focus();

  const select = (index) => {
    tabs.forEach((each, at) => {
      each.setAttribute('aria-selected', String(at === index));
      each.tabIndex = at === index ? 0 : -1;
    });
    pane.hidden = index === 1;
    preview.hidden = index === 0;
    tools.hidden = index === 1;
    text.closest('.dock')?.classList.toggle('is-open', index === 1 || text.value !== '');
    if (index === 1) render(form, text, preview);
  };
  tabs.forEach((each, at) => each.addEventListener('click', () => { select(at); if (at === 0) text.focus(); else each.focus(); }));
  bar.firstChild.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    const next = document.activeElement === tabs[0] ? 1 : 0;
    select(next);
    tabs[next].focus();
  });
  form.addEventListener('reset', () => select(0));
}

async function render(form, text, preview) {
  if (!text.value.trim()) { preview.textContent = word('previewEmpty'); return; }
  preview.textContent = word('loading');
  const asked = text.value;
  try {
    const response = await request('/preview', {
      method: 'POST', body: new URLSearchParams({ body: asked, space: form.dataset.space ?? '', section: form.dataset.section === undefined ? '' : '1' }),
    });
    if (!response.ok) throw response;
    preview.replaceChildren(...parse(await response.text()).body.childNodes);
  } catch {
    preview.textContent = word('failed');
  }
}

// ---- Toolbar

// The browser's own insertion keeps its undo history; the fallback at least keeps the text.
function insert(text, value, from = text.selectionStart, to = text.selectionEnd) {
  text.focus();
  text.setSelectionRange(from, to);
  if (document.execCommand('insertText', false, value)) return;
  text.setRangeText(value, from, to, 'end');
  text.dispatchEvent(new Event('input', { bubbles: true }));
}

function around(before, after, sample) {
  return (text) => {
    const { selectionStart: from, selectionEnd: to, value } = text;
    const chosen = value.slice(from, to);
    const wrapped = value.slice(from - before.length, from) === before && value.slice(to, to + after.length) === after;
    if (chosen && wrapped) {
      insert(text, chosen, from - before.length, to + after.length);
      text.setSelectionRange(from - before.length, to - before.length);
      return;
    }
    const inner = chosen || word(sample);
    insert(text, before + inner + after);
    text.setSelectionRange(from + before.length, from + before.length + inner.length);
  };
}

function lines(prefix, sample) {
  return (text) => {
    const { selectionStart, selectionEnd, value } = text;
    const from = value.lastIndexOf('\n', selectionStart - 1) + 1;
    const chosen = value.slice(from, selectionEnd) || (sample ? word(sample) : '');
    insert(text, chosen.split('\n').map((line) => prefix + line).join('\n'), from, selectionEnd);
  };
}

function code(text) {
  const chosen = text.value.slice(text.selectionStart, text.selectionEnd);
  if (chosen.includes('\n')) insert(text, `\`\`\`\n${chosen}\n\`\`\``);
  else around('`', '`', 'coded')(text);
}

const TOOLS = {
  bold: around('**', '**', 'bolded'),
  italic: around('*', '*', 'italicised'),
  link: (text) => {
    const from = text.selectionStart;
    const label = text.value.slice(from, text.selectionEnd) || word('linked');
    insert(text, `[${label}](https://)`);
    text.setSelectionRange(from + label.length + 3, from + label.length + 11);
  },
  code,
  list: lines('- ', 'listed'),
  quote: lines('> '),
};
const TOOL_KEYS = { b: 'bold', i: 'italic', k: 'link' };

// ---- Replies and quotes, from anywhere on the page

document.addEventListener('click', (event) => {
  const form = document.querySelector('form#composer[data-composer]');
  const from = event.target.closest('[data-reply], [data-quote]');
  if (!form || !from || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const post = document.getElementById(`post-${from.dataset.reply ?? from.dataset.quote}`);
  if (!post) return;
  event.preventDefault();
  replyTo(form, post);
  if (from.dataset.quote) quote(form, post);
});

function quote(form, post) {
  const body = post.querySelector('.post-body');
  const selection = getSelection();
  const chosen = selection && !selection.isCollapsed && body?.contains(selection.anchorNode) && body.contains(selection.focusNode)
    ? selection.toString() : body?.innerText;
  const quoted = (chosen ?? '').trim().split('\n').map((line) => `> ${line}`.trimEnd()).join('\n');
  const text = form.querySelector('textarea[data-markdown]');
  const gap = text.value && !text.value.endsWith('\n\n') ? '\n\n' : '';
  insert(text, `${gap}@${post.dataset.by}\n${quoted}\n\n`, text.value.length, text.value.length);
  text.scrollTop = text.scrollHeight;
}
