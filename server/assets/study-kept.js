// What a part held when its page was left, kept in this tab until the server has it: the page that is loaded
// next may be answered before the draft that was sent with the last breath of this one is stored.
const study = document.querySelector('main[data-study]')?.dataset.study;
const me = document.querySelector('meta[name="me"]')?.content;
// Whoever signs out takes along what begins so.
const name = (key) => `draft:${me}:study:${study}:${key}`;

/** What a form holds, to be compared with what it held before. */
export function typed(form) {
  const held = new FormData(form);
  for (const own of ['version', 'base', '_csrf']) held.delete(own);
  return new URLSearchParams(held).toString();
}

/** The same of what it came with. */
export function untouched(form) {
  const copy = form.cloneNode(true);
  copy.reset();
  return typed(copy);
}

/** `was` is what the server had of it by then. */
export function remember(key, form, was) {
  const fields = [...new FormData(form)].filter(([field]) => /^(body$|field\.|m\.)/.test(field));
  const [version, base] = [form.elements.version.value, form.elements.base.value];
  try { sessionStorage.setItem(name(key), JSON.stringify({ at: Date.now(), was, text: typed(form), version, base, fields })); } catch { /* full or off */ }
}

export function forget(key) {
  try { sessionStorage.removeItem(name(key)); } catch { /* off */ }
}

/** What a part was left with, if that is newer than what its form came with; what the server has is let go. */
export function recall(key, form) {
  let left;
  try { left = JSON.parse(sessionStorage.getItem(name(key)) || 'null'); } catch { return null; }
  if (!left) return null;
  const here = untouched(form);
  const newer = here !== left.text && (here === left.was || !(Number(form.dataset.drafted) >= left.at));
  if (!newer) forget(key);
  return newer ? { ...left, here } : null;
}

/** Puts fields back into a form; `add` makes room for one more measure. */
export function fill(form, fields, add) {
  const rows = () => [...form.querySelectorAll('[data-measure]')];
  const wanted = fields.filter(([field]) => field === 'm.name').length;
  while (rows().length < wanted) add(form);
  for (const row of rows().slice(wanted)) row.remove();
  const seen = new Map();
  for (const [field, value] of fields) {
    const at = seen.get(field) ?? 0;
    seen.set(field, at + 1);
    const place = form.querySelectorAll(`[name="${CSS.escape(field)}"]`)[at];
    if (place) place.value = value;
  }
}
