// The page works without this: it puts in place the parts that the server says have changed, and reads cells out.
const board = document.getElementById("tablero");
const clock = document.getElementById("reloj");

// Hours by the server's clock, whatever this machine's says.
let ahead = clock ? Number(clock.dataset.ahora) * 1000 - Date.now() : 0;

function lasts(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  const minutes = Math.floor((s % 3600) / 60);
  return s < 172800 ? `${Math.floor(s / 3600)} h${minutes ? ` ${minutes} min` : ""}` : `${Math.floor(s / 86400)} días`;
}

function says(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tick() {
  const now = Date.now() + ahead;
  if (clock) says(clock, new Date(now + Number(clock.dataset.desfase) * 60_000).toISOString().slice(11, 19));
  for (const each of document.querySelectorAll("[data-desde]")) says(each, lasts(now / 1000 - each.dataset.desde));
}

if (clock) {
  tick();
  setInterval(tick, 1000);
}
if (board) {
  follow();
  read();
}

// A difusor's page stays as it was read: who is deciding on it is told that there is more, and asks for it.
const sheet = document.getElementById("ficha");
if (sheet) {
  const { difusor, serie, version } = sheet.dataset;
  let stream;
  whileSeen(() => {
    stream = new EventSource(`/flujo?serie=${serie}&desde=${version}`);
    stream.addEventListener("partes", (event) => {
      const { partes } = JSON.parse(event.data);
      if (partes[`r-${difusor}`]) document.getElementById("novedad").classList.add("hay");
    });
  }, () => stream.close());
}

// A browser opens six connections to one site, and each page that listens holds one: who is not seen does not listen.
function whileSeen(open, close) {
  if (!document.hidden) open();
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
}

// What changes arrives in parts; whoever reads with the fingers, the keyboard or the ears keeps their place.
function follow() {
  const link = document.getElementById("enlace");
  const rows = document.getElementById("renglones");
  const button = document.getElementById("ordena");
  const rest = document.querySelector(".resto");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let stream, quiet, order = null, over = false;
  let { serie, version, elegido } = board.dataset;

  function parsed(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    return holder.content.firstElementChild;
  }

  function replace(old, next) {
    const held = old.contains(document.activeElement) ? document.activeElement : null;
    const mark = held?.getAttribute("href");
    const box = old.querySelector(".rueda");
    const top = box?.scrollTop;
    old.replaceWith(next);
    const again = next.querySelector(".rueda");
    if (again && top) again.scrollTop = top;
    if (!held) return;
    const same = mark ? [...next.querySelectorAll("a")].find((each) => each.getAttribute("href") === mark) : again;
    (same ?? next.querySelector("a, .rueda"))?.focus({ preventScroll: true });
  }

  // A row keeps its element, so that nothing under a finger is another thing for an instant.
  function renew(row, next) {
    row.className = next.className;
    [...next.cells].forEach((cell, place) => {
      const own = row.cells[place];
      if (own.outerHTML === cell.outerHTML) return;
      if (own.contains(document.activeElement)) replace(own, cell);
      else own.replaceWith(cell);
    });
  }

  function put(name, html) {
    if (name === "curva" && elegido) return;
    const next = parsed(html);
    const old = document.getElementById(name);
    if (old === null) {
      if (name.startsWith("r-")) rows.append(next);
    } else if (name.startsWith("r-")) {
      renew(old, next);
    } else {
      replace(old, next);
    }
  }

  // Rows change places only when nobody is on them; whoever is, is told and asks for it.
  function arrange(force) {
    if (order === null) return;
    if (!force && (over || rows.contains(document.activeElement))) {
      button.hidden = false;
      return;
    }
    const held = rows.contains(document.activeElement) ? document.activeElement : null;
    const before = new Map([...rows.rows].map((row) => [row, row.getBoundingClientRect().top]));
    let place = rows.firstElementChild;
    for (const id of order) {
      const row = document.getElementById(`r-${id}`);
      if (row === null) continue;
      if (row === place) place = place.nextElementSibling;
      else if (rows.moveBefore) rows.moveBefore(row, place);
      else rows.insertBefore(row, place);
    }
    order = null;
    button.hidden = true;
    held?.focus({ preventScroll: true });
    for (const [row, top] of before) {
      const by = top - row.getBoundingClientRect().top;
      if (by && row.isConnected && !still.matches) {
        row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: 350, easing: "ease-out" });
      }
    }
    count();
  }

  // The wall shows those that fit; of the others, how many there are.
  function count() {
    if (!rest || getComputedStyle(rest).display === "none") return;
    const hidden = [...rows.rows].filter((row) => getComputedStyle(row).display === "none");
    const bad = hidden.filter((row) => row.matches(".mal, .ojo")).length;
    says(rest, hidden.length ? `y ${hidden.length} más, ${bad ? `${bad} con algo que mirar` : "todos bien"}` : "");
  }

  function take(event) {
    alive();
    const got = JSON.parse(event.data);
    ({ serie, version } = got);
    board.dataset.version = version;
    ahead = got.hora - Date.now();
    const known = new Set([...document.querySelectorAll("#sucesos li")].map((each) => each.textContent));
    for (const id of got.quita) document.getElementById(`r-${id}`)?.remove();
    for (const [name, html] of Object.entries(got.partes)) put(name, html);
    if (got.partes.sucesos) {
      for (const each of document.querySelectorAll("#sucesos li")) {
        if (!known.has(each.textContent)) each.classList.add("nuevo");
      }
    }
    if (got.orden) order = got.orden;
    arrange(false);
    count();
    tick();
    document.dispatchEvent(new Event("cambio"));
  }

  function alive() {
    says(link, "");
    clearTimeout(quiet);
    quiet = setTimeout(lost, 40_000);
  }

  function lost() {
    says(link, stream.readyState === EventSource.CLOSED
      ? "La sesión terminó o el servicio se detuvo. Vuelva a cargar la página."
      : "Sin conexión con el tablero; se reintenta. Lo que ve puede no estar al día.");
    if (stream.readyState === EventSource.CLOSED) setTimeout(open, 10_000);
  }

  function open() {
    if (document.hidden || (stream && stream.readyState !== EventSource.CLOSED)) return;
    stream = new EventSource(`/flujo?serie=${serie}&desde=${version}`);
    stream.addEventListener("partes", take);
    stream.addEventListener("latido", alive);
    stream.onopen = alive;
    stream.onerror = lost;
  }

  async function choose(event) {
    const asked = event.target.closest("[data-corte]");
    if (asked === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const number = asked.dataset.corte;
    const answer = await fetch(`/curva?corte=${number}`).catch(() => null);
    if (!answer?.ok) {
      location.assign(asked.href);
      return;
    }
    elegido = number;
    const next = parsed(await answer.text());
    replace(document.getElementById("curva"), next);
    history.replaceState(null, "", number ? `/?corte=${number}` : "/");
  }

  rows.addEventListener("pointerenter", (event) => { over = event.pointerType === "mouse"; });
  rows.addEventListener("pointerleave", () => { over = false; arrange(false); });
  rows.addEventListener("focusout", () => setTimeout(() => arrange(false)));
  button.addEventListener("click", () => arrange(true));
  board.addEventListener("click", choose);
  count();
  whileSeen(open, () => {
    clearTimeout(quiet);
    stream?.close();
  });
}

