// Instants as the pages and <pregon-resultados> say them, and what time it is for whoever publishes, whatever the
// reader's clock says.
const MINUTE_MS = 60_000;
const MONTHS = ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
  "noviembre", "diciembre"];
export const OFFSET = /([+-])(\d{2}):(\d{2})$/;

export class Reloj {
  #ahead = 0;
  #shift;

  // iso: an instant of the page; every hour is told with its offset from UTC, as the page's own.
  constructor(iso) {
    const [, sign, hours, minutes] = OFFSET.exec(iso) ?? [null, "+", 0, 0];
    this.#shift = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  }

  // A reader's clock may be off: the server's is told in each answer (and Age, by whoever kept it on the way).
  learn(answer) {
    const told = Date.parse(answer.headers.get("date") ?? "");
    if (Number.isNaN(told)) return;
    this.#ahead = told + (Number(answer.headers.get("age")) || 0) * 1000 - Date.now();
  }

  now() {
    return Date.now() + this.#ahead;
  }

  #parts(ms) {
    const [date, time] = new Date(ms + this.#shift).toISOString().split("T");
    const [year, month, day] = date.split("-");
    return { year, date: `${Number(day)} de ${MONTHS[Number(month) - 1]}`, hour: `${time.slice(0, 5)}\u00a0h` };
  }

  // «22:40 h»
  hour(ms) {
    return this.#parts(ms).hour;
  }

  // «6 de junio de 2021, 22:40 h»
  moment(ms) {
    const { year, date, hour } = this.#parts(ms);
    return `${date} de ${year}, ${hour}`;
  }

  // «22:40 h», «22:40 h del 6 de junio», «22:40 h del 6 de junio de 2021»: as much as someone at that other time needs.
  since(ms, seen = this.now()) {
    const [then, at] = [this.#parts(ms), this.#parts(seen)];
    if (then.year !== at.year) return `${then.hour} del ${then.date} de ${then.year}`;
    return then.date === at.date ? then.hour : `${then.hour} del ${then.date}`;
  }

  iso(ms) {
    const minutes = Math.abs(this.#shift) / MINUTE_MS;
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    const offset = `${this.#shift < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
    return new Date(ms + this.#shift).toISOString().slice(0, 19) + offset;
  }
}

// Of an instant with its offset: «22:40 h», and «6 de junio de 2021, 22:40 h (UTC−5)».
export const hour = (iso) => new Reloj(iso).hour(Date.parse(iso));
export function instant(iso) {
  const [, sign, hours, minutes] = OFFSET.exec(iso);
  const zone = `UTC${sign === "-" ? "−" : "+"}${Number(hours)}${minutes === "00" ? "" : `:${minutes}`}`;
  return `${new Reloj(iso).moment(Date.parse(iso))} (${zone})`;
}
