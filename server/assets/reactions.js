// Reactions in every view of a room: shown at once, put right if refused.
import { word } from './words.js';
import { el, refusal, request, toast } from './dom.js';
import { viewOf, views } from './views.js';

/** Where the reactions of a message stand; most have none. */
function placeOf(view, id) {
  const article = view.log.find(id);
  const body = article?.querySelector('.msg-body');
  if (!body || article.classList.contains('is-stub')) return null;
  const place = article.querySelector('[data-reactions]') ?? el('div', { class: 'reactions', 'data-reactions': true });
  if (!place.isConnected) (article.querySelector('.msg-edited') ?? body).after(place);
  return place;
}

const me = document.querySelector('meta[name="me"]')?.content;

/** The counts as the server has them; which are one's own is known here, and by who has just reacted. */
export function react(id, reactions, { emoji, handle, on } = {}) {
  for (const view of views()) {
    const place = placeOf(view, id);
    if (!place) continue;
    const mine = new Set([...place.querySelectorAll('[aria-pressed="true"]')].map((button) => button.value));
    if (handle === me) mine[on ? 'add' : 'delete'](emoji);
    const focused = place.contains(document.activeElement) ? document.activeElement.value : null;
    view.log.keep(() => place.replaceChildren(...reactions.filter((each) => each.count > 0).map(({ emoji, count }) => reaction(id, emoji, count, mine.has(emoji)))));
    if (focused) [...place.children].find((button) => button.value === focused)?.focus();
  }
}

function reaction(id, emoji, n, mine) {
  return el('button', {
    class: 'reaction', form: 'act', formaction: `/messages/${id}/reactions${mine ? '?undo=1' : ''}`, name: 'emoji', value: emoji, 'aria-pressed': String(mine),
  }, `${emoji} ${n}`);
}

/** Shows one's own reaction before the server has it; returns what takes it back. */
function pretend(id, emoji, undo) {
  const places = views().map((view) => placeOf(view, id)).filter(Boolean);
  const before = places.map((place) => [place, [...place.childNodes]]);
  for (const place of places) {
    const now = [...place.querySelectorAll('button')].map((each) => ({
      emoji: each.value, count: Number(/\d+$/.exec(each.textContent.trim())?.[0] ?? 0), mine: each.getAttribute('aria-pressed') === 'true',
    }));
    let target = now.find((each) => each.emoji === emoji);
    if (!target) now.push(target = { emoji, count: 0, mine: false });
    if (target.mine === !undo) continue;
    target.count += undo ? -1 : 1;
    target.mine = !undo;
    const focused = place.contains(document.activeElement);
    viewOf(place).log.keep(() => place.replaceChildren(...now.filter((each) => each.count > 0).map((each) => reaction(id, each.emoji, each.count, each.mine))));
    if (focused) [...place.children].find((each) => each.value === emoji)?.focus();
  }
  return () => before.forEach(([place, nodes]) => place.replaceChildren(...nodes));
}

export async function toggle(id, emoji, undo = false) {
  const revert = pretend(id, emoji, undo);
  try {
    const response = await request(`/api/v1/messages/${id}/reactions/${encodeURIComponent(emoji)}`, { method: undo ? 'DELETE' : 'PUT', accept: 'application/json' });
    if (!response.ok) { revert(); toast(await refusal(response)); }
  } catch { revert(); toast(word('offlineAct')); }
}
