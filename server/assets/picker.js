// Choosing an emoji: a few at hand, all others by name.
import { word } from './words.js';
import { el, request } from './dom.js';

const OFTEN = ['👍', '❤️', '🎉', '💡', '👀', '🙏', '✅', '😄', '😮', '😢', '🤔', '👏'];

/** Opens below or above `opener`; resolves to the emoji, or null if it was left. */
export function pickEmoji(opener) {
  document.querySelector('dialog.picker')?.close();
  return new Promise((resolve) => {
    const field = el('input', { type: 'search', 'aria-label': word('findEmoji'), placeholder: word('findEmoji'), autocomplete: 'off', maxlength: 30, autofocus: true });
    const grid = el('div', { class: 'emoji-pick' });
    const status = el('p', { class: 'sr', role: 'status' });
    const dialog = el('dialog', { class: 'picker', 'aria-label': word('pickEmoji') }, field, grid, status);
    let chosen = null;
    let asking;

    const draw = (items) => grid.replaceChildren(...items.map(([glyph, name]) => {
      const button = el('button', { type: 'button', class: 'reaction', 'aria-label': name, title: name }, glyph);
      button.addEventListener('click', () => { chosen = glyph; dialog.close(); });
      return button;
    }));

    async function find() {
      asking?.abort();
      const q = field.value.trim();
      if (!q) { draw(OFTEN.map((glyph) => [glyph, glyph])); return; }
      asking = new AbortController();
      try {
        const response = await request(`/complete?${new URLSearchParams({ kind: 'emoji', q })}`, { accept: 'application/json', signal: asking.signal });
        const { items = [] } = response.ok ? await response.json() : {};
        draw(items.map((item) => [item.value, item.label]));
        status.textContent = word('suggestions', { n: items.length });
      } catch { /* replaced by the next letter, or no connection */ }
    }

    field.addEventListener('input', find);
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      grid.querySelector('button')?.click();
    });
    dialog.addEventListener('close', () => { dialog.remove(); opener.focus?.(); resolve(chosen); });
    dialog.addEventListener('pointerdown', (event) => { if (event.target === dialog) dialog.close(); });
    document.body.append(dialog);
    find();
    dialog.showModal();
    const at = opener.getBoundingClientRect();
    dialog.style.left = `${Math.max(8, Math.min(at.left, innerWidth - dialog.offsetWidth - 8))}px`;
    dialog.style.top = `${at.bottom + dialog.offsetHeight + 8 < innerHeight ? at.bottom + 4 : Math.max(8, at.top - dialog.offsetHeight - 4)}px`;
  });
}
