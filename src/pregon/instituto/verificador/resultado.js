// What is shown: digests in groups, and the verdict, written only from what was established.
import { groups } from "./documentos.js";

export const $ = (id) => document.getElementById(id);
export const plural = (n, one, many) => `${n.toLocaleString("es-MX")} ${n === 1 ? one : many}`;

export const when = (iso) => {
  const [, date, hour] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(iso);
  return `las ${hour} del ${date.split("-").reverse().join("/")} (hora del corte)`;
};

function element(name, words, className) {
  const made = document.createElement(name);
  made.textContent = words;
  if (className) made.className = className;
  return made;
}

const list = (id, items) => $(id).replaceChildren(...items.map((words) => element("li", words)));

export function digest(id, value) {
  const lines = groups(value).join(" ").match(/.{19} ?/g); // four groups a line: a phone holds them
  $(id).replaceChildren(...lines.map((line) => element("span", line)));
}

export function verdict({ good, total, bad, old }) {
  if (bad.length) return ["mal", `No coincide: ${plural(bad.length, "archivo no es", "archivos no son")} lo que el instituto firmó.`];
  if (!good && total) return ["parte", "El manifiesto está firmado, pero ningún archivo del sitio se pudo leer desde aquí."];
  if (good < total) return ["parte", `Lo que se pudo leer es lo que el instituto firmó: ${good} de ${total} archivos.`];
  if (old) return ["parte", `Es auténtico y está completo, pero atrasado. ${old}`];
  return ["bien", `Coincide: los ${total} archivos son los que el instituto firmó.`];
}

export function finish(kind, words, found) {
  $("veredicto").className = kind;
  $("veredicto").textContent = words;
  list("probado", found?.proved ?? []);
  list("fallas", (found?.bad ?? []).map(([ruta, why]) => `${ruta}: ${why}.`));
  const always = ["Que a otras personas, u otro día, ese sitio les responda lo mismo.", "Que no tenga además otras páginas."];
  list("no-probado", [...(found?.old ? [found.old] : []), ...(found?.missing ?? []), ...always]);
  for (const id of ["probado", "fallas", "no-probado"]) $(id).parentElement.hidden = !$(id).children.length;
  $("resultado").hidden = false;
  $("veredicto").focus();
}
