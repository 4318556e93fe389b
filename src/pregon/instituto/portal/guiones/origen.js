// What the site answers, and which cut a page or corte.json states.
const SECOND_MS = 1000;
const PATIENCE_MS = 20 * SECOND_MS; // with a server that does not answer

// The answer as text, whatever its status; throws where there is none. The clock learns what time it is there.
export async function get(url, clock) {
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(url, { cache: "no-cache", signal: stop.signal });
    clock.learn(answer);
    return { ok: answer.ok, gone: answer.status === 404 || answer.status === 410, text: await answer.text() };
  } finally {
    clearTimeout(late);
  }
}

// A cut: its number, its hour and that of the next one (milliseconds), and whether it is the closing one.
export function cut(number, hour, next, last, interval) {
  const at = Date.parse(hour);
  return { number, hour: at, next: next ? Date.parse(next) : at + interval, last };
}

export function stated(page, interval) {
  const stamp = page.querySelector("[data-vigente] .corte");
  const { corte, proximo, ultimo } = stamp.dataset;
  return cut(Number(corte), stamp.querySelector("time").dateTime, proximo, ultimo !== undefined, interval);
}
