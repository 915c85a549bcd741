// Unsent texts, kept in this browser per member and form. On a shared computer only while the tab lives.
const DAYS = 30;
const me = document.querySelector('meta[name="me"]');

function store() {
  try { return me?.dataset.shared !== undefined ? sessionStorage : localStorage; } catch { return null; }
}

const key = (form) => (form.dataset.draft && me?.content ? `draft:${me.content}:${form.dataset.draft}` : null);

// Hidden fields too (which post is answered), but no token and nothing secret.
function fields(form) {
  return [...form.elements].filter((field) => field.name && !field.name.startsWith('_') &&
    (field.matches('textarea, input[type="text"], input[type="hidden"], input:not([type])')));
}

// Setting a hidden field also sets its default, so only what is typed counts.
const typed = (form) => fields(form).filter((field) => field.type !== 'hidden');
const untouched = (form) => typed(form).map((field) => field.defaultValue).join('\u0000');
const pending = new Map();

// Files that have gone up and are not sent yet: the server keeps them for a day.
const KEPT = 20 * 3_600_000;
const attached = (form) => [...form.querySelectorAll('[data-attached] > [data-markdown]')].map((chip) => ({
  markdown: chip.dataset.markdown, name: chip.dataset.name, url: chip.dataset.url, picture: Boolean(chip.querySelector('img')), at: Number(chip.dataset.at),
}));

export function save(form) {
  const name = key(form);
  if (!name) return;
  clearTimeout(pending.get(form));
  pending.set(form, setTimeout(() => write(form, name), 400));
}

function write(form, name) {
  clearTimeout(pending.get(form));
  pending.delete(form);
  const files = attached(form);
  const changed = files.length > 0 || typed(form).some((field) => field.value !== field.defaultValue);
  try {
    if (!changed) store()?.removeItem(name);
    else store()?.setItem(name, JSON.stringify({ at: Date.now(), base: untouched(form), values: fields(form).map((field) => [field.name, field.value]), files }));
  } catch { /* full or off: the text is still in the form */ }
}

addEventListener('pagehide', () => { for (const form of [...pending.keys()]) write(form, key(form)); });

const read = (name) => JSON.parse((name && store()?.getItem(name)) || 'null');

/** The files of a draft that the server still has. */
export function files(form) {
  try { return (read(key(form))?.files ?? []).filter((file) => Date.now() - file.at < KEPT); } catch { return []; }
}

/** Puts a draft back if the form still starts from the same text. Says whether it did. */
export function restore(form) {
  const name = key(form);
  try {
    const draft = read(name);
    if (!draft || draft.base !== untouched(form) || Date.now() - draft.at > DAYS * 86_400_000) return false;
    if (typed(form).some((field) => field.value !== field.defaultValue)) return false; // the browser was first
    for (const [field, value] of draft.values) if (form.elements[field]) form.elements[field].value = value;
    return true;
  } catch { return false; }
}

// A form that is sent leaves the page before anybody knows what becomes of it: a refusal, an ended
// session and a lost connection look alike from here. So its draft stays until the page comes that
// only an accepted text leads to.
const SENT = 'sent';

export function sent(form) {
  const name = key(form);
  if (!name) return;
  write(form, name);
  try { sessionStorage.setItem(SENT, JSON.stringify({ name, at: Date.now() })); } catch { /* off: the draft stays */ }
}

/** On every page: clears the draft of a form whose result this is. A topic that was reached by a redirect is one. */
export function arrived() {
  try {
    const marker = JSON.parse(sessionStorage.getItem(SENT) || 'null');
    if (!marker) return;
    sessionStorage.removeItem(SENT);
    const [navigation] = performance.getEntriesByType('navigation');
    const accepted = document.querySelector('main[data-topic], main[data-resource]') && navigation?.redirectCount > 0 && Date.now() - marker.at < 600_000;
    if (accepted && marker.name.startsWith(`draft:${me?.content}:`)) store()?.removeItem(marker.name);
  } catch { /* off */ }
}

export function clear(form) {
  clearTimeout(pending.get(form));
  pending.delete(form);
  const name = key(form);
  try { if (name) store()?.removeItem(name); } catch { /* off */ }
}
