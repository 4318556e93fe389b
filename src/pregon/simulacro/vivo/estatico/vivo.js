// The page works without this: it puts in place the parts that the server says have changed, and keeps the portals in
// the frames at the cut that each difusor shows.
const main = document.getElementById("contenido");
const clock = document.getElementById("reloj");
const link = document.getElementById("enlace");
const voice = document.getElementById("voz");
const form = document.getElementById("elige");
const frames = document.querySelector(".marcos");
const section = document.getElementById("portales");
const CHANGE_MS = 10_000; // a portal that does not load in this time is shown as it is

const { serie } = main.dataset;
let version = ""; // the first word is the whole: what each portal shows is told only there
let ahead = Number(main.dataset.ahora) * 1000 - Date.now(); // hours by the server's clock, whatever this machine's says
let night = clock.dataset.hora ? { hora: +clock.dataset.hora, desde: +clock.dataset.desde, ritmo: +clock.dataset.ritmo } : null;
let portals = {}, focus = [], over = false;
let goodbye = ""; // what is said until the night that follows is there

function says(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function lasts(seconds) {
  const s = Math.max(0, seconds);
  return s < 120 ? `${Math.floor(s)} s` : `${Math.floor(s / 60)} min`;
}

function tick() {
  if (over || goodbye) return;
  const now = (Date.now() + ahead) / 1000;
  if (night) says(clock, new Date((night.hora + (now - night.desde) * night.ritmo) * 1000).toISOString().slice(11, 19));
  for (const each of document.querySelectorAll("[data-desde]:not(time)")) says(each, lasts(now - each.dataset.desde));
}

// The portals.

function figure(ident) {
  return [...frames.children].find((each) => each.dataset.id === ident);
}

function frame(ident, { url, muestra }) {
  const made = document.createElement("iframe");
  made.title = `Portal de ${ident}`;
  made.dataset.muestra = muestra ?? "";
  made.src = url;
  return made;
}

// The new one takes the place of the old one when it is there: nobody sees an empty screen.
function load(box, ident) {
  const screen = box.querySelector(".pantalla");
  const portal = portals[ident];
  if (!portal?.url) {
    screen.replaceChildren(Object.assign(document.createElement("p"), { className: "suave", textContent: "Todavía no atiende." }));
    return;
  }
  const next = frame(ident, portal);
  next.classList.add("viene");
  for (const each of screen.querySelectorAll(".viene")) each.remove();
  const old = [...screen.children];
  const there = () => {
    if (!next.isConnected || !next.classList.contains("viene")) return;
    next.classList.remove("viene");
    for (const each of old) each.remove();
  };
  next.addEventListener("load", there);
  setTimeout(there, CHANGE_MS);
  screen.append(next);
}

function dress(box) {
  const { id } = box.dataset;
  const portal = portals[id];
  if (!portal) return;
  box.className = `portal ${portal.tono}${portal.falla ? " atacado" : ""}`;
  says(box.querySelector(".dice"), portal.dice);
  says(box.querySelector("em.falla"), portal.falla);
  const shown = box.querySelector("iframe:last-of-type");
  if (!shown || shown.dataset.muestra !== (portal.muestra ?? "") || shown.src !== portal.url) load(box, id);
}

function assign(box, ident) {
  if (box.dataset.id === ident) return;
  box.dataset.id = ident;
  const list = box.querySelector("select");
  if (document.activeElement !== list) list.value = ident;
  load(box, ident);
}

// Who has a fault now is among those shown; who is already there keeps its place.
function follow() {
  const boxes = [...frames.children];
  const wanted = new Set(focus.slice(0, boxes.length));
  const free = boxes.filter((box) => !wanted.has(box.dataset.id));
  const shown = new Set(boxes.map((box) => box.dataset.id));
  for (const ident of wanted) if (!shown.has(ident)) assign(free.shift(), ident);
}

function arrange() {
  if (form.elements.sigue.checked) follow();
  for (const box of frames.children) dress(box);
}

function count(many) {
  section.dataset.cuantos = many;
  while (frames.children.length > many) frames.lastElementChild.remove();
  const shown = new Set([...frames.children].map((box) => box.dataset.id));
  for (const ident of focus.filter((each) => !shown.has(each)).slice(0, many - frames.children.length)) {
    const box = frames.firstElementChild.cloneNode(true);
    box.dataset.id = "";
    box.querySelector(".pantalla").replaceChildren();
    box.querySelector("select").setAttribute("aria-label", `Portal ${frames.children.length + 1}`);
    frames.append(box);
    assign(box, ident);
  }
  arrange();
}

function remember() {
  const asked = new URLSearchParams(new FormData(form));
  if (form.elements.sigue.checked) asked.delete("p");
  history.replaceState(null, "", `/?${asked}`);
}

form.classList.add("con-guiones");
form.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.form !== form) return;
  if (target.name === "n") count(Number(target.value));
  else if (target.name === "p") {
    form.elements.sigue.checked = false;
    assign(target.closest("figure"), target.value);
    arrange();
  } else arrange();
  remember();
});

