// What <pregon-resultados> says of a cut, and how it is drawn: no markup is ever made of text.
import { count as integer, make, percent, trunc4 } from "./cifras.js";
import { clase } from "./colores.js";

const WIDTH = 1000;
const SVG = "http://www.w3.org/2000/svg";
const SMALL_WORDS = new Set(["de", "del", "la", "las", "los", "el", "y", "e"]);

/** `007. TENABO` -> `Tenabo`. */
export function name(text) {
  const bare = text.replace(/^\s*\d+\s*[.\-–:]\s*/, "") || text;
  if (bare !== bare.toUpperCase()) return bare;
  return bare.toLowerCase().split(/\s+/).map((word, place) =>
    place > 0 && SMALL_WORDS.has(word) ? word : word.replace(/^\p{L}/u, (first) => first.toUpperCase())).join(" ");
}

/** The lines of a table: who, votes and percentage, most votes first; and what belongs to nobody. */
export function lines(index, data, table, total) {
  const known = table === "partidos"
    ? index.partidos.map((party) => ({ clave: party.clave, partidos: [party.clave], propietaria: null }))
    : index.candidaturas;
  const running = new Set(index.candidaturas.flatMap((one) => one.partidos));
  const given = data.resultado?.[table] ?? known
    .filter((one) => one.clave in data[table] && (data[table][one.clave] > 0 || running.has(one.partidos[0])))
    .map((one) => ({ ...one, votos: data[table][one.clave], porcentaje: trunc4(data[table][one.clave], total) }))
    .sort((one, other) => other.votos - one.votos);
  const contending = new Set([...index.partidos.map((party) => party.clave), ...given.map((one) => one.clave)]);
  const apart = Object.entries(data[table])
    .filter(([key, votes]) => !contending.has(key) && (votes > 0 || /NUL|^VN$|NO.?REG|CNR/i.test(key)))
    .map(([key, votes]) => [/NUL|^VN$/i.test(key) ? "Votos nulos" : "Candidaturas no registradas", votes]);
  return { given, apart };
}

/** The letters of the parties of a line: `PAN · PRI`. */
export function letters(index, line) {
  return line.partidos.map((key) => index.partidos.find((party) => party.clave === key)?.siglas ?? key).join(" · ");
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
