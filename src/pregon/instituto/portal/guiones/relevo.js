// Puts the page of a new cut where the old one stands, all of it at once, without losing the reader's place: what is
// the same stays the same element, so that open details, focus, selection, typed text and side scrolls stay too.
const OWN = ["id", "data-clave", "data-unidad", "data-acta", "data-autorizacion", "data-nota"];
// What the reader or another module may have changed since the page came.
const OF_READER = new Set(["open", "hidden", "style", "tabindex", "aria-pressed", "aria-expanded", "aria-sort", "value",
  "checked"]);
const KEPT = "data-conserva";

const assets = (page) => [...page.head.querySelectorAll("link[rel=stylesheet], script[src]")]
  .flatMap((item) => ["href", "src", "data-guiones"].map((key) => item.getAttribute(key))).join(" ");
const ours = assets(document);

// The page that a text is, or null where it is no page of results.
export function parse(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  return page.querySelector("[data-vigente] .corte[data-corte] time") && page.querySelector("main") ? page : null;
}

// Whether it is made for the style sheet and the modules that are already here.
export function fits(page) {
  return assets(page) === ours;
}

function name(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return node.nodeType;
  const own = OWN.find((key) => node.hasAttribute(key));
  return own ? `${node.localName} ${own} ${node.getAttribute(own)}` : node.localName;
}

function attributes(old, fresh) {
  for (const { name: key, value } of fresh.attributes) {
    if (!OF_READER.has(key) && old.getAttribute(key) !== value) old.setAttribute(key, value);
  }
  for (const key of old.getAttributeNames()) {
    if (!OF_READER.has(key) && !fresh.hasAttribute(key)) old.removeAttribute(key);
  }
}

function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.hasAttribute(KEPT) || old.localName === "noscript") return;
  if (old !== document.body) attributes(old, fresh); // those of the body say how it is shown, not what
  const before = new Map();
  for (const child of old.childNodes) {
    const key = name(child);
    if (!before.has(key)) before.set(key, []);
    before.get(key).push(child);
  }
  const wanted = [...fresh.childNodes].map((child) => [before.get(name(child))?.shift(), child]);
  const staying = new Set(wanted.map(([found]) => found));
  let place = old.firstChild;
  for (const [found, child] of wanted) {
    while (place && !staying.has(place)) place = place.nextSibling;
    if (found) morph(found, child);
    if (found && found === place) place = place.nextSibling;
    else old.insertBefore(found ?? document.importNode(child, true), place);
  }
  for (const node of [...before.values()].flat()) if (!node.hasAttribute?.(KEPT)) node.remove();
}

function lineage(element) {
  const found = [];
  for (let item = element; item && item !== document.body; item = item.parentElement) found.push(item);
  return found;
}

// What is read now: the first thing under the strip that stays on screen.
function reading() {
  const top = Math.max(document.querySelector("[data-vigente]").getBoundingClientRect().bottom, 0) + 4;
  for (const share of [0.5, 0.15, 0.85]) {
    const found = document.elementFromPoint(innerWidth * share, top);
    if (found?.closest("main")) return lineage(found).map((item) => [item, item.getBoundingClientRect().top]);
  }
  return [];
}

export function relieve(page) {
  const root = document.documentElement;
  const places = scrollY > 0 ? reading() : [];
  const focused = lineage(document.activeElement);
  root.style.overflowAnchor = "none"; // where the browser would also keep the place, both would move it
  document.title = page.title;
  morph(document.body, page.body);
  const kept = places.find(([item]) => item.isConnected);
  if (kept) scrollBy({ top: kept[0].getBoundingClientRect().top - kept[1], behavior: "instant" });
  root.style.overflowAnchor = "";
  const [active] = focused;
  if (!active || active === document.activeElement) return;
  const next = (active.id && document.getElementById(active.id)) || focused.find((item) => item.isConnected);
  if (!next) return;
  if (next !== active && next.tabIndex < 0) next.tabIndex = -1;
  next.focus({ preventScroll: true });
}
