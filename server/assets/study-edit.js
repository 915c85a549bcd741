// A case study that is written: drafts kept while typing, saving in place, and what others do.
//
// Invariant: a text that somebody types is never replaced by another. What others save into a part
// that is being written is told beside it, and shown with the differences before it can be saved.
import { word, lang } from './words.js';
import { el, parse, refusal, request, show, toast } from './dom.js';
import { enhance } from './composer.js';
import { live, onFrame } from './socket.js';
import './study.js';

const main = document.querySelector('main[data-study]');
const page = `/case-studies/${main.dataset.study}`;
const api = `/api/v1${page}`;
const clock = new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit' });
const KEEP_AFTER = 1200;

const part = (key) => main.querySelector(`[data-part="${CSS.escape(key)}"]`);
const keyOf = (node) => node.closest('[data-part]')?.dataset.part;
const say = (message) => { const line = main.querySelector('[data-announce]'); if (line) line.textContent = message; };
const tell = (section, message, warns = false) => {
  const line = section.querySelector('[data-saved]');
  if (!line) return;
  line.textContent = message;
  line.classList.toggle('is-warning', warns);
};

// ---- What is typed and not saved

const changed = new Map(); // by part: {timer, sending, again}

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
  const kept = { body: form.elements.body?.value ?? '', fields, base_version: Number(form.elements.version.value) };
  if (form.querySelector('[data-measures]')) kept.measures = measures(form);
  return kept;
}

main.addEventListener('input', (event) => {
  const form = event.target.closest('[data-part-form]');
  if (!form || !event.target.name) return;
  const key = keyOf(form);
  const state = changed.get(key) ?? {};
  clearTimeout(state.timer);
  state.timer = setTimeout(() => keep(key), KEEP_AFTER);
  changed.set(key, state);
  tell(part(key), word('notSaved'));
});

async function keep(key) {
  const state = changed.get(key);
  if (!state || state.saving) return;
  if (state.sending) { state.again = true; return; }
  state.sending = send(key, state);
  await state.sending;
  state.sending = null;
  if (state.again) { state.again = false; keep(key); }
}

async function send(key, state) {
  const section = part(key);
  const form = section?.querySelector('[data-part-form]');
  if (!form) return;
  try {
    const response = await request(`${api}/parts/${key}/draft`, { method: 'PUT', json: content(form), accept: 'application/json' });
    if (!response.ok) throw new Error(await refusal(response));
    tell(section, word('draftKept', { time: clock.format(new Date()) }));
  } catch (error) {
    tell(section, error instanceof TypeError ? word('offline') : error.message, true);
    state.timer = setTimeout(() => keep(key), 5000);
  }
}

// A draft under way is sent with the page's last breath.
addEventListener('pagehide', () => {
  for (const [key, state] of changed) {
    clearTimeout(state.timer);
    const form = part(key)?.querySelector('[data-part-form]');
    if (!form || state.saving) continue;
    fetch(`${api}/parts/${key}/draft`, {
      method: 'PUT', keepalive: true, credentials: 'same-origin', body: JSON.stringify(content(form)),
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': document.querySelector('meta[name="csrf"]')?.content ?? '' },
    }).catch(() => {});
  }
});

// ---- Saving

async function put(section, response) {
  const answer = parse(await response.text());
  const fresh = answer.querySelector('[data-part]');
  if (!fresh) return;
  const key = fresh.dataset.part;
  const open = section.querySelector('.comment-new')?.open;
  section.replaceWith(fresh);
  if (open && fresh.querySelector('.comment-new')) fresh.querySelector('.comment-new').open = true;
  const progress = answer.querySelector('[data-progress]');
  if (progress) main.querySelector('[data-progress]')?.replaceWith(progress);
  const mark = main.querySelector(`[data-toc-part="${CSS.escape(key)}"] [data-mark]`);
  if (mark) mark.hidden = fresh.dataset.written === undefined;
  return fresh;
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
  if (submitter?.name === 'more') { more(form); return; }
  const state = changed.get(key) ?? {};
  clearTimeout(state.timer);
  state.saving = true;
  changed.set(key, state);
  tell(section, word('saving'));
  // A draft that is on its way must not come after what it became.
  await state.sending;
  clearTimeout(state.timer);
  const body = new URLSearchParams(new FormData(form, submitter));
  try {
    const response = await request(form.action, { method: 'POST', body });
    const html = response.headers.get('content-type')?.startsWith('text/html');
    if (!html) {
      state.saving = false;
      tell(section, await refusal(response), true);
      return;
    }
    const fresh = await put(section, response);
    if (response.ok) {
      changed.delete(key);
      tell(fresh, word('saved', { time: clock.format(new Date()) }));
      fresh.querySelector('.part-foot .btn-primary')?.focus();
    } else {
      state.saving = false;
      (fresh?.querySelector('.conflict') ?? fresh?.querySelector('[aria-invalid]') ?? fresh)?.focus();
    }
  } catch {
    state.saving = false;
    tell(section, word('offline'), true);
  }
}

let added = 0;
function more(form) {
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
  sheet.querySelector('input').focus();
}

// ---- Comments

async function comment(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  const box = form.closest('[data-comments]');
  const target = submitter?.getAttribute('formaction') ?? form.getAttribute('action');
  try {
    const response = await request(target, { method: 'POST', body });
    if (!response.headers.get('content-type')?.startsWith('text/html')) { toast(await refusal(response)); return; }
    const fresh = parse(await response.text()).querySelector('[data-comments]');
    if (fresh) box.replaceWith(fresh);
    say(word('commented'));
  } catch {
    toast(word('offline'));
  }
}

async function renewComments(key) {
  const box = main.querySelector(`[data-comments="${CSS.escape(key)}"]`);
  // Not while somebody writes in it.
  if (!box || box.contains(document.activeElement) || [...box.querySelectorAll('textarea')].some((text) => text.value.trim())) return;
  const response = await request(`${page}/comments?part=${key}`);
  if (!response.ok) return;
  const fresh = parse(await response.text()).querySelector('[data-comments]');
  if (fresh) box.replaceWith(fresh);
}

// ---- What others do

const overtaken = new Set();

async function renew(key, who) {
  const section = part(key);
  if (!section) return;
  const form = section.querySelector('[data-part-form]');
  const writing = document.activeElement?.matches('textarea, input, select') && form.contains(document.activeElement);
  if (isChanged(key) || writing) {
    overtaken.add(key);
    const line = section.querySelector('[data-saved]');
    const compare = el('button', { type: 'button', class: 'btn btn-small' }, word('compare'));
    compare.addEventListener('click', () => look(key));
    line.classList.add('is-warning');
    line.replaceChildren(`${word('overtaken', { name: who })} `, compare);
    return;
  }
  const response = await request(`${form.action}?fragment=part`);
  if (!response.ok) return;
  const fresh = await put(section, response);
  if (fresh) tell(fresh, word('savedBy', { name: who, time: clock.format(new Date()) }));
}

/** Shows what the two differ in; nothing is saved by it. */
async function look(key) {
  const section = part(key);
  const form = section.querySelector('[data-part-form]');
  const body = new URLSearchParams(new FormData(form));
  body.set('compare', '1');
  const response = await request(form.action, { method: 'POST', body });
  if (!response.headers.get('content-type')?.startsWith('text/html')) { toast(await refusal(response)); return; }
  const fresh = await put(section, response);
  overtaken.delete(key);
  (fresh?.querySelector('.conflict') ?? fresh)?.focus();
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
main.dataset.ready = '';
