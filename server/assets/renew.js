// Messages fetched again as they now are, and put over what is shown. What cannot be fetched is
// tried again, ever later.
import { pauseAfter } from './dom.js';
import { idOf } from './log.js';
import { onState } from './socket.js';
import { views } from './views.js';

const TOGETHER = 50;
const stale = new Set();
const flying = new Set();
let running = null;
let tries = 0;
let timer = 0;

export function renew(ids) {
  for (const id of ids) if (views().some((view) => view.log.find(id))) stale.add(id);
  clearTimeout(timer);
  running ??= run().finally(() => { running = null; });
  return running;
}

/** It has changed: an answer that is on its way may be older than that. */
export function touched(id) {
  if (flying.has(id)) stale.add(id);
  for (const view of views()) view.log.held?.changed.add(id);
}

async function run() {
  while (stale.size) {
    const now = [...stale].slice(0, TOGETHER);
    for (const id of now) { stale.delete(id); flying.add(id); }
    try {
      const part = await views()[0].log.part(`ids=${now.map(encodeURIComponent).join(',')}`);
      tries = 0;
      const found = new Map([...part.querySelectorAll('.msg')].map((article) => [idOf(article), article]));
      for (const view of views()) {
        view.log.put([...found.values()].filter((article) => view.log.find(idOf(article))).map((article) => article.cloneNode(true)));
        for (const id of now) if (!found.has(id)) view.log.remove(id);
      }
    } catch {
      for (const id of now) stale.add(id);
      timer = setTimeout(() => renew([]), pauseAfter(tries));
      tries += 1;
      return;
    } finally { flying.clear(); }
  }
}

onState((state) => { if (state === 'online' && stale.size) { tries = 0; renew([]); } });
