// Shows the casillas of a sección: a card for each acta and one for their sum, contest by contest.
import { count, make, percent, trunc4 } from "./cifras.js";

const SVG = "http://www.w3.org/2000/svg";
const MAX_STRIPES = 6;
const COUNTED = "contabilizada";
const NOTHING = new Set(["", "-", "--", "N/A", "n/a", "[]"]); // how a database says none (tablas/estadistica.py)
const STATES = {
  contabilizada: "Contabilizada",
  no_contabilizada: "No contabilizada: no suma a los resultados",
  pendiente: "Por capturar",
  fuera_catalogo: "Fuera de catálogo: no suma a los resultados",
};

const bare = (text) => (/^\d+$/.test(text ?? "") ? text.replace(/^0+/, "") : "");

// As instituto/portal/formato.py `casilla`.
export function casillaName({ tipo, id_casilla: id, ext_contigua: following }, names) {
  if (!tipo) return "Sin casilla";
  const name = `${names[tipo] ?? `Tipo ${tipo}`} ${tipo === "B" ? "" : bare(id)}`.trim();
  return tipo === "E" && bare(following) ? `${name}, contigua ${bare(following)}` : name;
}

// As instituto/portal/vistas.py `folder_of_unit`.
export function unitFolder(level, id) {
  const text = id.trim();
  const name = /^\d+$/.test(text)
    ? String(Number(text)).padStart(3, "0")
    : text.toLowerCase().replace(/[^a-z0-9]/g, "-").replace(/^-+|-+$/g, "") || "sin-id";
  return id.includes("sin-") ? name : `${level}-${name}`;
}

function chip(colors) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", colors.length > 1 ? `ficha f${Math.min(colors.length, MAX_STRIPES)}` : "ficha");
  svg.setAttribute("aria-hidden", "true");
  colors.forEach((color, place) => {
    const stripe = document.createElementNS(SVG, "rect");
    const width = 100 / colors.length;
    for (const [name, value] of [["class", color], ["x", `${Math.floor(place * width)}%`],
      ["width", `${Math.ceil(width)}%`], ["height", "100%"]]) stripe.setAttribute(name, value);
    svg.append(stripe);
  });
  return svg;
}

function who([, words, colors]) {
  if (!colors) return words;
  return make("span", { class: "quien" }, chip(colors.split(" ")), make("span", { class: "texto siglas" }, words));
}

const said = (vote) => (vote === "vacio" ? "vacío" : vote.replaceAll("_", " "));

function votes(caption, keys, values, total, columns) {
  const body = make("tbody");
  const foot = make("tfoot");
  keys.forEach((key, place) => {
    const vote = values[place];
    const column = columns.get(key) ?? [key, key, ""];
    const figure = typeof vote === "number"
      ? make("td", { class: "n", "data-votos": vote }, count(vote))
      : make("td", { class: "n marca-acta", "data-marca": vote }, said(vote));
    (column[2] || !columns.has(key) ? body : foot)
      .append(make("tr", { "data-clave": key }, make("th", { scope: "row" }, who(column)), figure));
  });
  foot.append(make("tr", { class: "total", "data-clave": "total" }, make("th", { scope: "row" }, "Total de votos"),
    total === null ? make("td", { class: "n" }, "sin dato") : make("td", { class: "n", "data-votos": total }, count(total))));
  const head = make("thead", { class: "visible-lector" }, make("tr", {}, make("th", { scope: "col" }, "Columna del acta"),
    make("th", { scope: "col" }, "Votos")));
  return make("table", { class: "votos llano" }, make("caption", { class: "visible-lector" }, caption), head, body, foot);
}

function facts(entries) {
  const pairs = entries.map(([name, words, key]) =>
    make("div", {}, make("dt", {}, name), make("dd", key ? { "data-cifra": key } : {}, words)));
  return make("dl", { class: "datos-acta" }, ...pairs);
}

function image(acta, form, entity) {
  const values = { clave_acta: acta.clave_acta, clave_casilla: acta.clave, sha: acta.sha, entidad: entity,
    seccion: (acta.seccion ?? "").padStart(4, "0") };
  const parts = [];
  const address = form.dataset.imagenes?.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] || ""));
  const known = [...(form.dataset.imagenes ?? "").matchAll(/\{(\w+)\}/g)].every(([, name]) => values[name]);
  if (!acta.sha) return [make("p", { class: "menor" }, "Su imagen aún no está digitalizada.")];
  if (address && known) {
    parts.push(make("p", { class: "imagen" }, make("a", { href: address, rel: "noopener noreferrer", target: "_blank" },
      "Ver el acta en el sitio del instituto"), make("span", { class: "menor" }, " (otra pestaña)")));
  }
  parts.push(make("details", { class: "huella" }, make("summary", {}, "Huella de la imagen (SHA-256)"),
    make("code", { "data-sha": acta.sha }, acta.sha), make("p", { class: "menor" },
      "Si calcula la huella de la imagen y es igual, letra por letra, es la imagen que se capturó. Cómo hacerlo: «Huella SHA-256», al final de esta página.")));
  return parts;
}

