// Folding of a topic's threads: what lies below a post is hidden, and comes again.
import { word } from './words.js';
import { el, icon } from './dom.js';

const main = document.querySelector('main[data-topic]');
const $ = (selector) => main.querySelector(selector);
const post = (id) => document.getElementById(`post-${id}`);

/** The posts below `parent`, as far as they are on this page: a run of siblings. */
export function subtree(parent) {
  const within = new Set([parent.dataset.post]);
  const below = [];
  for (let next = parent.nextElementSibling; next; next = next.nextElementSibling) {
    if (!next.matches('article[data-post]') || !within.has(next.dataset.parent)) break;
    within.add(next.dataset.post);
    below.push(next);
  }
  return below;
}

export function foldable(article) {
  if (article.querySelector('[data-fold]') || $('[data-thread]').dataset.thread !== 'tree') return;
  const line = el('button', { class: 'fold', type: 'button', 'aria-expanded': 'true', 'aria-label': word('fold', { n: subtree(article).length }) });
  line.dataset.fold = article.dataset.post;
  article.append(line);
}

export function fold(article, { focus = false } = {}) {
  const below = subtree(article);
  for (const each of below) each.hidden = true;
  article.querySelector('[data-fold]')?.setAttribute('aria-expanded', 'false');
  const button = el('button', { class: 'btn btn-small unfold', type: 'button', 'data-unfold': true, 'aria-expanded': 'false' },
    icon('down'), word('folded', { n: below.length }));
  article.querySelector('[data-unfold]')?.remove();
  article.append(button);
  if (focus) button.focus({ preventScroll: true });
  if (article.getBoundingClientRect().top < 60) article.scrollIntoView({ block: 'start' });
}

export function unfold(article, { focus = false } = {}) {
  const below = subtree(article);
  for (const each of below) each.hidden = false;
  // What was folded inside stays folded.
  for (const each of below) {
    if (each.querySelector('[data-unfold]') && !each.hidden) for (const inner of subtree(each)) inner.hidden = true;
  }
  article.querySelector('[data-unfold]')?.remove();
  const line = article.querySelector('[data-fold]');
  line?.setAttribute('aria-expanded', 'true');
  if (focus) line?.focus({ preventScroll: true });
}

// The lines of the levels above fold too, by pointer: they are the margin of every post below.
function foldByLine(event) {
  const article = event.target;
  if (!article.matches?.('.thread > article[data-post]')) return;
  const depth = Number(article.dataset.depth);
  const indent = parseFloat(getComputedStyle(article).paddingLeft) / depth;
  let level = Math.floor((event.clientX - article.getBoundingClientRect().left) / indent);
  if (!(level < depth)) return;
  let owner = article;
  while (owner && Number(owner.dataset.depth) > level) owner = post(owner.dataset.parent);
  if (owner) fold(owner);
}
export const listenForFolds = () => $('[data-region]')?.addEventListener('click', foldByLine);
listenForFolds();
