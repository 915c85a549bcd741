// Files in a text: by button, by pasting and by dropping them. Each goes up at once and stands in
// the text as Markdown; a text that is never sent leaves nothing behind, unused files are removed.
import { word } from './words.js';
import { connected, el, icon, pasted } from './dom.js';

const TYPES = 'image/png,image/jpeg,image/gif,image/webp,application/pdf,text/plain,.csv,.zip,.docx,.xlsx,.pptx,.odt,.ods,.odp';

/** Gives a text field its button and its list of files under way. `put(text, value)` writes at the caret. */
export function attach(text, box, put) {
  const files = el('input', { type: 'file', multiple: true, accept: TYPES, hidden: true, tabindex: -1, 'aria-label': word('attach') });
  const button = el('button', { type: 'button', 'aria-label': word('attach'), title: word('attach') }, icon('upload'));
  const list = el('ul', { class: 'uploads' });
  box.querySelector('.write-tools')?.append(button);
  box.append(files, list);
  // Not a field of the form: its bytes go up by themselves.
  button.addEventListener('click', () => files.click());
  files.addEventListener('change', () => { for (const file of files.files) send(file); files.value = ''; });
  text.addEventListener('paste', (event) => {
    const found = pasted(event);
    if (!found.length) return;
    event.preventDefault();
    found.forEach(send);
  });
  const holds = (event) => event.dataTransfer?.types.includes('Files');
  box.addEventListener('dragover', (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    box.classList.add('is-over');
  });
  box.addEventListener('dragleave', () => box.classList.remove('is-over'));
  box.addEventListener('drop', (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    box.classList.remove('is-over');
    for (const file of event.dataTransfer.files) send(file);
  });
  text.form?.addEventListener('reset', () => list.replaceChildren());

  function send(file) {
    const picture = icon('upload');
    const bar = el('progress', { max: 100, value: 0, 'aria-label': word('uploading', { name: file.name }) });
    const state = el('span', { role: 'status' });
    const away = el('button', { type: 'button', class: 'btn btn-quiet btn-small', 'aria-label': word('uploadRemove', { name: file.name }) }, icon('close'));
    const item = el('li', {}, picture, el('span', { class: 'upload-name' }, file.name), bar, state, away);
    list.append(item);
    const going = new XMLHttpRequest(); // fetch does not tell how far a body has gone
    const leave = () => {
      going.abort();
      item.remove();
    };
    away.addEventListener('click', () => { leave(); text.focus(); });
    const refuse = (detail) => {
      bar.remove();
      state.textContent = detail || word('failed');
      item.classList.add('is-refused');
    };
    going.upload.addEventListener('progress', (event) => { if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total; });
    going.addEventListener('error', () => refuse(word('uploadOffline')));
    going.addEventListener('load', () => {
      connected();
      const answer = going.response ?? {};
      if (going.status !== 201 || !answer.markdown) {
        refuse(answer.errors?.length ? `${file.name} ${answer.errors[0].message}` : answer.detail);
        return;
      }
      const before = text.value.slice(0, text.selectionStart);
      put(text, `${before && !before.endsWith('\n') ? '\n' : ''}${answer.markdown}\n`);
      if (answer.width) picture.replaceWith(el('img', { src: answer.url, width: 40, height: 40, alt: '' }));
      bar.remove();
      state.textContent = word('uploaded');
    });
    const body = new FormData();
    body.append('file', file, file.name || 'file');
    going.open('POST', '/api/v1/files');
    going.responseType = 'json';
    going.setRequestHeader('Accept', 'application/json');
    going.setRequestHeader('X-Requested-With', 'fetch');
    going.setRequestHeader('X-CSRF-Token', document.querySelector('meta[name="csrf"]')?.content ?? '');
    going.send(body);
  }
}
