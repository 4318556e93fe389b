// Reads a sección: corte.json says where the figures of now are, and one small file per contest has them.
import { get } from "./origen.js";

const PER_SHEET = 10;
const MISSING = [403, 404, 410]; // an object store may answer 403 for what is not there

// The file that holds a sección, as instituto/secciones.py names it: 118 -> 0110, in a federal contest 09-0110.
export function sheetName({ entity, number }) {
  const first = String(number - (number % PER_SHEET)).padStart(4, "0");
  return entity ? `${entity}-${first}` : first;
}

async function json(url, format, cache) {
  const answer = await get(url, { cache });
  if (MISSING.includes(answer.status)) return null;
  if (!answer.ok) throw new Error(`${answer.status}`);
  const content = JSON.parse(answer.text);
  if (content.formato !== format) throw new Error(content.formato);
  return content;
}

async function current(root, cache) {
  const told = await json(new URL("corte.json", root), "pregon/corte/1", cache);
  if (told === null) throw new Error("corte.json");
  return {
    number: told.corte,
    instant: told.hora_corte,
    last: told.ultimo,
    folders: new Map(told.contiendas.map((contest) => [contest.id, contest.datos])),
  };
}

function sheets(root, cut, contests, place) {
  return Promise.all(contests.map(async ({ id }) => {
    const folder = cut.folders.get(id);
    return folder ? json(new URL(`${folder}seccion/${sheetName(place)}.json`, root), "pregon/seccion/1", "default") : null;
  }));
}

// The cut shown and the file of each contest, null where there is none. `own` is the cut of the page, for when the
// current one cannot be told. Data of a cut stay for three more: what is missing is looked for again in the newest.
export async function read(root, own, contests, place) {
  let cut = await current(root, "no-cache").catch(() => own);
  let found = await sheets(root, cut, contests, place);
  if (found.includes(null)) {
    const again = await current(root, "reload").catch(() => cut);
    if (again.number !== cut.number) {
      cut = again;
      found = await sheets(root, cut, contests, place);
    }
  }
  return { cut, found };
}
