// Tells on an open page whether its cut is still the current one. Without this the page is complete: it states its own.
const MINUTE_MS = 60_000;
const MONTHS = ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
  "noviembre", "diciembre"];
const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}:\d{2})(?::\d{2})?(Z|[+-]\d{2}:\d{2})$/;

const strip = document.querySelector("[data-vigente]");
const stamp = strip.querySelector(".corte");
const time = stamp.querySelector("time");
const status = stamp.querySelector(".siguiente");
const own = { number: Number(stamp.dataset.corte), hour: time.dateTime };
let asked = -MINUTE_MS;
let known = own.number;

async function ask(url) {
  const answer = await fetch(url, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer;
}

function parts(instant) {
  const [, year, month, day, hour, offset] = INSTANT.exec(instant);
  return { date: `${Number(day)} de ${MONTHS[Number(month) - 1]}`, year, hour: `${hour}\u00a0h`, offset };
}

// The same figures in a later cut: its moment, and since when nothing has changed here.
function same(instant) {
  const now = parts(instant);
  const since = parts(own.hour);
  if (now.offset !== since.offset) return; // the words for the zone would be others
  const zone = time.textContent.slice(time.textContent.indexOf("("));
  time.dateTime = instant;
  time.textContent = `${now.date} de ${now.year}, ${now.hour} ${zone}`;
  status.textContent = now.date === since.date
    ? `${strip.dataset.igual} desde las ${since.hour}`
    : `Sin cambios desde las ${since.hour} del ${since.date}`;
}

function newer() {
  const link = document.createElement("a");
  link.href = location.pathname + location.search;
  link.textContent = "Actualizar";
  status.replaceChildren("Hay un corte más reciente. ", link);
}

async function check() {
  if (performance.now() - asked < MINUTE_MS) return;
  asked = performance.now();
  try {
    const current = await (await ask(new URL(strip.dataset.vigente, document.baseURI))).json();
    if (current.formato !== "pregon/corte/1" || !(current.corte > known)) return;
    const page = await (await ask(location.href)).text();
    const shown = /<p class="corte" data-corte="(\d+)"/.exec(page);
    if (shown === null) return;
    known = current.corte;
    if (Number(shown[1]) !== own.number) newer();
    else if (strip.dataset.igual) same(current.hora_corte);
  } catch {
    // No network, or nothing there: the page already says of which cut its figures are.
  }
}

// A page that changes at every cut is current when it loads; one of a unit may be of an earlier cut.
if (strip.dataset.igual) check();
document.addEventListener("visibilitychange", () => { if (!document.hidden) check(); });
addEventListener("pageshow", (event) => { if (event.persisted) check(); });
