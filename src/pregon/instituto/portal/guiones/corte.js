// Keeps an open page at the current cut, and says so where it is not. Without this the page is complete: it states its
// own cut and the hour of the next one (docs/adr/0008).
import { Vigente } from "./vigente.js";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const LONGEST_RETRY = 4; // minutes, and a quarter more
const SPREAD_MS = 20 * SECOND_MS; // of the question that comes before saying that a cut is late
const STEP_MS = 30 * SECOND_MS; // a computer that slept finds out within this
const REST_MS = 5 * SECOND_MS; // between two questions, however often the network comes and goes

const vigente = new Vigente(document.querySelector("[data-vigente]"));
let failures = 0;
let busy = false;
let askAt = 0;
let seen = 0; // the latest time told here: an earlier one means that this clock was set back
let timer;

function make(tag, properties, text) {
  return Object.assign(document.createElement(tag), properties, { textContent: text });
}

function tell() {
  const { state = "", said = "", words, link, href } = vigente.message;
  const { status, strip } = vigente;
  // A status that is written again is read out again.
  if ((strip.dataset.estado ?? "") === state && status.textContent === said + words + (link ?? "")) return;
  if (state) strip.dataset.estado = state;
  else delete strip.dataset.estado;
  const parts = said
    ? [make("span", { className: "ya-dicho" }, said), make("span", { className: "dicho" }, words)] : [words];
  if (link) parts.push(make("a", { href }, link));
  status.replaceChildren(...parts);
}

// When to ask next. Nobody waits longer than an interval: the clock may be off.
function plan() {
  const { asked, clock, interval, last, next, deadline } = vigente;
  const left = next - clock.now();
  let wait = MINUTE_MS * (1 + Math.random() / 4);
  if (failures) wait *= Math.min(2 ** (failures - 1), LONGEST_RETRY);
  else if (last) wait += HOUR_MS;
  else if (left > 0) wait = Math.min(left, interval) + Math.random() * MINUTE_MS;
  if (!last && asked < deadline) wait = Math.min(wait, Math.max(deadline - clock.now(), 0) + Math.random() * SPREAD_MS);
  askAt = Date.now() + wait;
}

// What the institute says of it; nobody else needs the module, and it never holds up the next question.
async function delayed() {
  const { announce } = await import("./retraso.js").catch(() => ({}));
  announce?.(vigente);
}

async function ask() {
  busy = true;
  try {
    failures = (await vigente.ask()) ? 0 : failures + 1;
  } catch {
    failures += 1; // the page says its hour, and when it is old that it is
  }
  if (!failures && vigente.due) delayed();
  else if (!vigente.due) document.getElementById("retraso")?.remove();
  busy = false;
  plan();
  tick();
}

function tick() {
  clearTimeout(timer);
  if (document.hidden || busy) return;
  const now = Date.now();
  if (now < seen - STEP_MS) askAt = 0; // what was planned is hours away, and what was learnt of the hour is not so
  seen = now;
  if (now >= askAt) {
    ask();
    return;
  }
  tell();
  timer = setTimeout(tick, Math.min(askAt - now, STEP_MS));
}

// The reader is here again, or the network is.
function back(least) {
  if (vigente.idle >= least) askAt = 0;
  tick();
}

const usual = () => (vigente.last && !failures ? HOUR_MS : MINUTE_MS);
document.addEventListener("visibilitychange", () => back(usual()));
addEventListener("pageshow", (event) => { if (event.persisted) back(usual()); });
addEventListener("online", () => back(failures ? REST_MS : usual()));

// The page that checks this site is told which site, only if the reader goes there, in the part that is never sent.
for (const way of ["click", "auxclick"]) {
  document.addEventListener(way, ({ target }) => {
    const link = target instanceof Element && target.closest("a[data-verificador]");
    if (link) link.hash = `sitio=${encodeURIComponent(new URL(".", vigente.source))}`;
  });
}

if (window.parent !== window) import("./marco-ajeno.js"); // nobody else needs it
plan();
if (vigente.doubtful) askAt = 0;
tick();
