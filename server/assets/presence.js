// Who is writing and who is here: told by frames that may be dropped, so everything fades or is whole.
import { word } from './words.js';
import { el } from './dom.js';
import { onFrame } from './socket.js';

const main = document.querySelector('main[data-room]');
const typing = new Map();

/** Whoever has said something has stopped writing it. */
export const stopped = (handle) => { if (typing.delete(handle)) showTyping(); };

let fading = 0;

function showTyping() {
  clearTimeout(fading);
  const now = Date.now();
  for (const [handle, { until }] of typing) if (until < now) typing.delete(handle);
  const names = [...typing.values()].map(({ name }) => name);
  const line = main.querySelector('[data-typing]');
  if (line) {
    line.textContent = names.length > 2 ? word('typingMany') : names.length === 2 ? word('typingTwo', { one: names[0], other: names[1] })
      : names.length ? word('typingOne', { name: names[0] }) : '';
  }
  if (typing.size) fading = setTimeout(showTyping, 1000);
}

let last = null;

const WORDS = { online: 'presenceOnline', away: 'presenceAway', do_not_disturb: 'presenceBusy' };

onFrame((frame) => {
  if (frame.stream !== main.dataset.stream) return;
  if (frame.type === 'typing' && frame.member.handle !== main.dataset.me) {
    typing.set(frame.member.handle, { name: frame.member.display_name, until: Date.now() + 5000 });
    showTyping();
  } else if (frame.type === 'presence') {
    last = frame.online;
    here();
  }
});

/** Shows who is here, in what is on the page now. */
export function here() {
  if (!last) return;
  const list = document.querySelector('[data-here]');
  if (list) {
    list.replaceChildren(...last.map((each) => el('li', {},
      el('span', { class: `presence is-${each.availability}`, 'aria-hidden': 'true' }),
      el('a', { href: `/people/${each.handle}` }, each.display_name),
      el('small', { class: each.availability === 'online' ? 'sr' : 'muted' }, word(WORDS[each.availability] ?? 'presenceOnline')))));
    list.closest('[data-here-panel]').hidden = !last.length;
  }
  for (const place of document.querySelectorAll('[data-presence]')) {
    const there = last.find((each) => each.handle === place.dataset.presence);
    place.className = `presence is-${there?.availability ?? 'offline'}`;
    place.querySelector('.sr').textContent = word(there ? WORDS[there.availability] ?? 'presenceOnline' : 'presenceOffline');
  }
}