// What changes.

function parsed(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.firstElementChild;
}

function kind(cell) {
  return [...cell.classList].filter((each) => !["hoy", "lejos", "nuevo"].includes(each)).join();
}

function cells(part) {
  return new Map([...part.querySelectorAll("[data-k]")].map((each) => [each.dataset.k, kind(each)]));
}

function put(name, html) {
  const old = document.getElementById(name);
  const next = parsed(html);
  const held = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") ?? ".rollo" : null;
  const top = old.querySelector(".rollo")?.scrollTop;
  const before = cells(old);
  old.replaceWith(next);
  for (const each of next.querySelectorAll("[data-k]")) {
    if (before.get(each.dataset.k) !== kind(each)) each.classList.add("nuevo");
  }
  const roll = next.querySelector(".rollo");
  if (roll) {
    roll.scrollTop = top ?? 0;
    const on = roll.querySelector(".en_curso");
    if (on) roll.scrollTop = on.offsetTop - roll.querySelector("thead").offsetHeight;
  }
  if (held === ".rollo") roll?.focus({ preventScroll: true });
  else if (held) next.querySelector(`a[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

function take(event) {
  alive();
  const got = JSON.parse(event.data);
  if (got.serie !== serie) {
    location.reload(); // another rehearsal on the same port
    return;
  }
  version = got.version;
  ahead = got.ahora * 1000 - Date.now();
  night = got.reloj;
  ({ portales: portals, foco: focus } = got);
  for (const [name, html] of Object.entries(got.partes)) put(name, html);
  main.dataset.version = version;
  main.dataset.fase = got.fase;
  says(voice, document.querySelector("#ahora .grande")?.textContent.replace(/\s+/g, " ").trim() ?? "");
  arrange();
  tick();
}

let stream, quiet;

function alive() {
  says(link, goodbye);
  clearTimeout(quiet);
  quiet = setTimeout(lost, 40_000);
}

function lost() {
  if (over) return;
  says(link, goodbye || "Sin conexión con el ensayo: se interrumpió, o terminó. Lo que ve puede no estar al día.");
  if (stream.readyState === EventSource.CLOSED) setTimeout(open, 5000);
}

// The night is over: what is here stays, and says that it is old; where another one follows, it is asked for until it is there.
function end(event) {
  const { ok, sigue } = JSON.parse(event.data);
  over = !sigue;
  clearTimeout(quiet);
  stream.close();
  document.body.classList.add("fin");
  if (sigue) {
    goodbye = "Esta noche terminó. La que sigue aparece aquí sola.";
    lost();
    return;
  }
  says(link, ok === null ? "El ensayo se interrumpió antes de terminar. Esta página ya no cambia."
    : "El ensayo terminó. Esta página ya no cambia.");
}

function open() {
  if (over || document.hidden || (stream && stream.readyState !== EventSource.CLOSED)) return;
  stream = new EventSource(`/flujo?serie=${serie}&desde=${version}`);
  stream.addEventListener("partes", take);
  stream.addEventListener("latido", alive);
  stream.addEventListener("fin", end);
  stream.onopen = alive;
  stream.onerror = lost;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) stream?.close();
  else open();
});
tick();
setInterval(tick, 250);
open();
