// Tables and lists of an acta's figures: numbers as they come in its file, nothing computed but a participation.
const SVG = "http://www.w3.org/2000/svg";
const MAX_STRIPES = 6;

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export const count = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

// Four decimals, truncated, as everywhere; both numbers are whole and far below 2^53.
export function share(part, whole) {
  const units = (part * 1_000_000 - (part * 1_000_000) % whole) / whole;
  return `${Math.trunc(units / 10_000)}.${String(units % 10_000).padStart(4, "0")}\u00a0%`;
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

export const said = (vote) => (vote === "vacio" ? "vacío" : vote.replaceAll("_", " "));

export function votes(caption, keys, values, total, columns) {
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

export function facts(entries) {
  const pairs = entries.map(([name, words, key]) =>
    make("div", {}, make("dt", {}, name), make("dd", key ? { "data-cifra": key } : {}, words)));
  return make("dl", { class: "datos-acta" }, ...pairs);
}
