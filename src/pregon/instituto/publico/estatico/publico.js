// How old what this page shows is, and the newer state when there is one. Within a frame, also its height for whoever
// holds it. Without this script the page says its hour, and nothing is missing.
const LOOK_MS = 20_000;
const MINUTE_S = 60;
const root = document.documentElement;
const line = document.getElementById("edad");
const button = document.getElementById("nuevo");
let made = Date.parse(root.dataset.generado);
let version = root.dataset.version;
let limit = Infinity; // until when this state counts as fresh: «actual.json» says it
let ahead = 0; // a reader's clock may be off; the server's is told in each answer

function lapse(seconds) {
  const minutes = Math.floor(seconds / MINUTE_S);
  if (minutes < 1) return "menos de un minuto";
  if (minutes < 120) return minutes === 1 ? "un minuto" : `${minutes} minutos`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} horas` : `${Math.floor(minutes / 1440)} días`;
}

function say() {
  const now = Date.now() + ahead;
  const age = Math.max(0, (now - made) / 1000);
  const old = now > limit;
  const words = old ? `Son de hace ${lapse(age)}: el instituto no los ha actualizado.` : `Hace ${lapse(age)}.`;
  line.classList.toggle("vieja", old);
  if (line.textContent !== words) line.textContent = words;
}

// Whoever reads or moves within the page is not moved from there: a button waits for them.
const busy = () => document.getElementById("contenido").contains(document.activeElement)
  || document.getSelection().type === "Range" || document.querySelector("#contenido details[open]");

async function bring(asked) {
  if (!asked && busy()) {
    button.hidden = false;
    return;
  }
  const answer = await fetch(location.pathname, { cache: "no-cache" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const data = fresh.documentElement.dataset;
  if (!data.version) return;
  document.getElementById("contenido").replaceWith(fresh.getElementById("contenido"));
  document.querySelector(".edad time").replaceWith(fresh.querySelector(".edad time"));
  [version, made] = [data.version, Date.parse(data.generado)];
  if (asked) document.querySelector("h1").focus();
  button.hidden = true;
  say();
}

async function look() {
  try {
    const answer = await fetch("actual.json", { cache: "no-cache" });
    const date = Date.parse(answer.headers.get("date") ?? "");
    if (!Number.isNaN(date)) ahead = date + (Number(answer.headers.get("age")) || 0) * 1000 - Date.now();
    if (answer.ok) {
      const now = await answer.json();
      limit = now.vigente_hasta === null ? Infinity : Date.parse(now.vigente_hasta);
      if (String(now.version) !== version) await bring(false);
    }
  } catch {
    // Nobody answers: what is shown stays, and its age is told.
  }
  say();
}

button.addEventListener("click", () => bring(true));
say();
look();
setInterval(() => { if (!document.hidden) look(); }, LOOK_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
if (parent !== window) {
  new ResizeObserver(() => parent.postMessage({ pregon: "alto", alto: root.scrollHeight }, "*")).observe(document.body);
}
