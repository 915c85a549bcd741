// A case study that is written: drafts kept while typing, saving in place, and what others do.
//
// Invariant: a text that somebody types is never replaced by another. What others save into a part
// that is being written is told beside it, and shown with the differences before it can be saved. A form has
// the version that its text was begun on (`base`), which moves only when it is saved or let go, and the one
// that its writer has seen (`version`), which saving asks for.
import { word, lang } from './words.js';
import { el, parse, reach, refusal, request, show, toast } from './dom.js';
import { enhance } from './composer.js';
import { live, onFrame } from './socket.js';
import { fill, forget, recall, remember, typed, untouched } from './study-kept.js';
import './study.js';

const main = document.querySelector('main[data-study]');
const page = `/case-studies/${main.dataset.study}`;
const api = `/api/v1${page}`;
const clock = new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit' });
const KEEP_AFTER = 1200;
// What a browser sends for a page that is gone has 64 KiB, all of it together.
const LAST_BREATH = 60_000;
let breath = 0;

const part = (key) => main.querySelector(`[data-part="${CSS.escape(key)}"]`);
const nameOf = (handle) => document.querySelector(`#authors option[value="${CSS.escape(handle)}"]`)?.textContent || `@${handle}`;
const keyOf = (node) => node.closest('[data-part]')?.dataset.part;
const say = (message) => { const line = main.querySelector('[data-announce]'); if (line) line.textContent = message; };
const tell = (section, message, warns = false) => {
  const line = section.querySelector('[data-saved]');
  if (!line) return;
  line.textContent = message;
  line.classList.toggle('is-warning', warns);
};

// ---- What is typed and not saved

const changed = new Map(); // by part: {had: what the server has of it, left: what its page was left with, timer, sending, again, saving}

const isChanged = (key) => changed.has(key);

function measures(form) {
  return [...form.querySelectorAll('[data-measure]')].map((row) => {
    const value = (name) => row.querySelector(`[name="m.${name}"]`)?.value.trim() ?? '';
    return Object.fromEntries(['name', 'before', 'after', 'unit', 'n', 'period', 'method', 'source'].map((name) => [name, value(name)]));
  }).filter((measure) => Object.values(measure).some((value) => value !== ''));
}

function content(form) {
  const fields = {};
  for (const field of form.querySelectorAll('[name^="field."]')) fields[field.name.slice(6)] = field.value;
  const kept = { body: form.elements.body?.value ?? '', fields, base_version: Number(form.elements.base.value) };
  if (form.querySelector('[data-measures]')) kept.measures = measures(form);
  return kept;
}

main.addEventListener('input', (event) => {
  const form = event.target.closest('[data-part-form]');
  if (!form || !event.target.name) return;
  const key = keyOf(form);
  const state = changed.get(key) ?? { had: untouched(form) };
  clearTimeout(state.timer);
  state.timer = setTimeout(() => keep(key), KEEP_AFTER);
  changed.set(key, state);
  tell(part(key), word('notSaved'));
});

async function keep(key, leaving = false) {
  const state = changed.get(key);
  if (!state || state.saving) return;
  if (state.sending && !leaving) { state.again = true; return; }
  const sending = Promise.all([state.sending, send(key, state, leaving)]);
  state.sending = sending;
  await sending;
  if (state.sending !== sending) return;
  state.sending = null;
  if (state.again) { state.again = false; keep(key); }
}

async function send(key, state, leaving) {
  const section = part(key);
  const form = section?.querySelector('[data-part-form]');
  if (!form) return;
  const [json, text] = [content(form), typed(form)];
  const size = leaving ? new Blob([JSON.stringify(json)]).size : 0;
  const keepalive = leaving && breath + size < LAST_BREATH;
  if (keepalive) breath += size;
  const answer = await reach(`${api}/parts/${key}/draft`, { method: 'PUT', json, accept: 'application/json', keepalive });
  if (answer?.response.ok) {
    [state.had, state.left] = [text, null];
    if (typed(form) === text) forget(key);
    tell(section, word('draftKept', { time: clock.format(new Date()) }));
    return;
  }
  tell(section, answer ? await refusal(answer.response) : word('offline'), true);
  clearTimeout(state.timer);
  state.timer = setTimeout(() => keep(key), 5000);
}

