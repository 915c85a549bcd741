// What an event says of a message that stands in the page: its text, that it was edited, pinned or
// deleted. Nothing has to be fetched for that.
import { word } from './words.js';
import { el, icon, parse } from './dom.js';

/** What is left of a deleted message. */
export function stub({ id, seq, author, at }, thread = null) {
  const said = word('deletedMessage');
  const left = el('article', { class: 'msg is-stub', id: `m-${id}`, 'data-seq': seq, 'data-by': author.handle, 'data-at': at, 'aria-label': said },
    el('p', { class: 'msg-body' }, said));
  if (thread) left.append(thread);
  return left;
}

/** Shows it as the event says it is, in place; `can`: what may be done with it. */
export function change(article, data, can) {
  article.querySelector('.msg-body').replaceChildren(...parse(data.body_html).body.childNodes);
  edited(article, data);
  pinned(article, data);
  if (data.edited_at) can.add('history');
  if (can.delete(data.pinned ? 'pin' : 'unpin')) can.add(data.pinned ? 'unpin' : 'pin');
  article.dataset.can = [...can].join(' ');
}

function edited(article, { id, edited_at: at }) {
  const mark = article.querySelector('.msg-edited');
  if (Boolean(at) === Boolean(mark)) return;
  if (mark) mark.remove();
  else article.querySelector('.msg-body').after(el('a', { class: 'msg-edited', href: `/messages/${id}/history` }, word('edited')));
}

function pinned(article, data) {
  const head = article.querySelector('.msg-head');
  const mark = head?.querySelector('.label');
  if (!head || Boolean(data.pinned) === Boolean(mark)) return;
  if (mark) mark.remove();
  else head.append(' ', el('span', { class: 'label' }, icon('pin'), word('pinned')));
}
