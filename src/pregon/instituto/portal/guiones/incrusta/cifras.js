// Figures, hours and names as the pages of the portal write them.
const MONTHS = ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
  "noviembre", "diciembre"];
const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}:\d{2}):\d{2}([+-])(\d{2}):(\d{2})$/;
const SMALL_WORDS = new Set(["de", "del", "la", "las", "los", "el", "y", "e"]);

export const integer = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
export const percent = (text) => `${text}\u00a0%`;

/** Four decimals, truncated, as everywhere in the portal; exact, because it only divides what divides. */
export function trunc4(part, whole) {
  if (whole === 0) return "0.0000";
  const scaled = (part * 1_000_000 - (part * 1_000_000) % whole) / whole;
  return `${Math.floor(scaled / 10_000)}.${String(scaled % 10_000).padStart(4, "0")}`;
}

export function moment(instant) {
  const [, year, month, day, hour, sign, hours, minutes] = INSTANT.exec(instant);
  const zone = `UTC${sign === "-" ? "−" : "+"}${Number(hours)}${minutes === "00" ? "" : `:${minutes}`}`;
  return `${Number(day)} de ${MONTHS[Number(month) - 1]} de ${year}, ${hour}\u00a0h (${zone})`;
}

export const hour = (instant) => `${INSTANT.exec(instant)[4]}\u00a0h`;

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
