// Reads the cuts of a portal from pages of other sites: one question for all the figures of a page, however many.
import { get } from "./origen.js";

const MINUTE_MS = 60_000;
const MOST_MS = 15 * MINUTE_MS;
const SPREAD_MS = 15_000;
const portals = new Map();

/** What went wrong, in words for the reader. */
export class Falla extends Error {}

/** What the page asks for is not in this portal: asking again sooner would not help. */
export class Ausente extends Falla {}

// A server that lags behind the others must not take the reader back.
function newer(corte, shown) {
  return shown === null || corte.ambiente !== shown.ambiente || corte.corte > shown.corte;
}

class Portal {
  #base;
  #readers = new Set();
  #files = new Map();
  #timer;
  #failures = 0;
  #due = false;
  corte = null;

  constructor(base) {
    this.#base = base;
    document.addEventListener("visibilitychange", () => { if (!document.hidden && this.#due) this.#ask(); });
  }

  join(reader) {
    this.#readers.add(reader);
    this.#wait(0);
  }

  leave(reader) {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) clearTimeout(this.#timer);
  }

  /** An address of the portal: never one of elsewhere, whatever a file says. */
  url(route, from = this.#base) {
    const found = new URL(route, from);
    if (found.origin !== this.#base.origin) throw new Falla("El portal dio una dirección que no es suya.");
    return found;
  }

  /** A data file of the cut shown, read once. */
  file(url) {
    if (!this.#files.has(url.href)) {
      const asked = this.#json(url);
      asked.catch(() => this.#files.delete(url.href));
      this.#files.set(url.href, asked);
    }
    return this.#files.get(url.href);
  }

  async #json(url, options = {}) {
    const { ok, text } = await get(url, { credentials: "omit", ...options }).catch(() => {
      throw new Falla("No se pudo consultar el portal.");
    });
    if (!ok) throw new Falla("El portal no está publicando estos resultados.");
    try {
      return JSON.parse(text);
    } catch {
      throw new Falla("El portal contestó algo que no son resultados.");
    }
  }

  #wait(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), ms);
  }

  async #ask() {
    this.#due = document.hidden;
    if (this.#due || this.#readers.size === 0) return;
    const readers = [...this.#readers];
    try {
      const corte = await this.#json(this.url("corte.json"), { cache: "no-cache" });
      if (corte.formato !== "pregon/corte/1") throw new Falla("El portal contestó algo que no son resultados.");
      if (newer(corte, this.corte)) {
        this.#files.clear();
        this.corte = corte;
      }
      const told = await Promise.allSettled(readers.map((reader) => this.#show(reader)));
      this.#failures = told.some((one) => one.status === "rejected") ? this.#failures + 1 : 0;
    } catch (error) {
      this.#failures += 1;
      for (const reader of readers) reader.falla(error);
    }
    const pause = this.#pause();
    if (pause !== null) this.#wait(pause);
  }

  async #show(reader) {
    try {
      await reader.muestra(this.corte);
    } catch (error) {
      reader.falla(error);
      if (!(error instanceof Ausente)) throw error; // or one reader's mistake would make all the others wait
    }
  }

  // Everybody at once would be a burst: each waits a time of its own.
  #pause() {
    if (this.#failures > 0) return Math.min(MOST_MS, MINUTE_MS * 2 ** (this.#failures - 1)) * (0.75 + Math.random() / 2);
    if (this.corte.ultimo) return null;
    const left = this.corte.proximo === null ? 0 : Date.parse(this.corte.proximo) - Date.now();
    if (left > 0) return Math.min(left, MOST_MS) + Math.random() * MINUTE_MS;
    return MINUTE_MS + Math.random() * SPREAD_MS;
  }
}

/** The portal at a base address, the same one for all who ask. */
export function portal(base) {
  if (!portals.has(base.href)) portals.set(base.href, new Portal(base));
  return portals.get(base.href);
}
