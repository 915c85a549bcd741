// Choosing messages for a topic: each that can become a part of one gets a box.
import { word } from './words.js';
import { el } from './dom.js';
import { canOf, idOf } from './log.js';

const main = document.querySelector('main[data-room]');
const boxing = new MutationObserver(boxes);

function boxes() {
  for (const message of main.querySelectorAll('[data-log] > .msg')) {
    if (message.querySelector('.msg-pick') || message.classList.contains('is-stub') || !canOf(message, main.dataset.me).has('pick')) continue;
    const name = message.querySelector('.msg-author').textContent;
    message.prepend(el('input', { class: 'msg-pick', type: 'checkbox', name: 'm', value: idOf(message), form: 'pick', 'aria-label': word('pick', { name }) }));
  }
}

export function selecting(on, first) {
  if (on) {
    boxes();
    boxing.observe(main.querySelector('[data-log]'), { childList: true });
  } else boxing.disconnect();
  main.classList.toggle('is-selecting', on);
  const bar = main.querySelector('[data-selecting]');
  if (bar) bar.hidden = !on;
  for (const box of main.querySelectorAll('.msg-pick')) if (!on) box.checked = false;
  const box = first?.querySelector('.msg-pick');
  if (box) { box.checked = true; box.focus(); }
}

if (main.classList.contains('is-selecting')) selecting(true);
