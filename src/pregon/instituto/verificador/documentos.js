// Signed documents (TUF 1.0, ECDSA P-256) and digests, by WebCrypto alone. Every failure is a Refusal with the codes of
// docs/verificacion.md.

const COORDINATE = 32; // bytes of each half of a P-256 signature
const text = new TextDecoder("utf-8", { fatal: true });

export class Refusal extends Error {
  constructor(codigo, message) {
    super(message);
    this.codigo = codigo;
  }
}

export const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const sha256 = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));
export const groups = (digest) => digest.match(/.{4}/g);

// Canonical JSON: keys by code point, no spaces, only the quote and the backslash escaped.
export function canonical(value) {
  if (typeof value === "string") return `"${value.replace(/[\\"]/g, "\\$&")}"`;
  if (Number.isSafeInteger(value) || typeof value === "boolean" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object") throw new Refusal("FIRMA", "Los metadatos tienen un número que no se puede firmar.");
  const keys = Object.keys(value).sort(byCodePoint);
  return `{${keys.map((key) => `${canonical(key)}:${canonical(value[key])}`).join()}}`;
}

function byCodePoint(one, other) {
  const a = [...one].map((c) => c.codePointAt(0));
  const b = [...other].map((c) => c.codePointAt(0));
  const n = a.findIndex((point, index) => point !== b[index]);
  return n < 0 ? a.length - b.length : a[n] - (b[n] ?? -1);
}

// TUF signs in DER; WebCrypto wants the two numbers one after the other.
export function rawSignature(der) {
  const found = new Uint8Array(2 * COORDINATE);
  let place = 2;
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return null;
  for (const half of [0, 1]) {
    const length = der[place + 1];
    if (der[place] !== 0x02 || !(length > 0) || place + 2 + length > der.length) return null;
    let number = der.subarray(place + 2, place + 2 + length);
    if (number[0] === 0) number = number.subarray(1);
    if (number.length > COORDINATE) return null;
    found.set(number, (half + 1) * COORDINATE - number.length);
    place += 2 + length;
  }
  return place === der.length ? found : null;
}

const unhex = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));

async function publicKey(key) {
  if (key.keytype !== "ecdsa" || key.scheme !== "ecdsa-sha2-nistp256") throw new TypeError(key.scheme);
  const inside = key.keyval.public.replace(/-----[A-Z ]+-----|\s/g, "");
  const spki = Uint8Array.from(atob(inside), (c) => c.charCodeAt(0));
  return crypto.subtle.importKey("spki", spki, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
}

export function parse(bytes, kind) {
  let found;
  try {
    const { signed, signatures } = JSON.parse(text.decode(bytes));
    const byKey = new Map(signatures.map(({ keyid, sig }) => [keyid, unhex(sig)]));
    const expires = Date.parse(signed.expires);
    if (signed._type !== kind || byKey.size !== signatures.length || !Number.isSafeInteger(signed.version)) throw new TypeError(kind);
    if (!/^1\.\d+(\.\d+)?$/.test(signed.spec_version) || Number.isNaN(expires) || signed.version < 1) throw new TypeError(kind);
    found = { signed, byKey, expires, payload: new TextEncoder().encode(canonical(signed)) };
  } catch {
    throw new Refusal("FIRMA", `Los metadatos «${kind}» no son admisibles.`);
  }
  return found;
}

// Throws where too few of the keys of a role have signed: FIRMA when no signature holds, UMBRAL when some do.
export async function verify(document, keys, role, name) {
  let good = 0;
  for (const keyid of new Set(role?.keyids)) {
    const signature = document.byKey.get(keyid) && rawSignature(document.byKey.get(keyid));
    if (!signature || !keys[keyid]) continue;
    try {
      const how = { name: "ECDSA", hash: "SHA-256" };
      if (await crypto.subtle.verify(how, await publicKey(keys[keyid]), signature, document.payload)) good += 1;
    } catch {
      // A key that cannot be used has not signed.
    }
  }
  const wanted = role?.threshold ?? 0;
  if (wanted >= 1 && good >= wanted) return;
  const how = `lleva ${good} firmas válidas y hacen falta ${wanted}`;
  throw new Refusal(good ? "UMBRAL" : "FIRMA", `«${name}» ${how}.`);
}

export const claim = ({ signed }) => {
  const found = signed["x-pregon"];
  if (!found?.ambiente || !found.convocatoria || !found.instituto || Number.isNaN(Date.parse(found.firmado))) {
    throw new Refusal("FIRMA", "Los metadatos no dicen de qué convocatoria y ambiente son.");
  }
  return found;
};

export function sameIdentity(mine, theirs) {
  for (const key of ["ambiente", "convocatoria", "instituto"]) {
    if (mine[key] === theirs[key]) continue;
    const codigo = key === "ambiente" ? "AMBIENTE" : "CONVOCATORIA";
    throw new Refusal(codigo, `Es de «${theirs[key]}» y se esperaba «${mine[key]}».`);
  }
}
