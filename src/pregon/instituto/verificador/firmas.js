// The chain of signatures, from the published root to the list of cuts, in the order of docs/verificacion.md (checks 1
// and 3 to 9).
import { Refusal, claim, parse, sameIdentity, sha256, verify } from "./documentos.js";

const KiB = 1024;
const LIMITS = { timestamp: 16 * KiB, snapshot: 256 * KiB, root: 256 * KiB, targets: 8192 * KiB };
const ROOT_ROTATIONS = 64;

function alive(document, name, now) {
  if (now < document.expires) return;
  throw new Refusal("EXPIRADO", `La firma de «${name}» venció el ${document.signed.expires}.`);
}

// `read(name, limit)` gives the bytes of a file of metadata/, or null where it is not there.
export async function signedList(rootBytes, read, now) {
  const need = async (name, limit) => {
    const bytes = await read(name, limit);
    if (bytes === null) throw new Refusal("RED", `El repositorio de firmas no tiene «${name}».`);
    return bytes;
  };
  const listed = async (name, meta, kind = name) => {
    if (!meta) throw new Refusal("FIRMA", `El repositorio de firmas no lista «${name}».`);
    const bytes = await need(`${meta.version}.${name}.json`, meta.length ?? LIMITS[kind]);
    const digest = meta.hashes?.sha256 ?? "";
    if ((meta.length ?? bytes.length) !== bytes.length || (await sha256(bytes)) !== digest) {
      throw new Refusal("HASH", `«${name}» no es el que se firmó.`);
    }
    return parse(bytes, kind);
  };
  const version = (document, meta, name) => {
    if (document.signed.version !== meta.version) throw new Refusal("RETROCESO", `«${name}» es de otra versión.`);
  };

  let root = parse(rootBytes, "root");
  const mine = claim(root);
  const stamp = parse(await need("timestamp.json", LIMITS.timestamp), "timestamp"); // 1
  sameIdentity(mine, claim(stamp)); // 3: refusing on a claim that nobody signed is always safe
  const byRoot = (document, name) => verify(document, root.signed.keys, root.signed.roles[name], name);
  await byRoot(root, "root"); // 4
  for (let n = 0; n < ROOT_ROTATIONS; n += 1) {
    const bytes = await read(`${root.signed.version + 1}.root.json`, LIMITS.root);
    if (bytes === null) break;
    const next = parse(bytes, "root");
    await byRoot(next, "root");
    if (next.signed.version !== root.signed.version + 1) throw new Refusal("RETROCESO", "Las raíces no van en orden.");
    await verify(next, next.signed.keys, next.signed.roles.root, "root");
    root = next;
  }
  alive(root, "root", now); // 5
  await byRoot(stamp, "timestamp");
  alive(stamp, "timestamp", now);
  const snapshotMeta = stamp.signed.meta["snapshot.json"];
  const snapshot = await listed("snapshot", snapshotMeta); // 6
  await byRoot(snapshot, "snapshot");
  alive(snapshot, "snapshot", now);
  version(snapshot, snapshotMeta, "snapshot");
  const meta = snapshot.signed.meta;
  const targets = await listed("targets", meta["targets.json"]); // 7
  await byRoot(targets, "targets");
  version(targets, meta["targets.json"], "targets");
  alive(targets, "targets", now);
  const delegations = targets.signed.delegations ?? { roles: [], keys: {} };
  const role = delegations.roles.find(({ name, paths }) => name === "cortes" && paths?.includes("cortes/*/*"));
  const cortes = await listed("cortes", meta["cortes.json"], "targets");
  await verify(cortes, delegations.keys, role, "cortes");
  version(cortes, meta["cortes.json"], "cortes");
  alive(cortes, "cortes", now);
  sameIdentity(mine, claim(root)); // 8
  return { identity: mine, cuts: cuts(cortes.signed.targets) };
}

// Check 9: the list as cuts, number -> {hora, sha256, bytes}.
function cuts(targets) {
  const found = new Map();
  const named = new Set();
  for (const [ruta, file] of Object.entries(targets)) {
    const number = /^cortes\/(\d{4})\/[^/]+$/.exec(ruta)?.[1];
    if (!number) throw new Refusal("CADENA", `La lista de cortes nombra «${ruta}».`);
    named.add(Number(number));
    if (!ruta.endsWith("/manifiesto.json")) continue;
    const { corte, hora_corte: hora } = file.custom ?? {};
    if (corte !== Number(number) || Number.isNaN(Date.parse(hora))) {
      throw new Refusal("CADENA", `La lista no dice el número y la hora del corte ${number}.`);
    }
    found.set(corte, { hora, sha256: file.hashes.sha256, bytes: file.length });
  }
  if (named.size !== found.size) throw new Refusal("CADENA", "Un corte está en la lista sin su manifiesto.");
  const ordered = [...found].sort(([one], [other]) => one - other);
  for (const [n, [, cut]] of ordered.entries()) {
    if (n && Date.parse(cut.hora) <= Date.parse(ordered[n - 1][1].hora)) {
      throw new Refusal("CADENA", "Las horas de los cortes no crecen con sus números.");
    }
  }
  return new Map(ordered);
}
