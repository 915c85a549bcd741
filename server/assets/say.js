// Writing in a room: Enter sends, completion, files by button, paste and drop, drafts, typing.
import { word } from './words.js';
import { el, icon, pasted, refusal, request, toast } from './dom.js';
import { complete } from './complete.js';
import * as drafts from './drafts.js';
import { pickEmoji } from './picker.js';
import { live } from './socket.js';
import { add } from './outbox.js';

const TYPING_EVERY = 3000;
const touch = matchMedia('(pointer: coarse)');

/** sent(): what was written is kept and on its way. edit(): the arrow up in an empty field. */
export function enhance(form, { room, sent = () => {}, edit = () => {} }) {
  if (form.dataset.enhanced !== undefined) return;
  form.dataset.enhanced = '';
  const text = form.querySelector('textarea');
  const chips = form.querySelector('[data-attached]');
  const files = form.querySelector('[data-files]');
  const grows = CSS.supports('field-sizing', 'content');
  const counter = el('p', { class: 'counter', role: 'status' });
  form.querySelector('[data-write]').after(counter);
  complete(text, { kinds: { '@': 'member', '#': 'tag', ':': 'emoji' }, space: form.dataset.space });
  drafts.restore(form);

  let typed = 0;
  function grow() {
    const left = text.maxLength - text.value.length;
    counter.textContent = left <= 500 ? word('left', { n: left }) : '';
    if (grows) return;
    text.style.height = 'auto';
    text.style.height = `${text.scrollHeight + 2}px`;
  }
  grow();
  text.addEventListener('input', () => {
    grow();
    drafts.save(form);
    if (text.value && Date.now() - typed > TYPING_EVERY && live.send({ type: 'typing', room })) typed = Date.now();
  });

  text.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const command = event.ctrlKey || event.metaKey;
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey && (command || !touch.matches)) {
      event.preventDefault();
      if (!event.repeat) form.requestSubmit(); // a key that is held sends once
    } else if (event.key === 'ArrowUp' && !text.value && !command && !event.shiftKey) {
      if (edit()) event.preventDefault();
    }
  });

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (chips.querySelector('.is-loading')) { toast(word('stillLoading')); return; }
    if (chips.querySelector('.is-refused')) { toast(word('refusedFile')); return; }
    const parts = [text.value.trim(), ...[...chips.children].map((chip) => chip.dataset.markdown).filter(Boolean)];
    const body = parts.filter(Boolean).join('\n\n');
    if (!body) { text.focus(); return; }
    if (body.length > text.maxLength) { toast(word('tooLong')); return; }
    // Taken before it is kept: what is typed meanwhile belongs to the next message.
    const [written, taken] = [text.value, [...chips.children]];
    text.value = '';
    chips.replaceChildren();
    typed = 0;
    grow();
    text.focus();
    try {
      await add({ room, body, replyTo: form.elements.reply_to?.value ?? '' });
    } catch {
      text.value = text.value ? `${written}\n${text.value}` : written;
      chips.prepend(...taken);
      grow();
      drafts.save(form);
      toast(word('failed'));
      return;
    }
    if (text.value || chips.children.length) drafts.save(form);
    else drafts.clear(form);
    sent();
  });

  // ---- Emoji

  form.querySelector('[data-emoji]')?.addEventListener('click', async (event) => {
    const glyph = await pickEmoji(event.currentTarget);
    if (glyph) insert(text, `${glyph} `);
  });

  // ---- Files

  /** A file in the list under the text. */
  function attach(name) {
    const remove = el('button', { type: 'button', class: 'btn btn-quiet btn-icon', 'aria-label': word('removeFile', { name }) }, icon('close'));
    const state = el('small', { role: 'status' });
    const chip = el('li', { class: 'attachment' }, icon('upload'), el('span', {}, name, state), remove);
    remove.addEventListener('click', () => { chip.remove(); drafts.save(form); text.focus(); });
    chips.append(chip);
    return { chip, state, remove };
  }

  /** It is on the server: its Markdown goes out with the text. */
  function keep(chip, { markdown, name, url, picture, at }) {
    Object.assign(chip.dataset, { markdown, name, url, at });
    if (picture) chip.querySelector('.icon').replaceWith(el('img', { src: url, alt: '', width: 48, height: 48 }));
  }

  for (const file of drafts.files(form)) keep(attach(file.name).chip, file);

  async function upload(file) {
    const { chip, state, remove } = attach(file.name);
    chip.classList.add('is-loading');
    state.textContent = word('loading');
    try {
      const body = new FormData();
      body.append('file', file, file.name || 'image.png');
      const response = await request('/api/v1/files', { method: 'POST', body, accept: 'application/json' });
      if (!response.ok) throw response;
      const { markdown, url, width } = await response.json();
      keep(chip, { markdown, url, name: file.name, picture: Boolean(width), at: Date.now() });
      state.textContent = '';
      drafts.save(form);
    } catch (refused) {
      chip.classList.add('is-refused');
      state.textContent = refused instanceof Response ? await refusal(refused) : word('offlineFile');
      const again = el('button', { type: 'button', class: 'btn btn-small' }, word('retry'));
      again.addEventListener('click', () => { chip.remove(); upload(file); });
      remove.before(again);
    } finally { chip.classList.remove('is-loading'); }
  }

  form.querySelector('[data-attach]')?.addEventListener('click', () => files.click());
  files?.addEventListener('change', () => { for (const file of files.files) upload(file); files.value = ''; });
  text.addEventListener('paste', (event) => {
    const found = pasted(event);
    if (!found.length) return;
    event.preventDefault();
    for (const file of found) upload(file);
  });
  const zone = form.closest('[data-view]') ?? form;
  const holdsFiles = (event) => !form.hidden && [...event.dataTransfer?.types ?? []].includes('Files');
  zone.addEventListener('dragover', (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    zone.classList.add('is-over');
  });
  zone.addEventListener('dragleave', (event) => { if (!zone.contains(event.relatedTarget)) zone.classList.remove('is-over'); });
  zone.addEventListener('drop', (event) => {
    zone.classList.remove('is-over');
    if (!holdsFiles(event)) return;
    event.preventDefault();
    for (const file of event.dataTransfer.files) upload(file);
  });
}

/** The browser's own insertion keeps its undo history. */
export function insert(text, value) {
  text.focus();
  if (document.execCommand('insertText', false, value)) return;
  text.setRangeText(value, text.selectionStart, text.selectionEnd, 'end');
  text.dispatchEvent(new Event('input', { bubbles: true }));
}

/** Puts a quotation of a message into the field. */
export function quote(form, message) {
  const text = form.querySelector('textarea');
  const body = message.querySelector('.msg-body');
  const selection = getSelection();
  const chosen = selection && !selection.isCollapsed && body?.contains(selection.anchorNode) && body.contains(selection.focusNode)
    ? selection.toString() : body?.innerText;
  const lines = (chosen ?? '').trim().split('\n').map((line) => `> ${line}`.trimEnd()).join('\n');
  text.setSelectionRange(text.value.length, text.value.length);
  insert(text, `${text.value && !text.value.endsWith('\n') ? '\n\n' : ''}@${message.dataset.by}\n${lines}\n\n`);
  text.scrollTop = text.scrollHeight;
}
