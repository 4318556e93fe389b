// <pregon-resultados contienda="gub" nivel="entidad"></pregon-resultados>: results of this portal in any page.
// nivel="distrito/007" or "municipio/001"; tabla="candidaturas" or "partidos"; tema="claro" or "oscuro"; base="https://…/"
import { make } from "./cifras.js";
import { HOJA } from "./colores.js";
import { letters, lines, name, progress, votes } from "./dibujo.js";
import { Ausente, Falla, portal } from "./fuente.js";
import { hour, instant } from "./reloj.js";

const LATE_MS = 5 * 60_000;
let sheet;

class PregonResultados extends HTMLElement {
  static observedAttributes = ["contienda", "nivel", "tabla", "base"];
  #root = this.attachShadow({ mode: "open" });
  #body = make("div", { class: "todo" });
  #notice = make("p", { class: "aviso", role: "status" });
  #portal = null;
  #shown = null;
  #turn = 0;

  connectedCallback() {
    if (!sheet && "adoptedStyleSheets" in Document.prototype) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(HOJA);
    }
    if (sheet) this.#root.adoptedStyleSheets = [sheet];
    if (!this.#root.firstChild) {
      if (!sheet) this.#root.append(make("style", {}, HOJA)); // an older browser: as far as the page's policy lets it
      this.#body.append(make("p", {}, "Consultando los resultados preliminares…"));
      this.#root.append(this.#body, this.#notice);
    }
    this.#start();
  }

  disconnectedCallback() {
    this.#portal?.leave(this);
    this.#portal = null;
  }

  attributeChangedCallback(key, before, now) {
    if (!this.#root.firstChild || before === now) return;
    this.#shown = null; // what is on screen is of something else
    if (this.isConnected) this.#start();
  }

  #start() {
    this.disconnectedCallback();
    this.#turn += 1;
    const own = this.getAttribute("base");
    try {
      const base = own === null ? new URL("../", import.meta.url) : new URL(own, document.baseURI);
      base.pathname = base.pathname.replace(/[^/]*$/, "");
      this.#portal = portal(base);
      this.#portal.join(this);
    } catch {
      this.falla(new Falla(`«${own}» no es la dirección de un portal.`));
    }
  }

  /** What the portal calls at each question; it reads only what is not on screen yet. */
  async muestra(corte) {
    if (this.#shown !== corte.hora_corte) await this.#read(corte);
    else this.#notice.textContent = "";
    const late = !corte.ultimo && corte.proximo !== null && Date.now() > Date.parse(corte.proximo) + LATE_MS;
    if (late) this.#notice.textContent = `El corte anunciado para las ${hour(corte.proximo)} todavía no llega.`;
  }

  /** Nothing on screen is lost: it says of when it is. */
  falla(error) {
    const words = error instanceof Falla ? error.message : "No se pudieron leer los resultados.";
    this.#notice.textContent = this.#shown === null
      ? `${words} Se volverá a intentar.`
      : `${words} Estas cifras son del corte de las ${hour(this.#shown)}; puede haber otras más recientes.`;
    if (this.#shown === null) this.#body.replaceChildren();
  }

  async #read(corte) {
    const source = this.#portal;
    const turn = this.#turn;
    const level = this.getAttribute("nivel") || "entidad";
    const table = this.getAttribute("tabla") === "partidos" ? "partidos" : "candidaturas";
    const contest = corte.contiendas.find((one) => one.id === this.getAttribute("contienda"));
    if (!contest) throw new Ausente(`Este portal no tiene la contienda «${this.getAttribute("contienda") ?? ""}».`);
    const at = source.url(contest.indice);
    const index = await source.file(at);
    const unit = index.unidades.find((one) => one.archivo === `${level}.json`);
    if (level !== "entidad" && !unit) throw new Ausente(`«${contest.titulo}» no tiene «${level}».`);
    const data = await source.file(source.url(unit ? unit.archivo : index.entidad, at));
    const page = unit ? source.url(unit.pagina, at) : source.url(contest.ruta);
    if (turn !== this.#turn) return; // the attributes changed on the way
    const news = this.#shown !== null && this.#shown !== corte.hora_corte;
    const leader = this.#draw({ corte, contest, index, unit, data, page, table });
    this.#notice.textContent = news ? `Corte de las ${hour(corte.hora_corte)}. ${leader}` : "";
    this.#shown = corte.hora_corte;
  }

  #draw({ corte, contest, index, unit, data, page, table }) {
    const total = Object.values(data[table]).reduce((sum, votes) => sum + votes, 0);
    const { given, apart } = lines(index, data, table, total);
    const word = index.nivel === "distrito" ? "Distrito" : "Municipio";
    const number = unit && /^\d+$/.test(unit.id) ? `${word} ${Number(unit.id)}, ` : "";
    const title = unit ? `${contest.titulo} · ${number}${name(unit.nombre)}` : contest.titulo;
    const parts = [];
    if (corte.ambiente === "simulacro") {
      parts.push(make("p", { class: "simulacro" }, make("strong", {}, "SIMULACRO"),
        " Datos de prueba: no son resultados de ninguna elección."));
    }
    const time = make("time", { datetime: corte.hora_corte }, instant(corte.hora_corte));
    parts.push(make("h3", {}, title), make("p", { class: "corte" }, "Corte: ", time), ...progress(unit, data),
      votes({ index, data, given, apart, total, table }));
    const after = corte.ultimo ? "Último corte." : corte.proximo === null ? "" : `Siguiente corte: ${hour(corte.proximo)}.`;
    parts.push(make("p", { class: "legal" }, make("strong", {}, "Resultados preliminares, sin efectos jurídicos."), ` ${after} `,
      make("a", { href: page.href }, "Ver todos los resultados")));
    this.#body.replaceChildren(...parts);
    const [first, second] = given;
    if (!first || first.votos === 0) return "Aún no hay actas contabilizadas.";
    if (second?.votos === first.votos) return "Hay empate en el primer lugar.";
    return `Encabeza ${first.propietaria ?? letters(index, first)}, con ${first.porcentaje} por ciento.`;
  }
}

if (!customElements.get("pregon-resultados")) customElements.define("pregon-resultados", PregonResultados);
