// What several modules need: elements, requests with the CSRF token, the two status lines.
import { word } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const sprite = new URL('icons.svg', import.meta.url);

/** el('button', {type: 'button', class: 'btn'}, 'text', child) */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `${sprite.pathname}#i-${name}`);
  svg.append(use);
  return svg;
}

/** Same-origin fetch that says it is one, and carries the CSRF token when it writes. */
export function request(url, { method = 'GET', body, json, accept = 'text/html', signal, keepalive = false } = {}) {
  const headers = { Accept: accept, 'X-Requested-With': 'fetch' };
  if (method !== 'GET') headers['X-CSRF-Token'] = document.querySelector('meta[name="csrf"]')?.content ?? '';
  if (json !== undefined) headers['Content-Type'] = 'application/json';
  return fetch(url, { method, body: json === undefined ? body : JSON.stringify(json), headers, signal, keepalive, credentials: 'same-origin' }).then((response) => { connected(); return response; });
}

/** An answer, with its text if it is a page; nothing if there is no connection. What else goes wrong is thrown. */
export async function reach(url, options) {
  try {
    const response = await request(url, options);
    const isPage = response.headers.get('content-type')?.startsWith('text/html');
    return { response, html: isPage ? await response.text() : null };
  } catch (error) {
    // This is how `fetch` says that nobody was reached.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** How long to wait after so many tries that came to nothing, in milliseconds: ever longer, and not all at once. */
export const pauseAfter = (tries) => Math.min(30_000, 1000 * 2 ** tries) * (0.5 + Math.random() / 2);

/** The files that are pasted. What is copied from a text or a table brings a picture of itself along: that is text. */
export function pasted({ clipboardData: data }) {
  const types = data?.types ?? [];
  return types.includes('text/html') && types.includes('text/plain') ? [] : [...data?.files ?? []];
}

/** The elements of an HTML fragment, parsed without running anything in it. */
export function parse(html) {
  return new DOMParser().parseFromString(html, 'text/html');
}

/** Takes back the word that there is no connection. */
export function connected() {
  const line = document.querySelector('[data-toast]');
  if (line && line.textContent === word('offline')) line.textContent = '';
}
addEventListener('online', connected);

let clearing;
/** A short message at the bottom, read out by screen readers; gone after a while. */
export function toast(message, seconds = 6) {
  const line = document.querySelector('[data-toast]');
  if (!line || !message) return;
  line.textContent = message;
  clearTimeout(clearing);
  clearing = setTimeout(() => { line.textContent = ''; }, seconds * 1000);
}

/** What a refused request says: the `detail` of its problem+json, else the general words. */
export async function refusal(response) {
  try {
    if (response?.headers.get('content-type')?.includes('json')) {
      const problem = await response.json();
      return problem.detail || problem.title || word('failed');
    }
  } catch { /* not the JSON it claimed to be */ }
  return word('failed');
}

/** A question in a dialog; resolves to whether it was answered with yes. */
export function ask({ title, text, yes, danger = false }) {
  return new Promise((resolve) => {
    const confirm = el('button', { class: `btn ${danger ? 'btn-danger' : 'btn-primary'}`, value: 'yes' }, yes || word('yes'));
    const form = el('form', { method: 'dialog' },
      el('h2', { id: 'ask-title' }, title),
      text ? el('p', { id: 'ask-text' }, text) : '',
      el('div', { class: 'actions' }, el('button', { class: 'btn', value: '', autofocus: true }, word('cancel')), confirm));
    show(el('dialog', { 'aria-labelledby': 'ask-title', 'aria-describedby': text ? 'ask-text' : null }, form),
      (dialog) => resolve(dialog.returnValue === 'yes'));
  });
}

/** Shows a dialog once; a press outside closes it; it leaves the page when closed. */
export function show(dialog, closed = () => {}) {
  document.body.append(dialog);
  dialog.addEventListener('close', () => { dialog.remove(); closed(dialog); });
  dialog.addEventListener('pointerdown', (event) => {
    const box = dialog.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (event.target === dialog && !inside) dialog.close('');
  });
  dialog.showModal();
}
