// On the list of rooms: what was not sent, wherever it was written.
import { word } from './words.js';
import { el } from './dom.js';
import { discard, entries, onChange, retry } from './outbox.js';

const place = document.querySelector('[data-refused]');
const list = place.querySelector('ul');

async function show() {
  const refused = (await entries()).filter((entry) => entry.state === 'refused');
  place.hidden = !refused.length;
  list.replaceChildren(...refused.map(({ client_id: client, room, body, why, code }) => {
    const link = document.querySelector(`[data-side-room="${CSS.escape(room)}"]`);
    const again = el('button', { type: 'button', class: 'btn btn-small' }, word(code === 'confirm' ? 'sendAnyway' : 'retry'));
    const leave = el('button', { type: 'button', class: 'btn btn-small btn-quiet' }, word('discard'));
    again.addEventListener('click', () => retry(client, code === 'confirm'));
    leave.addEventListener('click', () => discard(client));
    const name = link?.querySelector('span')?.textContent;
    return el('li', { 'data-client': client }, el('p', {}, name ? el('a', { href: link.href }, name) : '', name ? ': ' : '', body.slice(0, 300)),
      el('p', { class: 'error' }, el('span', {}, why || word('failed'))), el('div', { class: 'actions' }, again, leave));
  }));
}

onChange(show);
show();