/** A draft under way is sent with the page's last breath, and waits in this tab for the page to be loaded again. */
function leave() {
  breath = 0;
  for (const [key, state] of changed) {
    const form = part(key)?.querySelector('[data-part-form]');
    const text = form && typed(form);
    if (!form || text === state.left || (text === state.had && !state.sending)) continue;
    state.left = text;
    remember(key, form, state.had);
    // What is being saved must not become a draft after it.
    if (state.saving) continue;
    clearTimeout(state.timer);
    keep(key, true);
  }
}

addEventListener('pagehide', leave);
document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'hidden') leave(); });

/** Puts back what the page was left with before the server had it. */
function putBack() {
  for (const section of main.querySelectorAll('[data-part]')) {
    const key = section.dataset.part;
    const form = section.querySelector('[data-part-form]');
    const left = form && recall(key, form);
    if (!left) continue;
    fill(form, left.fields, addMeasure);
    [form.elements.version.value, form.elements.base.value] = [left.version, left.base];
    changed.set(key, { had: left.here });
    tell(section, word('notSaved'));
    keep(key);
    // Somebody saved it in between.
    if (left.base !== section.dataset.version) look(key);
  }
}

// ---- Saving

const halfTyped = (box) => [...box.querySelectorAll('textarea')].some((text) => text.value !== text.defaultValue);

/** Where one goes on whose place is gone with the comments it was in: in the thread, in the new one, or where one is begun. */
function goOn(fresh, box, inside) {
  const within = inside.closest('article')?.id;
  const isHere = (each) => (within ? each.id === within : !box.querySelector(`#${CSS.escape(each.id)}`));
  const thread = [...fresh.querySelectorAll('article')].find(isHere);
  const said = [...thread?.querySelectorAll('.comment') ?? []].at(-1);
  const place = thread?.querySelector(':scope > details > summary') ?? said ?? fresh.querySelector('.comment-new > summary') ?? fresh;
  if (!place.matches('summary')) place.tabIndex = -1;
  place.focus();
}

/** Puts newer comments in the place of a box; what is half typed in it goes along, but for what was sent. */
function swapComments(box, fresh, sent = new Map()) {
  for (const text of box.querySelectorAll('textarea[id]')) {
    if (text.value === text.defaultValue || sent.get(text.id) === text.value) continue;
    // The field of a thread that was resolved meanwhile is gone: its text goes to that of a new one.
    const place = fresh.querySelector(`#${CSS.escape(text.id)}`) ?? fresh.querySelector('.comment-new textarea');
    if (!place) continue;
    place.value = place.value.trim() && place.value !== place.defaultValue ? `${place.value}\n\n${text.value}` : text.value;
    const fold = place.closest('details');
    if (fold) fold.open = true;
  }
  const inside = box.contains(document.activeElement) ? document.activeElement : null;
  const place = inside?.matches('textarea') ? [inside.selectionStart, inside.selectionEnd] : null;
  box.replaceWith(fresh);
  if (!inside) return;
  const again = inside.id ? fresh.querySelector(`#${CSS.escape(inside.id)}`) : null;
  again?.focus({ preventScroll: true });
  if (again && place) again.setSelectionRange(...place);
  if (!again || document.activeElement !== again) goOn(fresh, box, inside);
}

/**
 * Puts an answer in the place of a part. `sent` is what the form held when the answer was asked for: what somebody
 * typed since stays as it is, and gets the versions and what has to be said of it alone; if the other text was to be
 * `taken`, nothing of it.
 */
