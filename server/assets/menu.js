// The menu of a post or message: one template, filled where it is opened. Without scripts its
// opener is a link to a page with the same acts.
import { el } from './dom.js';

const OPENER = '[data-more], .msg-more';

/**
 * template: id of the template; item: selector of what it is about; id(item): what `{id}` stands for.
 * Nodes with `data-if="flag"` (or `!flag`) stay if `can(item)`, by default its `data-can`, has (or lacks) the flag.
 */
export function menus({ template, item, id, places = () => ({}), can: flags = (about) => new Set((about.dataset.can ?? '').split(' ')) }) {
  let menu = null;
  let of = null;

  function close({ focus = false } = {}) {
    if (!menu) return;
    const opener = menu.parentElement?.querySelector(OPENER);
    menu.remove();
    menu = null;
    opener?.setAttribute('aria-expanded', 'false');
    if (focus) opener?.focus();
  }

  function open(opener) {
    const about = opener.closest(item);
    const same = menu && of === about;
    close();
    if (same) return;
    of = about;
    const can = flags(about);
    const values = { id: id(about), ...places(about) };
    menu = el('div', { class: 'menu-body' });
    menu.append(document.getElementById(template).content.cloneNode(true));
    for (const node of menu.querySelectorAll('*')) {
      const flag = node.dataset?.if;
      if (flag && can.has(flag.replace('!', '')) === flag.startsWith('!')) { node.remove(); continue; }
      for (const { name, value } of [...node.attributes]) {
        if (value.includes('{')) node.setAttribute(name, value.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole));
      }
    }
    const anchor = opener.closest('.menu') ?? opener.parentElement.appendChild(el('span', { class: 'menu' }));
    if (!anchor.contains(opener)) anchor.append(opener);
    anchor.append(menu);
    opener.setAttribute('aria-expanded', 'true');
    // Where it would leave the window, or the log that cuts it off, it moves aside or opens upwards;
    // where there is no room for it on either side it scrolls.
    const box = menu.getBoundingClientRect();
    if (box.left < 8) menu.style.right = `${box.left - 8}px`;
    const clip = opener.closest('.scroll')?.getBoundingClientRect();
    const at = opener.getBoundingClientRect();
    const dock = (document.querySelector('.dock') ?? document.querySelector('.tabbar'))?.getBoundingClientRect().top || innerHeight;
    const below = Math.min(dock, clip?.bottom ?? innerHeight) - at.bottom - 12;
    const above = at.top - Math.max(64, clip?.top ?? 0) - 12;
    const up = box.height > below && above > below;
    menu.classList.toggle('to-top', up);
    if (box.height > Math.max(above, below)) Object.assign(menu.style, { maxHeight: `${Math.max(up ? above : below, 120)}px`, overflowY: 'auto' });
    menu.querySelector('button, a')?.focus();
  }

  document.addEventListener('click', (event) => {
    // A question about an act of the menu: its button has to be there for the answer.
    if (event.target.closest('dialog')) return;
    const more = event.target.closest(OPENER);
    if (more?.closest(item) && document.getElementById(template) && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      open(more);
    } else if (menu && (!menu.contains(event.target) || event.target.closest('[data-quote], [data-copy], [data-do]'))) {
      const focus = Boolean(event.target.closest('[data-copy]'));
      setTimeout(() => close({ focus })); // after the others have seen where the press was
    }
  });
  document.addEventListener('keydown', (event) => {
    if (!menu) return;
    if (event.key === 'Escape') { event.preventDefault(); close({ focus: true }); }
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const items = [...menu.querySelectorAll('button, a')];
      const next = items[(items.indexOf(document.activeElement) + (event.key === 'ArrowDown' ? 1 : -1) + items.length) % items.length];
      event.preventDefault();
      next.focus();
    }
  });

  /** What the open menu is about, if one is open. */
  return { close, about: () => (menu ? of : null) };
}
