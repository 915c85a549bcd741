// The library's pages: a file goes up with its progress shown and can be dropped on its field; a
// page that is open follows its space and shows what has become of the file.
import { word } from './words.js';
import { connected, parse, request, toast } from './dom.js';
import { live } from './socket.js';

// ---- Uploads

function carry(form) {
  const input = form.querySelector('input[type="file"]');
  const box = form.querySelector('[data-drop]');
  const bar = form.querySelector('[data-progress]');
  const said = form.querySelector('[data-progress-word]');
  if (!input || !bar) return;
  const holds = (event) => event.dataTransfer?.types.includes('Files');
  box?.addEventListener('dragover', (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    box.classList.add('is-over');
  });
  box?.addEventListener('dragleave', () => box.classList.remove('is-over'));
  box?.addEventListener('drop', (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    box.classList.remove('is-over');
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  });
  form.addEventListener('submit', (event) => {
    if (!input.files.length || event.defaultPrevented) return;
    event.preventDefault();
    const going = new XMLHttpRequest(); // fetch does not tell how far a body has gone
    const button = form.querySelector('.btn-primary');
    const stop = (message) => {
      bar.hidden = true;
      button.disabled = false;
      said.textContent = message;
    };
    bar.hidden = false;
    bar.value = 0;
    button.disabled = true;
    said.textContent = word('uploading', { name: input.files[0].name });
    going.upload.addEventListener('progress', (step) => { if (step.lengthComputable) bar.value = (100 * step.loaded) / step.total; });
    going.addEventListener('error', () => stop(word('uploadOffline')));
    going.addEventListener('load', () => {
      connected();
      // A redirect was followed: what was shared is there.
      if (going.status < 400) { location.assign(going.responseURL); return; }
      const main = parse(going.responseText).querySelector('main');
      const summary = main?.querySelector('.error-summary, [role="alert"]');
      stop('');
      if (!summary) { stop(word('failed')); toast(word('failed')); return; }
      // What was typed and chosen stays; only what is wrong with it is shown.
      document.querySelector('main .error-summary')?.remove();
      document.querySelector('main .head').after(summary);
      summary.focus();
    });
    going.open('POST', form.action);
    going.setRequestHeader('Accept', 'text/html');
    going.send(new FormData(form));
  });
}
for (const form of document.querySelectorAll('form[data-share]')) carry(form);

// ---- What is open

const main = document.querySelector('main[data-library]');

/** Fetches the page anew and puts its living part in place of the old one. */
async function renew() {
  const open = main.querySelector('details[open]');
  if (open?.contains(document.activeElement)) return;
  const response = await request(location.href);
  if (!response.ok) return;
  const [old, fresh] = [main.querySelector('[data-live]'), parse(await response.text()).querySelector('main [data-live]')];
  if (!old || !fresh || old.innerHTML === fresh.innerHTML) return;
  const focused = document.activeElement?.id;
  const top = scrollY;
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  scrollTo(0, top);
  const line = main.querySelector('[data-announce]');
  if (line) line.textContent = word('libraryChanged');
}

if (main?.dataset.stream && main.hasAttribute('data-signed-in')) {
  const mine = main.dataset.resource;
  let waiting = 0;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(() => { renew().catch(() => {}); }, 200); };
  live.subscribe(main.dataset.stream, {
    since: Number(main.dataset.head),
    epoch: main.dataset.epoch,
    onEvents(items) {
      const about = (item) => item.event.startsWith('resource.') && (!mine || item.data?.id === mine);
      if (items.some(about)) soon();
    },
    onReset: soon,
  });
}

// ---- A page of the file that the address names and this page does not hold

function lead() {
  const number = /^#page-(\d{1,6})$/.exec(location.hash)?.[1];
  if (!number || !main?.dataset.page) return;
  const sheet = document.getElementById(`page-${number}`);
  if (sheet) { sheet.focus({ preventScroll: true }); return; }
  const asked = new URLSearchParams(location.search).get('page');
  if (asked !== number) location.replace(`${main.dataset.page}?page=${number}#page-${number}`);
}
lead();
addEventListener('hashchange', lead);
