// A case study that is read: which part is in view, and printing.
const links = [...document.querySelectorAll('[data-toc] a[href^="#"]')];
const parts = links.map((link) => document.getElementById(link.hash.slice(1)));

function mark() {
  const line = innerHeight * 0.3;
  let at = -1;
  parts.forEach((part, index) => { if (part && part.getBoundingClientRect().top <= line) at = index; });
  if (at >= 0 && innerHeight + scrollY >= document.documentElement.scrollHeight - 4) at = links.length - 1;
  links.forEach((link, index) => {
    if (index === at) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  });
  const list = links[at]?.closest('[data-toc]');
  const row = links[at];
  if (list && (row.offsetTop < list.scrollTop || row.offsetTop + row.offsetHeight > list.scrollTop + list.clientHeight)) {
    list.scrollTop = row.offsetTop - list.clientHeight / 2;
  }
}

let due = 0;
addEventListener('scroll', () => { if (!due) due = requestAnimationFrame(() => { due = 0; mark(); }); }, { passive: true });
if (links.length) mark();

// A link to a folded form opens it.
function unfold() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target && target.matches('details')) target.open = true;
}
addEventListener('hashchange', unfold);
unfold();

document.querySelector('[data-print]')?.addEventListener('click', () => print());
