// An open topic page: what others do shows without reload, and never moves what is being read.
//
// Everything is applied idempotently by post id: the socket and the answer to one's own request
// may tell the same thing twice, in either order.
import { word } from './words.js';
import { el, parse, pauseAfter, refusal, request, toast } from './dom.js';
import { enhance, replyTo, reset } from './composer.js';
import { fold, foldable, listenForFolds, subtree, unfold } from './folds.js';
import { menus } from './menu.js';
import { live, onState } from './socket.js';

const main = document.querySelector('main[data-topic]');
const page = main.dataset.page;
let title = document.title;
const fresh = new Set(); // ids announced and not yet shown
const touched = new Set(); // changed while those are fetched to be shown
let showing = 0;
let replying = 0; // own replies under way: their events wait until the answer is there
let held = [];

const $ = (selector) => main.querySelector(selector);
const post = (id) => document.getElementById(`post-${id}`);
const say = (message) => { const line = $('[data-announce]'); if (line) line.textContent = message; };

// ---- Finding places in the flat list

function insert(article) {
  if (post(article.dataset.post)) return null;
  const thread = $('[data-thread]');
  const parent = article.dataset.parent && thread.dataset.thread === 'tree' ? post(article.dataset.parent) : null;
  article.classList.add('is-new');
  if (!parent || parent.classList.contains('is-opening')) {
    thread.append(article);
  } else {
    (subtree(parent).at(-1) ?? parent).after(article);
    foldable(parent);
    if (parent.querySelector('[data-fold][aria-expanded="false"]')) unfold(parent);
  }
  return article;
}

function replace(article) {
  const old = post(article.dataset.post);
  if (!old) return;
  const focused = old.contains(document.activeElement);
  // How deep it is drawn and whether it can fold depends on where it stands here.
  if (old.dataset.depth) article.dataset.depth = old.dataset.depth;
  const folded = old.querySelector('[data-fold]')?.getAttribute('aria-expanded') === 'false';
  article.hidden = old.hidden;
  old.replaceWith(article);
  if (subtree(article).length) foldable(article);
  if (folded) fold(article);
  if (focused) focusOn(article);
}

function focusOn(article) {
  article.tabIndex = -1;
  article.focus({ preventScroll: true });
}

// ---- Fetching

// One that hangs would keep all others waiting.
const patience = () => AbortSignal.timeout?.(15_000);

async function fragment(query) {
  const response = await request(`${page}?${query}`, { signal: patience() });
  if (!response.ok) throw response;
  return parse(await response.text());
}

async function posts(ids) {
  const found = [];
  for (let at = 0; at < ids.length; at += 50) {
    const part = await fragment(`fragment=posts&order=${$('[data-thread]').dataset.thread}&ids=${ids.slice(at, at + 50).map(encodeURIComponent).join(',')}`);
    found.push(...part.querySelectorAll('article[data-post]'));
  }
  return found;
}

async function renewPosts(ids) {
  const shown = ids.filter(post);
  if (shown.length) for (const article of await posts(shown)) replace(article);
}

/** Puts the head of the topic as it now is, and its name into the window's title. */
function setHead(head) {
  const old = $('[data-topic-head]');
  if (!old || !head) return;
  const [before, now] = [old, head].map((each) => each.querySelector('h1')?.textContent.trim() ?? '');
  if (before && now) title = title.replace(before, () => now);
  old.replaceWith(head);
  count();
}

async function renewHead() {
  setHead((await fragment('fragment=head')).querySelector('[data-topic-head]'));
}

/** Reads the whole page again and keeps what is being read where it is. */
async function renewThread() {
  const response = await request(location.href, { signal: patience() });
  if (!response.ok) throw response;
  const next = parse(await response.text());
  const anchor = [...main.querySelectorAll('article[data-post]')].find((article) => article.getBoundingClientRect().bottom > 80);
  const before = anchor?.getBoundingClientRect().top;
  const focused = document.activeElement?.closest?.('[data-region] article[data-post], .is-opening')?.dataset.post;
  // What was added here meanwhile may be missing in the answer, and stays.
  const added = [...main.querySelectorAll('article.is-new')];
  const folded = [...main.querySelectorAll('[data-fold][aria-expanded="false"]')].map((line) => line.dataset.fold);
  setHead(next.querySelector('main [data-topic-head]'));
  for (const part of ['.is-opening', '[data-region]']) {
    const [old, renewed] = [$(part), next.querySelector(`main ${part}`)];
    if (old && renewed) old.replaceWith(renewed);
  }
  listenForFolds();
  for (const id of folded) if (post(id)) fold(post(id));
  if (focused && post(focused)) focusOn(post(focused));
  added.forEach(insert);
  // What stands on a later page is still only announced.
  const come = [...fresh].filter(post);
  for (const id of come) { fresh.delete(id); post(id).classList.add('is-new'); }
  count();
  const again = anchor && post(anchor.dataset.post);
  if (again) scrollBy(0, again.getBoundingClientRect().top - before);
  say(come.length ? word('added', { n: come.length }) : word('changed'));
}

