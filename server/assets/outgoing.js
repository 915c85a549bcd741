// A message on its way: pale with a clock while it waits, with its reason when it was refused.
import { word } from './words.js';
import { el, icon } from './dom.js';
import { discard, retry } from './outbox.js';

/** `place`: the root of the thread that shows it, empty for the room. */
export function outgoing({ client_id: client, body, state, why, code, at, reply_to: thread = '' }, place = '') {
  const refused = state === 'refused';
  const template = document.getElementById('outgoing');
  const article = template.content.firstElementChild.cloneNode(true);
  article.dataset.client = client;
  article.dataset.state = state;
  article.dataset.thread = thread;
  if (thread !== place) article.querySelector('.msg-head').append(' ', el('span', { class: 'label' }, icon('thread'), word('inThread')));
  article.classList.toggle('is-refused', refused);
  article.querySelector('.msg-body').append(...body.split('\n').flatMap((line, index) => (index ? [el('br'), line] : [line])));
  const status = article.querySelector('[data-status]');
  if (refused) {
    const again = el('button', { type: 'button', class: 'btn btn-small' }, word(code === 'confirm' ? 'sendAnyway' : 'retry'));
    const leave = el('button', { type: 'button', class: 'btn btn-small btn-quiet' }, word('discard'));
    again.addEventListener('click', () => retry(client, code === 'confirm'));
    leave.addEventListener('click', () => discard(client));
    status.replaceChildren(icon('error'), el('span', {}, why || word('failed')), again, leave);
    status.setAttribute('role', 'alert');
  } else {
    const slow = Date.now() - at > 4000 || !navigator.onLine;
    status.querySelector('span').textContent = word(slow ? 'waiting' : 'sending');
  }
  return article;
}

// "Sending" becomes "Waiting" when it takes long.
setInterval(() => {
  for (const line of document.querySelectorAll('[data-state="waiting"]:not(.is-sent) [data-status] span')) line.textContent = word('waiting');
}, 5000);