function card(acta, sheet, shown) {
  const { form, contest, names, place } = shown;
  const name = casillaName(acta, names);
  const node = make("article", { class: `casilla e-${acta.estado}`, "data-acta": acta.id ?? "" }, make("h4", {}, name),
    make("p", { class: "estado-acta", "data-estado": acta.estado }, STATES[acta.estado] ?? acta.estado));
  const told = acta.observaciones ?? "";
  if (!NOTHING.has(told.trim())) node.append(make("p", { class: "observaciones" }, `Observaciones: ${told}`));
  const roll = ["Lista nominal", acta.tipo === "S" ? "No tiene" : acta.lista_nominal === null ? "sin dato"
    : count(acta.lista_nominal), "lista_nominal"];
  if (acta.estado === "pendiente") {
    node.append(facts([roll]));
    return node;
  }
  const marks = new Set(acta.votos);
  const caption = `Votos de la casilla ${name}, ${contest.title}`;
  if (marks.size === 1 && typeof acta.votos[0] === "string") {
    node.append(make("p", { class: "marca-acta", "data-marca-todas": acta.votos[0] },
      `Sin votos legibles: en todas sus columnas dice «${said(acta.votos[0])}».`));
  } else node.append(votes(caption, sheet.columnas, acta.votos, acta.total_votos, contest.columns));
  const measured = acta.estado === COUNTED && acta.tipo !== "S" && acta.lista_nominal > 0 && acta.total_votos !== null;
  node.append(facts([roll, ["Participación", measured ? percent(trunc4(acta.total_votos, acta.lista_nominal)) : "—", "participacion"]]),
    ...image(acta, form, place.entity || form.dataset.entidad));
  return node;
}

// During the night participation leaves out especiales; with the last cut they come in (prep.md §3).
function sum(section, actas, sheet, { contest, cut }) {
  const apart = contest.specials || cut.last ? [] : actas.filter((acta) => acta.estado === COUNTED && acta.tipo === "S");
  const voted = section.total_votos - apart.reduce((total, acta) => total + acta.total_votos, 0);
  const { esperadas, contabilizadas } = section.actas;
  return make("article", { class: "casilla suma", "data-suma": section.id }, make("h4", {}, "Suma de la sección"),
    make("p", { class: "estado-acta" }, `${contabilizadas} de ${esperadas} ${esperadas === 1 ? "acta contabilizada" : "actas contabilizadas"}`),
    votes(`Suma de la sección, ${contest.title}`, sheet.columnas, section.votos, section.total_votos, contest.columns),
    facts([["Lista nominal de lo contabilizado", count(section.lista_nominal), "lista_nominal"],
      ["Participación", section.lista_nominal > 0 ? percent(trunc4(voted, section.lista_nominal)) : "—", "participacion"]]));
}

function order(one, other) {
  return ["tipo", "id_casilla", "ext_contigua"].reduce((found, key) =>
    found || (one[key] ?? "").localeCompare(other[key] ?? "", "es", { numeric: true }), 0);
}

// The whole of one contest: what its sección adds up to in each unit, and its casillas.
export function contestResult(sections, actas, sheet, shown) {
  const { contest, root, open } = shown;
  const counted = sections.reduce((total, section) => total + section.actas.contabilizadas, 0);
  const expected = sections.reduce((total, section) => total + section.actas.esperadas, 0);
  const node = make("details", { class: "hoja eleccion", "data-eleccion": contest.id }, make("summary", {},
    make("h3", {}, contest.title), make("span", { class: "menor" }, expected === 1
      ? `${counted} de 1 acta contabilizada` : `${counted} de ${expected} actas contabilizadas`)));
  node.open = open;
  for (const section of [...sections, null]) {
    const unit = section?.[contest.level] ?? null;
    const here = actas.filter((acta) => (section === null
      ? !sections.some((other) => other[contest.level] === acta[contest.level]) : acta[contest.level] === unit)).sort(order);
    if (section === null && here.length === 0) continue;
    if (unit !== null) {
      const title = contest.units[unit] ?? unit;
      node.append(make("p", { class: "lugar" }, make("a", {
        href: new URL(`${contest.id}/${unitFolder(contest.level, unit)}/index.html`, root) },
      unit.includes("sin-") ? title : `${contest.word} ${title}`)));
    }
    node.append(make("div", { class: "casillas" }, ...(section ? [sum(section, here, sheet, shown)] : []),
      ...here.map((acta) => card(acta, sheet, shown))));
  }
  node.append(make("p", { class: "menor" }, make("a", { href: shown.link }, `Enlace a esta consulta, sólo ${contest.title}`)));
  return node;
}
