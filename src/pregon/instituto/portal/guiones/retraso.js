// What the institute announced of a cut that does not come, in a line of its own above the figures. Only a page whose
// next cut is due asks; where the site has no such notices nothing is said, and it is not asked again.
import { get } from "./origen.js";

const GONE = [404, 410];
const MAX_TEXT = 1000;
const FILL_MS = 100; // a status is read out when it changes, not when it is born
let silent = false;

function line() {
  const found = document.getElementById("retraso");
  if (found) return found;
  const made = Object.assign(document.createElement("p"), { id: "retraso", className: "retraso" });
  made.setAttribute("role", "status");
  made.dataset.conserva = ""; // a new cut does not take it away: whoever puts it there does
  document.querySelector("main").prepend(made);
  return made;
}

// The last delay that holds; null where none does. Throws where nothing was learnt.
async function announced(source) {
  const answer = await get(new URL("avisos.json", source), { cache: "no-cache" });
  silent = GONE.includes(answer.status);
  if (!answer.ok && !silent) throw new Error("no answer");
  const told = silent ? {} : JSON.parse(answer.text);
  if (told.formato !== "pregon/avisos/1") return null;
  return told.vigentes.filter(({ tipo, texto, desde }) => tipo === "retraso" && texto && Date.parse(desde)).pop() ?? null;
}

export async function announce({ source, clock }) {
  if (silent) return;
  let delay;
  try {
    delay = await announced(source);
  } catch {
    return; // what was said stands
  }
  if (!delay) {
    document.getElementById("retraso")?.remove();
    return;
  }
  const words = `El instituto avisó de un retraso a las ${clock.since(Date.parse(delay.desde))}: «${delay.texto.slice(0, MAX_TEXT)}»`;
  const place = line();
  if (place.textContent !== words) setTimeout(() => { place.textContent = words; }, FILL_MS);
}