// The cells are strokes; under the pointer, or with the arrows from a difusor's name, each one says what it is.
function read() {
  const said = document.getElementById("lectura");
  const names = new Map();
  for (const each of document.querySelectorAll(".leyenda dt")) {
    names.set(each.querySelector("path").getAttribute("class"), each.textContent.trim());
  }
  let row = null, column = null;

  function columns() {
    return document.getElementById("cabeza").dataset.cortes.split("|");
  }

  function wide() {
    return Number(document.getElementById("cabeza").dataset.ancho);
  }

  function letter(strip, place) {
    for (const path of strip.querySelectorAll("path[class]")) {
      for (const [, first, many] of path.getAttribute("d").matchAll(/M(\d+) [\d.]+h(\d+)/g)) {
        if (place * wide() >= Number(first) && place * wide() < Number(first) + Number(many)) return path.getAttribute("class");
      }
    }
    return "-";
  }

  function show() {
    document.querySelector(".aqui")?.remove();
    const strip = row?.isConnected ? row.querySelector(".t") : null;
    const cuts = columns();
    if (strip === null || column === null || column < 0 || column >= cuts.length) return;
    const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of Object.entries({ class: "aqui", x: column * wide(), y: 0.15, width: wide(), height: 2.7 })) {
      box.setAttribute(name, value);
    }
    strip.append(box);
    const [number, hour] = cuts[column].split(" ");
    const what = names.get(letter(strip, column)) ?? "Sin datos";
    says(said, `${row.cells[0].innerText}, ${number ? `corte ${number}` : "sin corte"} de las ${hour}: ${what}`);
  }

  function point(event) {
    const strip = event.target.closest?.("#renglones .t");
    if (!strip) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(strip.getScreenCTM().inverse());
    row = strip.closest("tr");
    column = Math.floor(at.x / wide());
    show();
  }

  function press(event) {
    const own = event.target.closest("#renglones tr");
    if (!own || event.altKey || event.ctrlKey || event.metaKey) return;
    const last = columns().length - 1;
    const next = { ArrowDown: own.nextElementSibling, ArrowUp: own.previousElementSibling }[event.key];
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (next) {
      next.querySelector("a")?.focus();
      row = next;
    } else if (step) {
      column = row === own && column !== null ? Math.min(last, Math.max(0, column + step)) : last;
      row = own;
    } else {
      return;
    }
    event.preventDefault();
    show();
  }

  document.addEventListener("pointermove", point);
  document.addEventListener("pointerdown", point);
  document.addEventListener("keydown", press);
  document.addEventListener("cambio", show);
}