function put(html, sent, taken = false) {
  const answer = parse(html);
  const fresh = answer.querySelector('[data-part]');
  const key = fresh?.dataset.part;
  const section = key && part(key);
  if (!section) return {};
  const form = section.querySelector('[data-part-form]');
  const next = fresh.querySelector('[data-part-form]');
  // An answer that was overtaken by a later one.
  if (Number(fresh.dataset.version) < Number(section.dataset.version)) return { section, kept: true };
  const kept = typed(form) !== sent;
  if (kept && taken) return { section, kept };
  const inside = form.contains(document.activeElement);
  section.dataset.version = fresh.dataset.version;
  if (fresh.dataset.written === undefined) delete section.dataset.written;
  else section.dataset.written = '';
  if (kept) {
    for (const name of ['version', 'base']) form.elements[name].value = next.elements[name].value;
    for (const notice of form.querySelectorAll('[data-notice]')) notice.remove();
    form.querySelector('.part-guide').after(...next.querySelectorAll('[data-notice]'));
    form.querySelector('[data-overtaken]').replaceChildren();
  } else {
    form.replaceWith(next);
  }
  const box = section.querySelector('[data-comments]');
  const said = fresh.querySelector('[data-comments]');
  if (box && said && !halfTyped(box) && !box.contains(document.activeElement)) {
    if (box.querySelector('.comment-new')?.open && said.querySelector('.comment-new')) said.querySelector('.comment-new').open = true;
    box.replaceWith(said);
  }
  const progress = answer.querySelector('[data-progress]');
  if (progress) main.querySelector('[data-progress]')?.replaceWith(progress);
  const mark = main.querySelector(`[data-toc-part="${CSS.escape(key)}"] [data-mark]`);
  if (mark) mark.hidden = section.dataset.written === undefined;
  return { section, kept, inside };
}

main.addEventListener('submit', async (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.matches('[data-part-form]')) {
    event.preventDefault();
    await save(form, event.submitter);
  } else if (form.matches('[data-comment]')) {
    event.preventDefault();
    await comment(form, event.submitter);
  }
});

async function save(form, submitter) {
  const section = form.closest('[data-part]');
  const key = section.dataset.part;
  if (submitter?.name === 'more') { addMeasure(form).querySelector('input').focus(); return; }
  const taken = submitter?.name === 'take';
  const state = changed.get(key) ?? { had: untouched(form) };
  clearTimeout(state.timer);
  state.saving = true;
  changed.set(key, state);
  tell(section, word('saving'));
  // A draft that is on its way must not come after what it became.
  await state.sending;
  clearTimeout(state.timer);
  const [body, sent] = [new URLSearchParams(new FormData(form, submitter)), typed(form)];
  const answer = await reach(form.action, { method: 'POST', body });
  // Letters that were typed while the answer was on its way are a draft again.
  state.saving = false;
  clearTimeout(state.timer);
  state.timer = setTimeout(() => keep(key), KEEP_AFTER);
  if (!answer || answer.html === null) {
    tell(section, answer ? await refusal(answer.response) : word('offline'), true);
    return;
  }
  const { response, html } = answer;
  const { kept, inside } = put(html, sent, taken);
  if (response.ok && !kept) {
    clearTimeout(state.timer);
    changed.delete(key);
    forget(key);
    tell(section, taken ? '' : word('saved', { time: clock.format(new Date()) }));
    if (inside) section.querySelector('.part-foot .btn-primary')?.focus();
  } else if (response.ok) {
    if (!taken) state.had = sent;
    tell(section, taken ? word('notSaved') : word('savedSome', { time: clock.format(new Date()) }));
  } else if (!kept) {
    (section.querySelector('[aria-invalid]') ?? section.querySelector('.conflict') ?? section).focus();
  }
}

