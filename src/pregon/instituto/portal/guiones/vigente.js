// Which cut is the current one, and whether the figures of this page are of it. It asks; when, is for corte.js to say.
import { get } from "./origen.js";
import { Reloj } from "./reloj.js";
import { fits, parse, relieve } from "./relevo.js";

const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;
const ANNOUNCED_MS = 20 * SECOND_MS;
const MAX_TITLE = 120;
const GONE = [404, 410];

// A cut: its number, its hour and that of the next one (milliseconds), and whether it is the closing one.
function cut(number, hour, next, last, interval) {
  const at = Date.parse(hour);
  return { number, hour: at, next: next ? Date.parse(next) : at + interval, last };
}

// The one that a page states.
function stated(page, interval) {
  const stamp = page.querySelector("[data-vigente] .corte");
  const { corte, proximo, ultimo } = stamp.dataset;
  return cut(Number(corte), stamp.querySelector("time").dateTime, proximo, ultimo !== undefined, interval);
}

export class Vigente {
  #own; // the cut that the page states
  #current; // the last one known to be public: a page of a unit may be of an earlier one
  #confirmed;
  #plain; // what the page itself says beside its hour
  #trouble = null; // why these are not the current figures, where that is known
  #announced = -Infinity;
  #attempt = Date.now(); // loading the page was the first question

  constructor(strip) {
    this.strip = strip;
    this.clock = new Reloj(strip.querySelector("time").dateTime);
    this.trial = document.body.classList.contains("es-simulacro");
    this.source = new URL(strip.dataset.vigente, document.baseURI);
    this.interval = strip.dataset.intervalo * SECOND_MS;
    this.#own = this.#current = stated(document, this.interval);
    this.#confirmed = !strip.dataset.igual;
    this.#plain = this.status.textContent;
  }

  get status() {
    return this.strip.querySelector(".siguiente");
  }

  get last() {
    return this.#current.last;
  }

  get next() {
    return this.#current.next;
  }

  // From when on the next cut is late.
  get deadline() {
    return this.next + this.strip.dataset.margen * SECOND_MS;
  }

  // The next cut should be here, and it was asked for.
  get due() {
    return !this.#trouble && this.#past(this.next);
  }

  get idle() {
    return Date.now() - this.#attempt;
  }

  // When it was last asked, by the clock of whoever publishes.
  get asked() {
    return this.clock.now() - this.idle;
  }

  // A page of a unit may be of an earlier cut; any page may be old, or the reader's clock wrong.
  get doubtful() {
    const now = this.clock.now();
    return Boolean(this.strip.dataset.igual) || (!this.last && (now < this.#own.hour || now >= this.deadline));
  }

  async #get(url) {
    const answer = await get(url, { cache: "no-cache" }, (began) => this.clock.learn(began));
    return { ...answer, gone: GONE.includes(answer.status) };
  }

  // Whether the site publishes; throws where nothing was learnt (no network, or nothing that can be understood).
  async ask() {
    this.#attempt = Date.now();
    const answer = await this.#get(this.source);
    if (answer.gone) {
      await this.#withdrawn();
      return false;
    }
    if (!answer.ok) throw new Error("no answer");
    await this.#consider(JSON.parse(answer.text));
    return true;
  }

  // corte.json is gone: what the site itself says decides. A page of results there is a fault, not a withdrawal.
  async #withdrawn() {
    const home = new URL(".", this.source);
    let answer = await this.#get(home);
    if (answer.gone) answer = await this.#get(new URL("index.html", home));
    if (!answer.ok && !answer.gone) throw new Error("no answer");
    const page = answer.ok ? new DOMParser().parseFromString(answer.text, "text/html") : null;
    if (page && parse(answer.text)) throw new Error("a cover without corte.json");
    const said = (page?.querySelector("h1, title")?.textContent ?? "").trim().slice(0, MAX_TITLE);
    const words = "Este sitio dejó de publicar por ahora: ";
    this.#trouble = { state: "suspendida", words, link: said || "vea su portada", href: home.href };
  }

  async #consider(told) {
    if (told.formato !== "pregon/corte/1") throw new Error("another format");
    if (this.#trouble?.state === "suspendida") { // it publishes again: what it has must be looked at again
      this.#trouble = null;
      this.#current = this.#own;
    }
    if ((told.ambiente === "simulacro") !== this.trial) this.#reload("Este sitio publica ahora otros datos. ");
    if (this.#trouble?.state === "recarga" || told.corte < this.#current.number) return;
    const latest = cut(told.corte, told.hora_corte, told.proximo, told.ultimo, this.interval);
    if (latest.number > this.#current.number) await this.#follow(latest);
    this.#current = latest;
    this.#confirmed = true;
  }

  async #follow(latest) {
    const answer = await this.#get(location.href.replace(/#.*/, ""));
    if (answer.gone) {
      const words = `Esta página ya no existe en el corte de las ${this.clock.since(latest.hour)}. `;
      this.#trouble = { state: "retirada", words, link: "Ir a la portada", href: new URL("index.html", this.source).href };
      return;
    }
    const page = answer.ok ? parse(answer.text) : null;
    const there = page && stated(page, this.interval);
    // A page that states every cut must be of this one or a later one; that of a unit may be the same as before.
    const unit = page?.querySelector("[data-vigente]").dataset.igual;
    if (!there || there.number < (unit ? this.#own : latest).number) throw new Error("not that cut yet");
    if (!fits(page)) {
      this.#reload("Hay un corte más reciente. ");
      return;
    }
    this.#trouble = null;
    if (there.number > this.#own.number) {
      relieve(page);
      this.#own = there;
      this.#plain = this.status.textContent;
      this.#announced = Date.now();
    }
    if (unit && latest.number > there.number) this.#same(latest, unit);
    document.dispatchEvent(new CustomEvent("pregon:corte", { detail: { corte: latest.number } }));
  }

  // The same figures in a later cut: its moment, and since when nothing has changed here.
  #same(latest, unit) {
    const time = this.strip.querySelector("time");
    const zone = time.textContent.slice(time.textContent.indexOf("("));
    time.dateTime = this.clock.iso(latest.hour);
    time.textContent = `${this.clock.moment(latest.hour)} ${zone}`;
    const since = this.clock.since(this.#own.hour, latest.hour);
    this.#plain = `${since.includes("del") ? "Sin cambios" : unit} desde las ${since}`;
  }

  #reload(words) {
    this.#trouble = { state: "recarga", words, link: "Actualizar", href: location.pathname + location.search };
  }

  // Whether it was asked later than that hour, with an answer or without. A replay of another day is never late.
  #past(hour) {
    const now = this.clock.now();
    if (this.last || now < this.#current.hour || (this.trial && now - this.#current.hour > DAY_MS)) return false;
    return this.asked >= hour;
  }

  // What the strip says now. said: what the hour beside it says already.
  get message() {
    if (this.#trouble) return this.#trouble;
    const { clock } = this;
    if (this.#past(this.deadline)) {
      const hour = clock.since(this.#current.hour);
      if (!this.#confirmed) {
        return { state: "vieja", said: `Cifras de las ${hour}; `, words: "no se pudo comprobar si hay otro corte" };
      }
      const words = `debió haber un corte nuevo a las ${clock.since(this.next, this.#current.hour)}`;
      return { state: "vieja", said: `Estas cifras son de las ${hour}; `, words };
    }
    const fresh = Date.now() - this.#announced < ANNOUNCED_MS;
    return { words: fresh ? `Corte de las ${clock.hour(this.#current.hour)}: cifras actualizadas` : this.#plain };
  }
}