// What has changed and is not fetched yet. One answer at a time, so that none is older than the one
// before it. What does not come is asked for again, ever later.
const stale = { thread: false, head: false, posts: new Set() };
let fetching = false;
let tries = 0;
let again = 0;

async function renew() {
  if (fetching || again) return;
  fetching = true;
  while (stale.thread || stale.head || stale.posts.size) {
    const now = { ...stale };
    Object.assign(stale, { thread: false, head: false, posts: new Set() });
    try {
      if (now.thread) await renewThread();
      else {
        if (now.posts.size) await renewPosts([...now.posts]);
        if (now.head) await renewHead();
      }
      tries = 0;
    } catch (refused) {
      const answered = refused instanceof Response;
      if (answered && refused.status < 500 && refused.status !== 429) { toast(word('failed')); continue; }
      stale.thread ||= now.thread;
      stale.head ||= now.head;
      for (const id of now.posts) stale.posts.add(id);
      const asked = answered ? 1000 * Number(refused.headers.get('Retry-After') ?? 0) || 0 : 0;
      const wait = Math.max(asked, pauseAfter(tries));
      tries += 1;
      if (tries === 6) toast(word('failed'));
      again = setTimeout(retry, wait);
      break;
    }
  }
  fetching = false;
}

function retry() {
  clearTimeout(again);
  again = 0;
  renew();
}

onState((state) => { if (state === 'online') { tries = 0; retry(); } });

// ---- The pill

let told = 0;
function count() {
  const pill = $('[data-new-replies]');
  const n = fresh.size;
  document.title = n ? `(${n}) ${title}` : title;
  if (!pill) return;
  const words = n ? word('newReplies', { n }) : '';
  (pill.querySelector('span') ?? pill).textContent = words;
  pill.hidden = !n;
  if (n && n !== told) say(words);
  told = n;
}

function replies(by) {
  const shown = $('[data-reply-count]');
  if (shown && by) shown.textContent = (Number(shown.textContent.replace(/\D/g, '')) + by).toLocaleString('en-GB');
}

async function showFresh() {
  const ids = [...fresh];
  showing += 1;
  try {
    const added = (await posts(ids)).map(insert).filter(Boolean);
    ids.forEach((id) => fresh.delete(id));
    // What changed while the answer was on its way.
    for (const id of touched) if (post(id)) stale.posts.add(id);
    renew();
    count();
    replies(added.length);
    if (!added.length) return;
    const first = added.sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1))[0];
    focusOn(first);
    first.scrollIntoView({ block: 'center' });
    say(word('added', { n: added.length }));
  } catch (refused) {
    toast(refused instanceof Response ? await refusal(refused) : word('offline'));
  } finally {
    showing -= 1;
    if (!showing) touched.clear();
  }
}

// ---- Events

function onEvents(items) {
  if (replying) { held.push(...items); return; }
  for (const { event, data } of items) {
    const id = String(data.post_id ?? data.id ?? '');
    switch (event) {
      case 'post.created':
        if (!post(id)) fresh.add(id);
        break;
      case 'post.deleted':
        fresh.delete(id);
        post(id)?.classList.remove('is-new');
        stale.posts.add(id);
        if (showing) touched.add(id);
        break;
      case 'post.edited':
        stale.posts.add(id);
        if (showing) touched.add(id);
        break;
      case 'answer.accepted':
      case 'answer.removed':
        // It goes to the accepted ones above the thread, or back from there.
        stale.thread = true;
        break;
      case 'reaction.added':
      case 'reaction.removed':
        react(id, data.reactions ?? []);
        break;
      case 'topic.changed':
        stale.head = true;
        break;
    }
  }
  count();
  renew();
}

/** The counts of a post as the server has them; which are one's own is known here only. */
function react(id, reactions) {
  const place = post(id)?.querySelector('[data-reactions]');
  if (!place) return;
  const mine = new Set([...place.querySelectorAll('[aria-pressed="true"]')].map((button) => button.value));
  const focused = place.contains(document.activeElement) ? document.activeElement.value : null;
  place.replaceChildren(...reactions.filter((each) => each.count > 0).map(({ emoji, count: n }) => reaction(id, emoji, n, mine.has(emoji))));
  if (focused) [...place.children].find((button) => button.value === focused)?.focus();
}

function reaction(id, emoji, n, mine) {
  return el('button', {
    class: 'reaction', form: 'act', formaction: `/posts/${id}/reactions${mine ? '?undo=1' : ''}`, name: 'emoji', value: emoji, 'aria-pressed': String(mine),
  }, `${emoji} ${n}`);
}

// ---- Acts: shown at once, put right if refused

