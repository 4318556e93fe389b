// Draws the pieces of <pregon-resultados>: no markup is ever made of text.
import { integer, letters, percent, trunc4 } from "./cifras.js";
import { clase } from "./colores.js";

const WIDTH = 1000;
const SVG = "http://www.w3.org/2000/svg";

/** An element with its attributes and what is in it; text is only ever text. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** A drawing of one line: pieces of some width, each with its class. */
function strip(kind, width, pieces) {
  const drawing = document.createElementNS(SVG, "svg");
  const set = (element, values) => Object.entries(values).forEach(([key, value]) => element.setAttribute(key, value));
  set(drawing, { class: kind, viewBox: `0 0 ${width} 1`, preserveAspectRatio: "none", "aria-hidden": "true" });
  let x = 0;
  for (const [size, color] of pieces) {
    const piece = document.createElementNS(SVG, "rect");
    set(piece, { class: color, x, width: size, height: 1 });
    drawing.append(piece);
    x += size;
  }
  return drawing;
}

/** How much is counted. */
export function progress(unit, data) {
  const sum = data.recalculado;
  const actas = unit ? data.actas
    : { esperadas: sum.ACTAS_ESPERADAS, capturadas: sum.ACTAS_CAPTURADAS, contabilizadas: sum.ACTAS_CONTABILIZADAS };
  const shares = unit ? data.porcentajes_actas
    : { capturadas: sum.PORCENTAJE_ACTAS_CAPTURADAS, contabilizadas: sum.PORCENTAJE_ACTAS_CONTABILIZADAS };
  const turnout = unit ? data.participacion : sum.PORCENTAJE_PARTICIPACION_CIUDADANA;
  const width = Math.max(actas.esperadas, actas.capturadas, 1);
  const figure = (title, value, share) => make("div", {}, make("dt", {}, title), make("dd", {}, make("b", {}, value), share));
  return [
    make("dl", { class: "avance" },
      figure("Actas contabilizadas", percent(shares.contabilizadas), ` ${integer(actas.contabilizadas)} de ${integer(actas.esperadas)}`),
      figure("Actas capturadas", percent(shares.capturadas), ` ${integer(actas.capturadas)}`),
      figure("Participación ciudadana", percent(turnout), "")),
    strip("medidor", width, [[actas.contabilizadas, "m-contabilizadas"],
      [Math.max(actas.capturadas - actas.contabilizadas, 0), "m-capturadas"]]),
  ];
}

/** The table of votes. */
export function votes({ index, data, given, apart, total, table }) {
  const most = Math.max(...given.map((line) => line.votos), 1);
  const scaled = (count) => Math.floor((count * WIDTH) / most);
  const color = (key) => clase(index.partidos, key);
  const row = (who, count, share, kind) => make("tr", { class: kind, role: "row" },
    make("th", { scope: "row", role: "rowheader" }, ...who),
    make("td", { "data-votos": count, role: "cell" }, integer(count)), make("td", { role: "cell" }, percent(share)));
  const body = make("tbody", { role: "rowgroup" });
  for (const line of given) {
    const own = line.partidos.map((key) => [scaled(data.contendientes[key] ?? 0), color(key)]);
    const rest = scaled(line.votos) - own.reduce((sum, [size]) => sum + size, 0);
    const pieces = line.partidos.length === 1 ? [[scaled(line.votos), color(line.partidos[0])]]
      : rest >= 0 ? [...own, [rest, "c-suma"]] : [[scaled(line.votos), "c-suma"]];
    const text = line.propietaria && table === "candidaturas"
      ? [make("b", {}, line.propietaria), make("small", {}, letters(index, line))] : [make("b", {}, letters(index, line))];
    const who = make("span", { class: "quien" },
      strip("ficha", line.partidos.length, line.partidos.map((key) => [1, color(key)])), make("span", {}, ...text));
    const made = row([who, strip("barra", WIDTH, pieces)], line.votos, line.porcentaje, line.votos === most ? "gana" : "");
    made.dataset.clave = line.clave;
    body.append(made);
  }
  const foot = make("tfoot", { role: "rowgroup" }, ...apart.map(([title, count]) => row([title], count, trunc4(count, total), "")),
    row(["Total"], total, trunc4(total, total), "total"));
  const head = [table === "partidos" ? "Partido" : "Candidatura", "Votos", "Porcentaje"].map((title, place) =>
    make("th", { scope: "col", role: "columnheader", class: place > 0 ? "n" : "" }, title));
  // The roles keep it a table where the style lays it out as a grid.
  return make("table", { role: "table" },
    make("caption", {}, table === "partidos" ? "Votos por partido" : "Votos por candidatura"),
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...head)), body, foot);
}
