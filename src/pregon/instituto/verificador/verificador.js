// The page: asks for a site, shows each step as it goes, and says what was proved and what was not, never more.
import { Refusal, claim, parse, sameIdentity, sha256 } from "./documentos.js";
import { signedList } from "./firmas.js";
import { Closed, read, review } from "./lectura.js";
import { RAIZ, REPOSITORIO } from "./raiz.js";
import { $, digest, finish, plural, verdict, when } from "./resultado.js";

const MANIFEST_MAX = 32 * 1024 * 1024;
const TELL_EVERY_MS = 2000; // how often progress is read out
const root = Uint8Array.from(atob(RAIZ), (c) => c.charCodeAt(0));
let running = null;

const say = (words) => { $("estado").textContent = words; };

function folder(words) {
  const url = new URL(/^https?:\/\//i.test(words) ? words : `https://${words}`);
  url.search = "";
  url.hash = "";
  url.pathname = url.pathname.replace(/(index\.html)?$/, "").replace(/\/?$/, "/");
  return url;
}

// What was established, gathered step by step; `verdict` is written from it alone.
async function examine(site, signatures, signal) {
  const found = { proved: [], missing: [], bad: [] };
  say("Leyendo el manifiesto del sitio…");
  const bytes = await read(new URL("manifiesto.json", site), MANIFEST_MAX, signal).catch((error) => {
    signal.throwIfAborted();
    throw new Refusal("RED", `No se pudo leer el manifiesto de ${site.host}: ${error.message}.`);
  });
  if (bytes === null) throw new Refusal("ENTRADA", `${site.host} no tiene «manifiesto.json» en esa dirección.`);
  const own = await sha256(bytes);
  signal.throwIfAborted(); // another one may be under way by now
  digest("huella", own);
  $("huella-caja").hidden = false;

  say("Comprobando las firmas…");
  const state = await signedList(root, async (name, limit) => {
    try {
      return await read(new URL(name, signatures), limit, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error.codigo === "HASH") throw error;
      throw new Refusal("RED", `No se pudieron leer las firmas («${name}»): ${error.message}.`);
    }
  }, Date.now());
  let manifest;
  try {
    manifest = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal("ARCHIVO_MANIFIESTO", "El manifiesto del sitio no se puede leer.");
  }
  const cut = state.cuts.get(manifest.corte);
  const newest = Math.max(...state.cuts.keys());
  if (cut?.sha256 !== own) {
    const known = state.cuts.size ? `la lista firmada llega al corte ${newest}` : "aún no hay ninguno firmado";
    throw new Refusal("HASH", `El manifiesto del sitio no es uno que el instituto haya firmado (${known}).`);
  }
  sameIdentity(state.identity, manifest);
  const before = [...state.cuts].filter(([n]) => n < manifest.corte).pop()?.[1].sha256 ?? null;
  if (manifest.anterior !== before || Date.parse(manifest.hora_corte) !== Date.parse(cut.hora)) {
    throw new Refusal("CADENA", `El corte ${manifest.corte} no está encadenado con el anterior de la lista firmada.`);
  }
  found.proved.push(`El manifiesto del corte ${manifest.corte}, de ${when(cut.hora)}, está firmado por el instituto.`);
  if (newest !== manifest.corte) {
    found.old = `No es el corte más nuevo: el instituto ya firmó el ${newest}, de ${when(state.cuts.get(newest).hora)}.`;
  }

  let told = 0;
  const files = await review(site, manifest.archivos, signal, (done, all) => {
    $("avance").max = all;
    $("avance").value = done;
    if (Date.now() - told < TELL_EVERY_MS) return;
    told = Date.now();
    say(`Comprobados ${done.toLocaleString("es-MX")} de ${plural(all, "archivo", "archivos")}…`);
  });
  found.total = manifest.archivos.length;
  found.good = files.good;
  found.bad = files.bad;
  if (files.good) {
    const read = plural(files.good, "archivo es", "archivos son");
    found.proved.push(`${read}, byte por byte, lo que ese manifiesto lista.`);
  }
  for (const [name, { count, why }] of files.unread) {
    found.missing.push(`${plural(count, "archivo", "archivos")} de «${name}»: ${why}.`);
  }
  return found;
}

async function start(event) {
  event.preventDefault();
  running?.abort();
  const mine = new AbortController();
  running = mine;
  for (const id of ["resultado", "huella-caja", "marcha"]) $(id).hidden = true;
  let site;
  let signatures;
  try {
    site = folder($("sitio").value.trim());
    signatures = folder(new URL($("firmas").value.trim() || REPOSITORIO, document.baseURI).href);
  } catch {
    say("Escriba una dirección completa, como https://prep.ejemplo.mx/");
    $("sitio").focus();
    return;
  }
  $("avance").removeAttribute("value");
  $("marcha").hidden = false;
  try {
    const found = await examine(site, signatures, mine.signal);
    say("Terminó.");
    finish(...verdict(found), found);
  } catch (error) {
    if (mine.signal.aborted) {
      if (running === mine) say("Cancelado: no se concluye nada.");
    } else if (error instanceof Refusal || error instanceof Closed) {
      say("Terminó.");
      const net = error.codigo === "RED" || error.codigo === "ENTRADA";
      const lead = net ? "No se pudo comprobar. " : "No está probado que sea del instituto. ";
      finish(net ? "parte" : "mal", `${lead}${error.message} (${error.codigo})`);
    } else {
      say("No se pudo comprobar: algo falló en este navegador. No se concluye nada.");
      throw error;
    }
  } finally {
    if (running === mine) $("marcha").hidden = true;
  }
}

async function open() {
  if (!globalThis.crypto?.subtle) {
    say("Este navegador no puede comprobar firmas aquí: abra esta página con https.");
    return;
  }
  const mine = claim(parse(root, "root"));
  $("quien").textContent = `${mine.convocatoria} · ${mine.instituto}`;
  $("simulacro").hidden = mine.ambiente !== "simulacro";
  digest("raiz", await sha256(root));
  const asked = new URLSearchParams(location.hash.slice(1) || location.search); // a fragment stays in this browser
  $("sitio").value = asked.get("sitio") ?? "";
  $("firmas").value = asked.get("firmas") ?? "";
  $("firmas").placeholder = new URL(REPOSITORIO, document.baseURI).href;
  $("forma").addEventListener("submit", start);
  $("cancela").addEventListener("click", () => running?.abort());
  $("comprueba").disabled = false;
}

open();
