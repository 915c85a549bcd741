// The views that are open: the room, and a thread beside it.
export const open = new Map();
export const views = () => [...open.values()];
export const viewOf = (node) => open.get(node.closest('[data-view]'));

/** Whether the page says that one may not write here. */
export const mayNot = () => Boolean(document.querySelector('.room-foot [data-no-say]'));
