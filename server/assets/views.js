// The views that are open: the room, and a thread beside it.
export const open = new Map();
export const views = () => [...open.values()];
export const viewOf = (node) => open.get(node.closest('[data-view]'));
