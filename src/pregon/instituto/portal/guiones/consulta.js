// «Consulta tu casilla»: the form, the address of a result (#118, #gub/118, #pres/09-0118) and what is said meanwhile.
// Nothing is sent: fields have no name, the form is not submitted, and only files of the site are asked for.
import { casillaName, contestResult } from "./casillas.js";
import { make } from "./cifras.js";
import { fragment, parse, short } from "./direccion.js";
import { read } from "./lectura.js";
import { instant } from "./reloj.js";

const TITLE = document.title;
const NETWORK = "No se pudo leer; revise su conexión y vuelva a intentar con el botón Consultar. Su sección sigue escrita.";
let turn = 0;

const byId = (id) => document.getElementById(id);

function contests() {
  return [...document.querySelectorAll("[data-contienda]")].map(({ dataset, textContent }) => ({
    id: dataset.contienda,
    title: textContent,
    folder: dataset.datos,
    level: dataset.nivel,
    word: dataset.palabra,
    specials: "especiales" in dataset,
    columns: new Map(JSON.parse(dataset.columnas).map((column) => [column[0], column])),
    units: JSON.parse(dataset.unidades),
  }));
}

function say(words, { wrong = false, field = null } = {}) {
  byId("estado").textContent = words;
  byId("estado").classList.toggle("falla", wrong);
  for (const id of ["seccion", "entidad"]) {
    if (field === id) byId(id).setAttribute("aria-invalid", "true");
    else byId(id)?.removeAttribute("aria-invalid");
  }
  if (field) byId(field).focus();
}

function refuse(words, field = null) {
  turn += 1; // an answer on its way no longer matters
  byId("resultado").replaceChildren();
  document.title = TITLE;
  say(words, { wrong: true, field });
}

function heading(place, cut, own) {
  const entity = place.entity ? `, ${byId("entidad").selectedOptions[0].textContent}` : "";
  const later = cut.number > own.number ? " Son más recientes que las del encabezado de esta página." : "";
  const copy = make("button", { type: "button", id: "copiar" }, "Copiar enlace");
  return make("div", { class: "encabezado-consulta" },
    make("h2", { id: "t-resultado", tabindex: "-1" }, `Sección ${place.number}${entity}`), copy,
    make("p", { class: "menor", "data-corte-consulta": cut.number }, `Cifras del corte del ${instant(cut.instant)}.${later}`));
}

function none(place, all, chosen, one) {
  if (one && all.length > 1) {
    return `No hay una sección ${place.number} en ${chosen[0].title}. Pulse Consultar para buscarla en todas las elecciones.`;
  }
  return `No hay una sección ${place.number} en esta elección. Revise el número en su credencial${place.entity ? " y la entidad" : ""}.`;
}

// Some files give one name to several casillas («Contigua 1» for 1, 10 and 11): each of one unit counts. A casilla in
// two units is one, and so is an especial, which has an acta for each principle.
function howMany(there, names) {
  const found = new Set();
  for (const { contest, actas } of there) {
    const times = new Map();
    for (const acta of actas.filter(({ estado }) => estado !== "fuera_catalogo")) {
      const name = casillaName(acta, names);
      const here = `${acta[contest.level]} ${name}`;
      const before = times.get(here) ?? 0;
      times.set(here, before + 1);
      found.add(acta.tipo === "S" ? name : `${name} ${before}`);
    }
  }
  return found.size;
}

function own(all) {
  const stamp = document.querySelector(".corte");
  return { number: Number(stamp.dataset.corte), instant: stamp.querySelector("time").dateTime, last: false,
    folders: new Map(all.map((contest) => [contest.id, contest.folder])) };
}

