// Editing a message where it stands. Without scripts it is a page.
import { word } from './words.js';
import { el, parse, refusal, request, toast } from './dom.js';
import { complete } from './complete.js';
import { idOf } from './log.js';

/** Puts the text of a message into a field in its place; Enter saves, Escape leaves it as it was. */
export async function edit(message, { renew, space }) {
  if (message.querySelector('form')) return;
  const id = idOf(message);
  let raw;
  try {
    const response = await request(`/messages/${id}/edit`);
    if (!response.ok) { toast(await refusal(response)); return; }
    raw = parse(await response.text()).querySelector('form[data-message-edit]');
  } catch { toast(word('offlineAct')); return; }
  const body = message.querySelector('.msg-body');
  if (!raw || !body?.isConnected) return;
  const text = el('textarea', { name: 'body', rows: 1, maxlength: 8000, 'aria-label': word('editMessage') });
  text.value = raw.elements.body.value;
  const save = el('button', { class: 'btn btn-primary btn-small' }, word('save'));
  const leave = el('button', { type: 'button', class: 'btn btn-quiet btn-small' }, word('cancel'));
  const form = el('form', { class: 'composer msg-edit', method: 'post' },
    el('div', { class: 'write', 'data-write': true }, text), el('div', { class: 'actions' }, save, leave));
  const version = raw.elements.version.value;
  body.hidden = true;
  body.after(form);
  complete(text, { kinds: { '@': 'member', '#': 'tag', ':': 'emoji' }, space });
  text.focus();
  text.setSelectionRange(text.value.length, text.value.length);

  function close() {
    form.remove();
    body.hidden = false;
    message.tabIndex = -1;
    message.focus({ preventScroll: true });
    // What was said of it meanwhile was not put over what is being written.
    if (message.dataset.stale === undefined) return;
    delete message.dataset.stale;
    renew([id]);
  }
  leave.addEventListener('click', close);
  form.addEventListener('keydown', (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    if (event.key === 'Escape') { event.preventDefault(); event.stopPropagation(); close(); }
    if (event.key === 'Enter' && !event.shiftKey && event.target === text) { event.preventDefault(); form.requestSubmit(); }
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (!text.value.trim()) { text.focus(); return; }
    save.disabled = true;
    try {
      const sent = new URLSearchParams({ body: text.value, version });
      const response = await request(`/messages/${id}/edit`, { method: 'POST', body: sent });
      if (!response.ok) { toast(await refusal(response)); return; }
      close();
      await renew([id]);
    } catch { toast(word('offlineAct')); } finally { save.disabled = false; }
  });
}