let added = 0;
function addMeasure(form) {
  const sheet = document.getElementById('measure').content.firstElementChild.firstElementChild.cloneNode(true);
  added += 1;
  for (const node of sheet.querySelectorAll('[id], [for]')) {
    if (node.id) node.id = node.id.replace(/^m-/, `m-new-${added}-`);
    if (node.htmlFor) node.htmlFor = node.htmlFor.replace(/^m-/, `m-new-${added}-`);
  }
  const rows = form.querySelectorAll('[data-measure]');
  const last = rows[rows.length - 1];
  if (last) last.after(sheet);
  else form.querySelector('[data-measures] .actions').before(sheet);
  return sheet;
}

// ---- Comments

async function comment(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  const box = form.closest('[data-comments]');
  const target = submitter?.getAttribute('formaction') ?? form.getAttribute('action');
  // To resolve a thread sends no text: what is typed in it stays.
  const said = submitter?.hasAttribute('formaction') ? [] : [...form.querySelectorAll('textarea[id]')];
  const sent = new Map(said.map((text) => [text.id, text.value]));
  const answer = await reach(target, { method: 'POST', body });
  if (!answer || answer.html === null) { toast(answer ? await refusal(answer.response) : word('offline')); return; }
  const fresh = parse(answer.html).querySelector('[data-comments]');
  if (fresh && box.isConnected) swapComments(box, fresh, sent);
  say(word(said.length ? 'commented' : 'commentsChanged'));
}

async function renewComments(key) {
  const find = () => main.querySelector(`[data-comments="${CSS.escape(key)}"]`);
  // Not while somebody writes in it, and not if they began while the answer was on its way.
  const busy = (box) => !box || box.contains(document.activeElement) || halfTyped(box);
  if (busy(find())) return;
  const answer = await reach(`${page}/comments?part=${key}`);
  if (!answer?.response.ok || answer.html === null) return;
  const fresh = parse(answer.html).querySelector('[data-comments]');
  const box = find();
  if (fresh && !busy(box)) box.replaceWith(fresh);
}

// ---- What others do

function isWritten(key) {
  const form = part(key)?.querySelector('[data-part-form]');
  // Who is shown what two texts differ in reads on in peace.
  return isChanged(key) || Boolean(form?.querySelector('.conflict')) || (document.activeElement?.matches('textarea, input, select') && form?.contains(document.activeElement));
}

/** Says so beside what is told of drafts, which goes on while somebody types; it stays until the part is compared or saved. */
function warn(key, who) {
  const line = part(key).querySelector('[data-overtaken]');
  const compare = el('button', { type: 'button', class: 'btn btn-small' }, word('compare'));
  compare.addEventListener('click', () => look(key));
  line.replaceChildren(`${word('overtaken', { name: nameOf(who) })} `, compare);
}

async function renew(key, who) {
  if (!part(key)) return;
  if (isWritten(key)) { warn(key, who); return; }
  const form = part(key).querySelector('[data-part-form]');
  const before = typed(form);
  const answer = await reach(`${form.getAttribute('action')}?fragment=part`);
  if (!answer?.response.ok || answer.html === null) return;
  // Somebody may have begun to write while the answer was on its way.
  if (isWritten(key) || typed(part(key).querySelector('[data-part-form]')) !== before) { warn(key, who); return; }
  const { section, kept } = put(answer.html, before);
  if (section && !kept) tell(section, word('savedBy', { name: nameOf(who), time: clock.format(new Date()) }));
}

/** Shows what the two differ in; nothing is saved by it. */
async function look(key) {
  const form = part(key).querySelector('[data-part-form]');
  const [body, sent] = [new URLSearchParams(new FormData(form)), typed(form)];
  body.set('compare', '1');
  const answer = await reach(form.action, { method: 'POST', body });
  if (!answer || answer.html === null) { toast(answer ? await refusal(answer.response) : word('offline')); return; }
  const { section, kept } = put(answer.html, sent);
  if (section && kept) tell(section, word('notSaved'));
  else if (section) (section.querySelector('.conflict') ?? section).focus();
}