// `again`: a new cut came while this result was on screen; it stays until the new one is here, and so does the reader.
async function look(place, one, again = false) {
  const mine = ++turn;
  const form = byId("consulta");
  const all = contests();
  const chosen = all.filter((contest) => !one || contest.id === one);
  const root = new URL(form.dataset.raiz, document.baseURI);
  if (!again) {
    byId("resultado").replaceChildren();
    say("Buscando…");
  }
  const page = own(all);
  let answer;
  try {
    answer = await read(root, page, chosen, place);
  } catch {
    if (mine === turn && !again) refuse(NETWORK);
    return;
  }
  if (mine !== turn) return;
  const is = ({ id, seccion }) => Number(seccion ?? id) === place.number;
  const found = chosen.map((contest, index) => ({ contest, sheet: answer.found[index] })).map(({ contest, sheet }) => ({
    contest, sheet, sections: sheet?.secciones.filter(({ id }) => Number(id) === place.number) ?? [],
    actas: sheet?.casillas.filter((acta) => acta.seccion !== null && is(acta)) ?? [],
  }));
  const there = found.filter(({ actas }) => actas.length > 0);
  if (there.length === 0) return void refuse(none(place, all, chosen, one), "seccion");
  const names = JSON.parse(form.dataset.casillas);
  const result = byId("resultado");
  const opened = again ? [...result.querySelectorAll("[data-eleccion][open]")].map((node) => node.dataset.eleccion)
    : [there[0].contest.id];
  const reading = result.contains(document.activeElement);
  result.replaceChildren(heading(place, answer.cut, page));
  there.forEach(({ contest, sheet, sections, actas }) => result.append(contestResult(sections, actas, sheet,
    { form, contest, names, place, cut: answer.cut, root, open: opened.includes(contest.id), link: `#${contest.id}/${short(place)}` })));
  const missing = found.filter(({ actas }) => actas.length === 0).map(({ contest }) => contest.title);
  if (missing.length) result.append(make("p", { class: "menor" }, `La sección ${place.number} no participa en: ${missing.join(", ")}.`));
  const casillas = howMany(there, names);
  document.title = `Sección ${place.number} · ${TITLE}`;
  say(`La sección ${place.number} tiene ${casillas === 1 ? "1 casilla" : `${casillas} casillas`}.`);
  if (!again || reading) byId("t-resultado").focus({ preventScroll: again });
}

function show(again = false) {
  const text = fragment();
  if (!/[\d/]/.test(text)) {
    if (text === "" && byId("resultado").firstChild) refuse("");
    return; // an anchor of the page itself
  }
  const asked = parse(text);
  const all = contests();
  const federal = byId("entidad");
  if (asked === null || (asked.entity && !federal)) {
    return refuse("No se entiende esa dirección. Escriba aquí el número de sección.", "seccion");
  }
  const { contest: one, entity, number } = asked;
  byId("seccion").value = number;
  if (one && !all.some(({ id }) => id === one)) {
    return refuse("Esa elección no está en estos resultados. Pulse Consultar para buscar la sección en las que sí están.");
  }
  const place = { entity: federal ? (entity ?? federal.value).padStart(2, "0") : "", number };
  if (federal) {
    if (![...federal.options].some(({ value }) => value && value === place.entity)) {
      return refuse("Elija su entidad y pulse Consultar: el número de sección se repite en cada una.", "entidad");
    }
    federal.value = place.entity;
  }
  look(place, one, again);
}

function submit() {
  const text = byId("seccion").value.trim();
  if (!/^\d{1,4}$/.test(text)) {
    return refuse("Escriba el número de sección: de uno a cuatro dígitos, como 118.", "seccion");
  }
  const federal = byId("entidad");
  if (federal && !federal.value) return refuse("Elija su entidad.", "entidad");
  const address = `#${short({ entity: federal?.value, number: Number(text) })}`;
  if (location.hash === address) show();
  else location.hash = address; // hashchange shows it
}

async function copy() {
  try {
    await navigator.clipboard.writeText(location.href);
    say("Enlace copiado.");
  } catch {
    say(`No se pudo copiar. Esta es la dirección: ${location.href}`);
  }
}

// On the document: whatever replaces the form or the result, these stay.
document.addEventListener("submit", (event) => {
  if (event.target.id !== "consulta") return;
  event.preventDefault();
  submit();
});
document.addEventListener("click", (event) => { if (event.target.id === "copiar") copy(); });
addEventListener("hashchange", () => show());
document.addEventListener("pregon:corte", () => { if (byId("resultado").firstChild) show(true); });
show();
byId("consulta").dataset.lista = ""; // from here on it answers
