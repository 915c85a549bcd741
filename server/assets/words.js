// The words JS shows, from the server's catalogue: a module of their own, kept by the browser.
import words from './texts.js';

const lang = document.documentElement.lang || undefined;
const plural = new Intl.PluralRules(lang);

/** word('newReplies', {n: 2}): the form for the count from `newReplies.one`, `newReplies.other`; fills `{name}` places. */
export function word(key, values = {}) {
  const text = words[key] ?? words[`${key}.${plural.select(values.n ?? 0)}`] ?? words[`${key}.other`] ?? '';
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

export { lang };