function pretend(button) {
  const address = new URL(button.formAction);
  const undo = address.searchParams.has('undo');
  const id = /\/posts\/([^/]+)\/reactions$/.exec(address.pathname)?.[1];
  if (id && button.name === 'emoji') {
    const place = post(id)?.querySelector('[data-reactions]');
    if (!place) return () => {};
    const before = [...place.childNodes];
    const now = [...place.querySelectorAll('button')].map((each) => ({
      emoji: each.value, count: Number(/\d+$/.exec(each.textContent.trim())?.[0] ?? 0), mine: each.getAttribute('aria-pressed') === 'true',
    }));
    let target = now.find((each) => each.emoji === button.value);
    if (!target) now.push(target = { emoji: button.value, count: 0, mine: false });
    if (target.mine === !undo) return () => {};
    target.count += undo ? -1 : 1;
    target.mine = !undo;
    const focused = place.contains(document.activeElement);
    place.replaceChildren(...now.filter((each) => each.count > 0).map((each) => reaction(id, each.emoji, each.count, each.mine)));
    if (focused) ([...place.children].find((each) => each.value === button.value) ?? post(id).querySelector('[data-more]'))?.focus();
    return () => place.replaceChildren(...before);
  }
  if (!button.hasAttribute('aria-pressed')) return () => {};
  const flip = () => {
    const pressed = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', String(pressed));
    const next = new URL(button.formAction);
    if (pressed) next.searchParams.set('undo', '1');
    else next.searchParams.delete('undo');
    button.setAttribute('formaction', next.pathname + next.search);
  };
  flip();
  return flip;
}

async function act(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const url = button?.hasAttribute('formaction') ? button.formAction : form.action;
  const revert = button ? pretend(button) : () => {};
  const article = button?.closest('article[data-post]') ?? menu.about();
  menu.close();
  try {
    const response = await request(url, { method: 'POST', body });
    if (response.redirected) { location.assign(response.url); return; }
    if (!response.ok) { revert(); toast(await refusal(response)); return; }
    if (response.status === 204 || !response.headers.get('content-type')?.includes('html')) return;
    const answer = parse(await response.text());
    for (const each of answer.querySelectorAll('article[data-post]')) replace(each);
    setHead(answer.querySelector('[data-topic-head]'));
    if (article && !article.isConnected && document.activeElement === document.body) {
      const again = post(article.dataset.post);
      if (again) focusOn(again);
    }
  } catch {
    revert();
    toast(word('offline'));
  }
}

async function reply(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const send = form.querySelector('.btn-primary');
  if (send.getAttribute('aria-disabled') === 'true') return;
  send.setAttribute('aria-disabled', 'true');
  replying += 1;
  try {
    const response = await request(form.action, { method: 'POST', body });
    if (response.redirected) { location.assign(response.url); return; }
    const html = response.headers.get('content-type')?.includes('html');
    if (response.ok && html) {
      const article = parse(await response.text()).querySelector('article[data-post]');
      reset(form);
      fresh.delete(article.dataset.post);
      if (insert(article)) replies(1);
      const shown = post(article.dataset.post);
      focusOn(shown);
      shown.scrollIntoView({ block: 'center' });
      say(word('posted'));
    } else if (response.status === 422 && html) {
      const again = parse(await response.text()).querySelector('form[data-composer]');
      if (!again) { toast(word('failed')); return; }
      form.replaceWith(again);
      enhance(again.parentElement);
      again.closest('.dock')?.classList.add('is-open');
      (again.querySelector('[data-autofocus]') ?? again.querySelector('textarea'))?.focus();
    } else {
      toast(await refusal(response), 12);
    }
  } catch {
    toast(word('offline'), 12);
  } finally {
    send.removeAttribute('aria-disabled');
    replying -= 1;
    if (!replying) onEvents(held.splice(0));
  }
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.dataset.async === undefined || event.submitter?.name === 'preview') return;
  event.preventDefault();
  if (form.dataset.async === 'reply') reply(form, event.submitter);
  else act(form, event.submitter);
});

const menu = menus({ template: 'post-menu', item: 'article[data-post]', id: (article) => article.dataset.post });

document.addEventListener('click', (event) => {
  if (event.target.closest('[data-new-replies]')) showFresh();
  const folder = event.target.closest('[data-fold]');
  if (folder) fold(folder.closest('article'), { focus: true });
  const opener = event.target.closest('[data-unfold]');
  if (opener) unfold(opener.closest('article'), { focus: true });
});

// ---- Live

if (main.dataset.signedIn !== undefined) {
  live.subscribe(main.dataset.stream, {
    since: Number(main.dataset.head),
    epoch: main.dataset.epoch,
    onEvents,
    onReset: () => { stale.thread = true; renew(); },
    onLost: () => location.reload(),
  });
}

// A reply link that was followed without JS, then with it: the composer knows whom it answers.
const asked = new URLSearchParams(location.search).get('reply');
const form = document.querySelector('form#composer');
if (asked && form && post(asked)) replyTo(form, post(asked));