function heard(items) {
  for (const { event, data } of items) {
    if (event === 'part.edited') {
      const section = data?.key && part(data.key);
      // One's own save says so itself; what this page already shows is no news.
      const own = data.updated_by === main.dataset.me && changed.get(data.key)?.saving;
      if (section && !own && data.version > Number(section.dataset.version)) renew(data.key, data.updated_by);
    } else if (event.startsWith('comment.') && data?.part) {
      renewComments(data.part);
    } else if (event === 'state.changed' && data?.state && data.state !== main.dataset.state && !(data.state === 'revised' && main.dataset.state === 'published')) {
      toast(word('studyMoved'), 30);
    }
  }
}

if (main.dataset.stream) {
  live.subscribe(main.dataset.stream, {
    since: Number(main.dataset.head),
    epoch: main.dataset.epoch,
    onEvents: heard,
    onReset: () => toast(word('studyMoved'), 30),
  });
}

onFrame((frame) => {
  if (frame.type !== 'presence' || frame.stream !== main.dataset.stream) return;
  const line = main.querySelector('[data-here]');
  const others = (frame.online ?? []).filter((each) => each.handle !== main.dataset.me);
  line?.replaceChildren(...(others.length ? [word('alsoHere'), ...others.map((each) => el('span', {},
    el('img', { src: `/people/${each.handle}/avatar`, width: 24, height: 24, alt: '' }), each.display_name))] : []));
});

// ---- Figures

main.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-figure]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const text = link.closest('[data-part-form]')?.querySelector('textarea[data-markdown]');
  if (!text) return;
  event.preventDefault();
  figure(text);
});

function figure(text) {
  const file = el('input', { id: 'figure-file', type: 'file', name: 'file', accept: 'image/png,image/jpeg,image/gif,image/webp', required: true });
  const alt = el('textarea', { id: 'figure-alt', name: 'alt', rows: 3, maxlength: 500, required: true, 'aria-describedby': 'figure-hint' });
  const line = el('p', { class: 'error', role: 'status' });
  const form = el('form', { class: 'form' },
    el('h2', { id: 'figure-title' }, word('figure')),
    el('div', { class: 'field' }, el('label', { for: 'figure-file' }, word('figureFile')), file),
    el('div', { class: 'field' }, el('label', { for: 'figure-alt' }, word('figureAlt')), el('p', { class: 'hint', id: 'figure-hint' }, word('figureHint')), alt),
    line,
    el('div', { class: 'actions' }, el('button', { type: 'button', class: 'btn', 'data-close': true }, word('cancel')), el('button', { class: 'btn btn-primary' }, word('figureAdd'))));
  const dialog = el('dialog', { 'aria-labelledby': 'figure-title' }, form);
  form.querySelector('[data-close]').addEventListener('click', () => dialog.close());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const described = alt.value.trim().replace(/\s+/g, ' ');
    if (!file.files.length || !described) { line.textContent = word('figureNeeds'); return; }
    const body = new FormData();
    body.append('file', file.files[0]);
    const response = await request('/api/v1/files', { method: 'POST', body, accept: 'application/json' });
    if (!response.ok) { line.textContent = await refusal(response); return; }
    const stored = await response.json();
    dialog.close();
    const before = text.value.slice(0, text.selectionStart);
    const gap = before && !before.endsWith('\n\n') ? '\n\n' : '';
    text.focus();
    text.setRangeText(`${gap}![${described.replace(/([\\[\]])/g, '\\$1')}](${stored.url})\n\n`, text.selectionStart, text.selectionEnd, 'end');
    text.dispatchEvent(new Event('input', { bubbles: true }));
  });
  show(dialog);
}

// ---- The writing tools come where somebody writes

main.addEventListener('focusin', (event) => {
  const form = event.target.closest('[data-part-form]');
  if (!form || !event.target.matches('textarea[data-markdown]') || form.dataset.composer !== undefined) return;
  form.dataset.composer = '';
  enhance(form.parentElement);
});
putBack();
main.dataset.ready = '';
