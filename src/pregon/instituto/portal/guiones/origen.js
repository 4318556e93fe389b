// What a site answers: for the modules of the pages and for <pregon-resultados> (ajenos.py).
const PATIENCE_MS = 20_000; // with a server that does not answer

// The answer as text, whatever its status; throws where there is none. `options`: those of fetch. `learn` is called with
// the answer as soon as it begins.
export async function get(url, options = {}, learn = () => {}) {
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(url, { ...options, signal: stop.signal });
    learn(answer);
    return { ok: answer.ok, status: answer.status, text: await answer.text() };
  } finally {
    clearTimeout(late);
  }
}
