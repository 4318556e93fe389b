// Reads what another site serves, within limits, and tells apart a site that does not answer from one that answers and
// does not let other pages read it.
import { Refusal, sha256 } from "./documentos.js";

const WAIT_MS = 30000; // for the answer to begin
const CEILING = 512 * 1024 * 1024; // bytes: a digest needs the whole file in memory
export const AT_ONCE = 4;
const GIVE_UP = 2; // refused files of a kind, with none read, after which that kind is not asked again

export class Closed extends Error {}

// The bytes of an address; null where the site says that it is not there.
export async function read(url, limit, signal) {
  signal.throwIfAborted();
  const own = new AbortController();
  const stop = () => own.abort();
  const timer = setTimeout(stop, WAIT_MS);
  signal.addEventListener("abort", stop);
  const options = { cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer", signal: own.signal };
  try {
    const answer = await fetch(url, options).catch(async () => {
      signal.throwIfAborted();
      throw own.signal.aborted ? new Refusal("RED", "no responde") : await whyNot(url, options);
    });
    clearTimeout(timer); // a long file is no fault once it comes
    if ([403, 404, 410].includes(answer.status)) return null;
    if (!answer.ok) throw new Refusal("RED", `respondió con el estado ${answer.status}`);
    return await body(answer, Math.min(limit, CEILING));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

async function whyNot(url, options) {
  const answers = await fetch(url, { ...options, mode: "no-cors" }).then(() => true, () => false);
  if (!answers) return new Refusal("RED", "no responde");
  return new Closed("responde, pero no deja que otra página lo lea");
}

async function body(answer, limit) {
  const pieces = [];
  let size = 0;
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => { throw new Refusal("RED", "se interrumpió"); });
    if (done) break;
    size += value.length;
    if (size > limit) {
      await reader.cancel();
      throw new Refusal("HASH", `mide más de ${limit.toLocaleString("es-MX")} bytes`);
    }
    pieces.push(value);
  }
  const whole = new Uint8Array(size);
  let place = 0;
  for (const piece of pieces) {
    whole.set(piece, place);
    place += piece.length;
  }
  return whole;
}

const kind = (ruta) => (ruta.endsWith(".html") ? "páginas (.html)" : ruta.includes("/") ? ruta.split("/")[0] : ruta);
const address = (base, ruta) => new URL(ruta.split("/").map(encodeURIComponent).join("/"), base);

// Hashes every file of a manifest. Gives {good, bad: [[ruta, why]], unread: Map(kind -> {count, why})}. What no browser
// can hold is a kind of its own: it says nothing of the rest of its folder.
export async function review(base, files, signal, progress) {
  const found = { good: 0, bad: [], unread: new Map() };
  const readable = new Map();
  const pending = [...files];
  const leave = (name, why) => {
    const entry = found.unread.get(name) ?? { count: 0, why };
    found.unread.set(name, { ...entry, count: entry.count + 1 });
  };
  const one = async ({ ruta, bytes, sha256: expected }) => {
    const name = kind(ruta);
    if (bytes > CEILING) return leave(`${name}, de más de 512 MiB`, "un navegador no puede con ese tamaño");
    const closed = found.unread.get(name);
    if (closed && !readable.get(name) && closed.count >= GIVE_UP) return leave(name, closed.why);
    try {
      const content = await read(address(base, ruta), bytes, signal);
      readable.set(name, true);
      if (content === null) found.bad.push([ruta, "falta: el sitio dice que no existe"]);
      else if (content.length !== bytes) found.bad.push([ruta, `mide ${content.length} bytes y se firmaron ${bytes}`]);
      else if ((await sha256(content)) !== expected) found.bad.push([ruta, "no es el que se firmó"]);
      else found.good += 1;
    } catch (error) {
      signal.throwIfAborted();
      if (error.codigo === "HASH") found.bad.push([ruta, error.message]);
      else leave(name, `el sitio ${error.message}`);
    }
    return null;
  };
  const worker = async () => {
    for (let file = pending.shift(); file; file = pending.shift()) {
      await one(file);
      signal.throwIfAborted();
      progress(files.length - pending.length, files.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  found.bad.sort(([a], [b]) => (a < b ? -1 : 1));
  return found;
}
