#!/usr/bin/env python3
"""Comprueba un repositorio, un paquete o una carpeta de Pregón sin usar Pregón.

    python3 verifica.py RUTA --raiz root.json [--repositorio CARPETA] [--antes CARPETA] [--hora ISO] [--json]

RUTA es un repositorio («metadata/» y «targets/»), un .zip con su manifiesto al lado, o la carpeta de un corte. Necesita
Python 3.8 o posterior y la biblioteca «cryptography». Sólo lee. Da el mismo código que «pregon paquete verifica»; el
orden es el de docs/verificacion.md. Termina en 0 sólo si nada falló.

This file imports nothing of Pregón on purpose: it is a second opinion. The numbers are the checks of that document.
"""

# ruff: noqa: B905, C901, PTH100, PTH110, PTH113, PTH114, PTH118, PTH119, PTH120, PTH123, RUF007, TRY301, UP017
import argparse
import hashlib
import json
import os
import re
import sys
import zipfile
import zlib
from datetime import datetime, timezone

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CHUNK = 1 << 20
TIMESTAMP_MAX, SNAPSHOT_MAX, ROOT_MAX, TARGETS_MAX, MANIFEST_MAX = 16 << 10, 256 << 10, 256 << 10, 8 << 20, 32 << 20
ROOT_ROTATIONS_MAX = 64
STATUS = {"OK": 0, "USO": 2, "ENTRADA": 66, "RED": 69}  # ARCHIVO_*: 76; the rest: 77
MAYBE = (None, False, True)
CHANGES, RECIPE, MANIFEST = ".cambios.zip", ".diferencia", "manifiesto.json"
TEXTS = ("convocatoria", "instituto", "ambiente", "hora_corte", "generado")
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError)


class Refusal(Exception):
    """A check that did not hold: its stable code, and what happened in Spanish."""

    def __init__(self, code, what, *values):
        super().__init__(what.format(*values))
        self.code = code


def pieces(folder, name):
    """The bytes of a regular file, a piece at a time, or None where it is not there."""
    path = os.path.join(folder, *name.split("/"))
    if os.path.islink(path) or not os.path.isfile(path):
        return None
    return iter_file(path)


def iter_file(path):
    with open(path, "rb") as file:
        yield from iter(lambda: file.read(CHUNK), b"")


def read(folder, name, limit):
    """A whole small file: RED if it is missing, HASH if it goes on past ``limit``."""
    found, data = pieces(folder, name), b""
    if found is None:
        raise Refusal("RED", "El origen no tiene «{}».", name)
    for piece in found:
        data += piece
        if len(data) > limit:
            raise Refusal("HASH", "«{}» mide más de {} bytes.", name, limit)
    return data


def check_bytes(name, found, size, sha256, missing="HASH"):
    """Size and SHA-256 of what ``found`` gives, against the list. ``missing``: RED where a copy may be half done."""
    if found is None:
        raise Refusal(missing, "Falta «{}».", name)
    digest, count = hashlib.sha256(), 0
    for piece in found:
        count += len(piece)
        if count > size:
            break
        digest.update(piece)
    if missing == "RED" and count < size:
        raise Refusal(missing, "«{}» llegó incompleto: {} de {} bytes.", name, count, size)
    if count != size or digest.hexdigest() != sha256:
        raise Refusal("HASH", "«{}» no es el que se listó: se esperaban {} bytes, SHA-256 {}.", name, size, sha256)


def instant(text):
    """ISO 8601 with its offset, as an aware instant."""
    found = datetime.fromisoformat(re.sub("Z$", "+00:00", text))
    if found.tzinfo is None:
        raise ValueError("una hora sin su diferencia horaria")
    found.astimezone(timezone.utc)  # OverflowError: the first and the last day of the calendar may have none there
    return found


def canonical(value):
    """The canonical JSON that is signed: keys sorted, no spaces, only quote and backslash escaped, no fractions."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(canonical(key) + ":" + canonical(value[key]) for key in sorted(value)) + "}"
    raise ValueError(f"no se puede firmar {value!r}")


class Document:
    """Signed metadata: ``signed`` is what they say, ``payload`` the bytes signed, ``signatures`` those of each key."""

    def __init__(self, data, kind):
        try:
            whole = json.loads(data.decode("utf-8"))
            self.raw, self.signed, self.version = data, whole["signed"], whole["signed"]["version"]
            self.signatures = {one["keyid"]: one["sig"] for one in whole["signatures"]}
            self.payload = canonical(self.signed).encode("utf-8")
            self.expires = datetime.strptime(self.signed["expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
            if len(self.signatures) != len(whole["signatures"]) or not re.match("1[.]", self.signed["spec_version"]):
                raise ValueError("una llave firmó dos veces, o es otra versión de TUF")
            if self.signed["_type"] != kind or type(self.version) is not int or self.version < 1:
                raise ValueError("no es de este papel")
        except MALFORMED as exc:
            raise Refusal("FIRMA", "Los metadatos «{}» no son admisibles: {}", kind, exc) from exc


def verify(document, keys, role, name):
    """Ids of the keys of ``role`` whose signature holds: FIRMA if none does, UMBRAL if they are too few."""
    good = []
    for keyid in role["keyids"]:
        key, signature = keys.get(keyid), document.signatures.get(keyid)
        if key is None or signature is None or keyid in good:
            continue
        if (key["keytype"], key["scheme"]) != ("ecdsa", "ecdsa-sha2-nistp256"):
            raise Refusal("FIRMA", "La llave {} no es ECDSA P-256.", keyid)
        try:
            public = serialization.load_pem_public_key(key["keyval"]["public"].encode("ascii"))
            public.verify(bytes.fromhex(signature), document.payload, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, AttributeError):
            continue
        good.append(keyid)
    if role["threshold"] < 1 or len(good) < role["threshold"]:
        code = "UMBRAL" if good else "FIRMA"
        raise Refusal(code, "«{}» lleva {} firmas válidas y necesita {}.", name, len(good), role["threshold"])
    return good


def alive(document, name, now, meta=None):
    """EXPIRADO if it is past its date; RETROCESO if it is not of the version that ``meta`` lists."""
    expired = Refusal("EXPIRADO", "«{}» venció el {}.", name, document.signed["expires"])
    if now >= document.expires and name in ("root", "timestamp", "snapshot"):
        raise expired
    if meta is not None and document.version != meta[name + ".json"]["version"]:
        raise Refusal("RETROCESO", "«{}» es la versión {} y se lista otra.", name, document.version)
    if now >= document.expires:
        raise expired


def claim_of(signed):
    """(ambiente, convocatoria, instituto) that a document says, and when it was signed."""
    try:
        claim = signed["x-pregon"]
        return tuple(claim[key] + "" for key in ("ambiente", "convocatoria", "instituto")), instant(claim["firmado"])
    except MALFORMED as exc:
        raise Refusal("FIRMA", "Los metadatos no dicen de qué convocatoria y ambiente son.") from exc


def same_identity(mine, theirs, where):
    for code, expected, found in zip(("AMBIENTE", "CONVOCATORIA", "CONVOCATORIA"), mine, theirs):
        if expected != found:
            raise Refusal(code, "Es de «{}» y se esperaba «{}» ({}).", found, expected, where)


class Verifier:
    """One verification: the root trusted, the instant of expiries, the report, and what was seen before: ``seen`` (the
    timestamp and the snapshot) and the ``last`` cut accepted (its number, hour and the SHA-256 of its manifest)."""

    def __init__(self, root, now, repository=None, before=None):
        self.root, self.now, self.repository, self.before = root, now, repository, before
        self.cuts, self.mine, self.seen, self.last, self.last_hour, self.last_sha256 = {}, None, {}, None, None, None
        self.report = {"codigo": "OK", "prueba": "ninguna", "revisados": 0, "recetas": 0, "sin_abrir": 0, "fallas": []}

    def metadata(self, folder):
        """Checks 1 and 3 to 11. Leaves the signed list in ``cuts`` and who signed in the report."""
        try:
            self._metadata(folder)
        except MALFORMED as exc:  # a shape that no repository has
            raise Refusal("FIRMA", "Los metadatos no son admisibles: {!r}", exc) from exc

    def _metadata(self, folder):
        raw = read(folder, "metadata/timestamp.json", TIMESTAMP_MAX)  # 1; 2 is of who looks again and again
        root, signers, seen = Document(self.root, "root"), {}, {}
        self.mine = claim_of(root.signed)[0]
        try:  # 3: refusing on a claim that nobody signed is always safe
            claimed = claim_of(json.loads(raw.decode("utf-8"))["signed"])[0]
        except (Refusal, *MALFORMED):
            claimed = self.mine
        same_identity(self.mine, claimed, "según timestamp.json, sin verificar")

        def by_root(document, name):
            signers[name] = verify(document, root.signed["keys"], root.signed["roles"][name], name)
            return document

        by_root(root, "root")  # 4
        for version in range(root.version + 1, root.version + 1 + ROOT_ROTATIONS_MAX):
            name = f"metadata/{version}.root.json"
            if pieces(folder, name) is None:
                break
            new = by_root(Document(read(folder, name, ROOT_MAX), "root"), "root")
            if new.version != version:
                raise Refusal("RETROCESO", "{} dice ser la versión {}.", name, new.version)
            root = new
            by_root(root, "root")
        alive(root, "root", self.now)
        for name, document in self.seen.items():
            try:
                seen[name] = by_root(document, name)
            except Refusal:  # the new root withdrew the key of what was seen: it protects nothing any more
                continue
        stamp = by_root(Document(raw, "timestamp"), "timestamp")  # 5
        old = seen.get("timestamp", stamp)
        versions = [(one.version, one.signed["meta"]["snapshot.json"]["version"]) for one in (old, stamp)]
        if versions[1][0] < versions[0][0] or versions[1][1] < versions[0][1]:
            raise Refusal("RETROCESO", "timestamp.json es más viejo que el ya visto.")
        stamp = old if stamp.version == old.version else stamp
        alive(stamp, "timestamp", self.now)
        meta = stamp.signed["meta"]
        snapshot = by_root(listed(folder, "snapshot", meta, SNAPSHOT_MAX), "snapshot")  # 6
        for name, known in seen.get("snapshot", snapshot).signed["meta"].items():
            if name not in snapshot.signed["meta"] or snapshot.signed["meta"][name]["version"] < known["version"]:
                raise Refusal("RETROCESO", "«{}» desapareció o es más viejo que el ya visto.", name)
        alive(snapshot, "snapshot", self.now, meta)
        meta = snapshot.signed["meta"]
        targets = by_root(listed(folder, "targets", meta, TARGETS_MAX), "targets")  # 7
        alive(targets, "targets", self.now, meta)
        delegations = targets.signed["delegations"]
        (role,) = [one for one in delegations["roles"] if one["name"] == "cortes" and "cortes/*/*" in one["paths"]]
        cortes = listed(folder, "cortes", meta, TARGETS_MAX, "targets")
        signers["cortes"] = verify(cortes, delegations["keys"], role, "cortes")
        alive(cortes, "cortes", self.now, meta)
        for document, name in ((root, "root"), (stamp, "timestamp")):  # 8
            claimed, signed_at = claim_of(document.signed)
            same_identity(self.mine, claimed, f"según {name}.json, verificado")
        self.cuts = list_cuts(cortes.signed["targets"])  # 9
        last = self.last
        if last in self.cuts and self.cuts[last]["manifest"][2] != self.last_sha256:  # 10
            raise Refusal("EQUIVOCO", "Se firmaron dos contenidos distintos para el corte {}.", last)
        if last is not None and max(self.cuts, default=-1) < last:  # 11
            raise Refusal("RETROCESO", "El último corte que se ofrece es anterior al {}, ya visto.", last)
        self.seen = {"timestamp": stamp, "snapshot": snapshot}
        self.report["firmado"] = signed_at.isoformat()
        self.report["raiz_sha256"] = hashlib.sha256(root.raw).hexdigest()
        self.report["ultimo_firmado"] = max(self.cuts, default=None)
        self.report["papeles"] = [
            {"papel": name, "version": one.version, "vence": one.signed["expires"], "llaves": signers[name]}
            for name, one in zip(
                ("root", "timestamp", "snapshot", "targets", "cortes"), (root, stamp, snapshot, targets, cortes)
            )
        ]

    def manifest(self, folder, number):
        """Checks 12 to 15 of a cut of the list: its manifest."""
        path, size, sha256 = self.cuts[number]["manifest"]
        if size > MANIFEST_MAX:
            raise Refusal("ARCHIVO_MANIFIESTO", "El manifiesto mide {} bytes.", size)
        check_bytes(path, pieces(folder, "targets/" + path), size, sha256, "RED")  # 12
        return self.follows(parse_manifest(read(folder, "targets/" + path, MANIFEST_MAX)), number)

    def follows(self, manifest, number):
        """Checks 13 to 15 of a manifest whose bytes are the signed ones."""
        theirs = (manifest["ambiente"], manifest["convocatoria"], manifest["instituto"])
        same_identity(self.mine, theirs, "según el manifiesto firmado")  # 13
        before = max((n for n in self.cuts if n < number), default=None)  # 14
        chained = None if before is None else self.cuts[before]["manifest"][2]
        if (manifest["corte"], manifest["hour"]) != (number, self.cuts[number]["hour"]):
            raise Refusal("CADENA", "El manifiesto y la lista firmada no dicen el mismo corte y hora.")
        if manifest["anterior"] != chained:
            raise Refusal("CADENA", "El corte {} no está encadenado con el anterior de la lista.", number)
        news = self.last is not None and self.last < number == max(self.cuts)
        if news and (self.last not in self.cuts or manifest["hour"] <= self.last_hour):
            raise Refusal("CADENA", "El corte {} no sigue al {}, ya visto.", number, self.last)
        if not self.cuts[number]["archives"]:  # 15
            raise Refusal("CADENA", "El corte {} se firmó sin ningún archivo que abrir.", number)
        return manifest

    def held(self, name, check, *arguments):
        """Run a check of one file; a refusal is noted under its name. Whether it held."""
        try:
            check(*arguments)
        except Refusal as refusal:
            self.report["fallas"].append({"ruta": name, "codigo": refusal.code, "que_paso": str(refusal)})
            return False
        self.report["revisados"] += 1
        return True

    def remember(self, folder):
        """Accept the newest cut of an earlier copy, as somebody who saw it."""
        self.metadata(folder)
        if self.cuts:
            last = max(self.cuts)
            self.last_hour = self.manifest(folder, last)["hour"]
            self.last, self.last_sha256 = last, self.cuts[last]["manifest"][2]

    def repository_whole(self, folder):
        """Every cut of the list, the newest first: manifest, archives, and what each archive brings."""
        self.metadata(folder)
        for number in sorted(self.cuts, reverse=True):
            found = {}
            signed = self.cuts[number]["manifest"]
            if not self.held(signed[0], lambda n=number, into=found: into.update(self.manifest(folder, n))):
                continue
            if number == max(self.cuts):
                self.tell(found, signed[2])
            for path, size, sha256 in self.cuts[number]["archives"]:
                ours = pieces(folder, "targets/" + path)
                if self.held(path, check_bytes, path, ours, size, sha256, "RED"):
                    self.contents(os.path.join(folder, "targets", *path.split("/")), found["files"])

    def cut_at_hand(self, path):
        """A .zip with its manifest beside it, or the folder of a cut."""
        here = os.path.dirname(os.path.abspath(path)) if os.path.isfile(path) else path
        around = os.path.dirname(os.path.dirname(os.path.dirname(here)))
        if pieces(here, MANIFEST) is None:
            raise Refusal("ENTRADA", "No hay «{}» en {}.", MANIFEST, here)
        raw = read(here, MANIFEST, MANIFEST_MAX)
        manifest, sha256, signed = parse_manifest(raw), hashlib.sha256(raw).hexdigest(), {}
        self.tell(manifest, sha256)
        if self.repository is None and pieces(around, "metadata/timestamp.json") is not None:
            self.repository = around
        try:
            if self.repository is None:
                raise Refusal("ENTRADA", "No hay firmas que comprobar: dé --repositorio.")
            self.metadata(self.repository)
            number = manifest["corte"]
            if number not in self.cuts or self.cuts[number]["manifest"][2] != sha256:
                raise Refusal("HASH", "El manifiesto del corte {} no es uno que el instituto firmó.", number)
            self.follows(manifest, number)
            signed = {one[0].split("/")[2]: one[1:] for one in self.cuts[number]["archives"]}
        except Refusal as refusal:  # what the files are is told all the same
            self.report["error"] = {"codigo": refusal.code, "que_paso": str(refusal)}
        if os.path.isfile(path):
            name = os.path.basename(path)
            if name not in signed or self.held(name, check_bytes, name, iter_file(path), *signed[name]):
                self.contents(path, manifest["files"])
            return
        for name, (size, digest) in sorted(manifest["files"].items()):
            self.held(name, check_bytes, name, pieces(path, name), size, digest)
        for top, folders, names in os.walk(path):
            names += [one for one in folders if os.path.islink(os.path.join(top, one))]
            for name in sorted(os.path.relpath(os.path.join(top, one), path).replace(os.sep, "/") for one in names):
                if name not in manifest["files"] and name != MANIFEST:
                    self.held(name, surplus, name)

    def contents(self, path, files):
        """Every member of a zip against the manifest; a whole one must bring every file."""
        label = os.path.basename(path)
        if not label.endswith(".zip"):  # a 7z: its bytes are the signed ones, and nothing here opens it
            self.report["sin_abrir"] += 1
            return
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, NotImplementedError, *MALFORMED) as exc:
            self.report["fallas"].append({"ruta": label, "codigo": "ARCHIVO_ILEGIBLE", "que_paso": str(exc)})
            return
        with archive:
            infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
            names = {info.filename for info in infos}
            if len(names) != len(infos):
                what = "Un nombre aparece dos veces."
                self.report["fallas"].append({"ruta": label, "codigo": "ARCHIVO_DUPLICADO", "que_paso": what})
                return
            for info in infos:
                self.held(info.filename, self.member, archive, info, files)
        if not label.endswith(CHANGES):
            for absent in sorted(set(files) - names):
                self.held(absent, check_bytes, absent, None, 0, "")

    def member(self, archive, info, files):
        name = info.filename
        if name.endswith(RECIPE) and name[: -len(RECIPE)] in files and name not in files:
            self.report["recetas"] += 1
            return
        if name not in files:
            surplus(name)
        if info.flag_bits & 1:
            raise Refusal("ARCHIVO_CIFRADO", "«{}» está cifrado.", name)
        try:
            with archive.open(info) as member:
                check_bytes(name, iter(lambda: member.read(CHUNK), b""), *files[name])
        except zlib.error as exc:
            raise Refusal("ARCHIVO_DATOS", "«{}»: {}", name, exc) from exc
        except (zipfile.BadZipFile, EOFError, NotImplementedError) as exc:
            raise Refusal("ARCHIVO_CRC", "«{}»: {}", name, exc) from exc

    def tell(self, manifest, sha256):
        self.report.update({key: manifest[key] for key in (*TEXTS, "corte", "ultimo")})
        self.report["manifiesto_sha256"] = sha256
        self.report["huella"] = " ".join(sha256[n : n + 4] for n in range(0, 64, 4))

    def examine(self, path):
        """The whole verification; the report's ``codigo`` is the verdict, the first thing that failed."""
        report = self.report
        report["origen"] = path
        try:
            if not os.path.exists(path):
                raise Refusal("ENTRADA", "No existe {}.", path)
            if self.before is not None:
                self.remember(self.before)
            whole = pieces(path, "metadata/timestamp.json") is not None
            self.repository_whole(path) if whole else self.cut_at_hand(path)
        except Refusal as refusal:
            report["error"] = {"codigo": refusal.code, "que_paso": str(refusal)}
        first = report.get("error") or next(iter(report["fallas"]), None)
        report["codigo"], report["prueba"] = (first["codigo"], "ninguna") if first else ("OK", "firma")
        return report


def listed(folder, name, meta, limit, kind=None):
    """The document that another one lists, by size and SHA-256."""
    if name + ".json" not in meta:
        raise Refusal("FIRMA", "El repositorio no lista «{}».", name)
    entry = meta[name + ".json"]
    file = "metadata/{}.{}.json".format(entry["version"], name)
    data = read(folder, file, entry.get("length", limit))
    if len(data) != entry["length"] or hashlib.sha256(data).hexdigest() != entry["hashes"]["sha256"]:
        raise Refusal("HASH", "«{}» no es el que se firmó.", file)
    return Document(data, kind or name)


def surplus(name):
    raise Refusal("ARCHIVO_MANIFIESTO", "Sobra «{}»: el manifiesto no lo lista.", name)


def check_path(path):
    """A name that means the same file everywhere: the commonest of Pregón's reasons, with their codes."""
    rules = (
        ("ARCHIVO_CONTROL", any(ord(c) < 32 or 127 <= ord(c) < 160 for c in path)),
        ("ARCHIVO_DIAGONAL", "\\" in path),
        ("ARCHIVO_ABSOLUTA", path.startswith("/")),
        ("ARCHIVO_UNIDAD", ":" in path),
        ("ARCHIVO_SUPERIOR", any(part in ("", ".", "..") for part in path.split("/"))),
        ("ARCHIVO_RESERVADO", path.lower() == MANIFEST),
    )
    for code, broken in rules:
        if broken:
            raise Refusal(code, "El nombre {!a} no es admisible.", path[:120])


def list_cuts(targets):
    """Check 9: the signed list as {number: {"hour", "manifest", "archives"}}; a file is (path, bytes, SHA-256)."""
    cuts = {}
    for path, file in sorted(targets.items()):
        check_path(path)
        named = re.match(r"cortes/([0-9]{4})/([^/]+)$", path)
        if named is None:
            raise Refusal("CADENA", "La lista de cortes nombra «{}».", path)
        number, entry = int(named.group(1)), (path, file["length"], file["hashes"]["sha256"])
        cut = cuts.setdefault(number, {"archives": []})
        if named.group(2) != MANIFEST:
            cut["archives"].append(entry)
            continue
        try:
            stated, cut["hour"], cut["manifest"] = file["custom"]["corte"], instant(file["custom"]["hora_corte"]), entry
        except MALFORMED:
            stated = None
        if stated != number:
            raise Refusal("CADENA", "La lista no dice bien el número y la hora del corte {}.", number)
    if any("manifest" not in cut for cut in cuts.values()):
        raise Refusal("CADENA", "Un corte está en la lista sin su manifiesto.")
    hours = [cuts[number]["hour"] for number in sorted(cuts)]
    if any(later <= earlier for earlier, later in zip(hours, hours[1:])):
        raise Refusal("CADENA", "Las horas de los cortes no crecen con sus números.")
    return cuts


def deeper(value, levels):
    """Whether a JSON value has more levels than that."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is not None and (levels == 0 or any(deeper(each, levels - 1) for each in inner))


def parse_manifest(data):
    """The manifest of a cut, its types checked, with its files as {path: (bytes, SHA-256)} under ``files``."""

    def unique(pairs):
        if len(dict(pairs)) != len(pairs):
            raise ValueError("una clave está repetida")
        return dict(pairs)

    try:  # int() of a fraction is a ValueError: no number of a manifest has one
        found = json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_float=int, parse_constant=int)
        named = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
        bad = [key for key in ("convocatoria", "instituto") if not re.match(named, found[key])]
        bad += [key for key in ("elecciones", "autorizaciones", "archivos") if not isinstance(found[key], list)]
        if bad or found["formato"] != "pregon/paquete/1" or found["ambiente"] not in ("oficial", "simulacro"):
            raise ValueError(f"formato, ambiente o {bad}")
        if type(found["corte"]) is not int or type(found["ultimo"]) is not bool:
            raise ValueError("corte o ultimo")
        if found["cierre"] not in (None, "horario", "anticipado") or found["incluye_especiales"] not in MAYBE:
            raise ValueError("cierre o incluye_especiales")
        if found["anterior"] is not None and not re.match("[0-9a-f]{64}$", found["anterior"]):
            raise ValueError("anterior")
        instant(found["generado"])
        instant(found["proximo"] or found["generado"])
        if deeper(found, 32):
            raise ValueError("tiene más de 32 niveles")
        text = canonical(found)
        found["hour"], found["files"] = instant(found["hora_corte"]), {}
        for entry in found["archivos"]:
            path, size, sha256 = entry["ruta"], entry["bytes"], entry["sha256"]
            if type(size) is not int or size < 0 or not re.match("[0-9a-f]{64}$", sha256):
                raise ValueError("archivos")
            check_path(path)
            if path in found["files"]:
                raise Refusal("ARCHIVO_DUPLICADO", "El manifiesto lista dos veces «{}».", path)
            found["files"][path] = (size, sha256)
        text.encode("utf-8")  # half a character is not a text: nobody can write it again
    except MALFORMED as exc:
        raise Refusal("ARCHIVO_MANIFIESTO", "El manifiesto no es admisible: {!r}", exc) from exc
    return found


def show(report):
    """The report for a person."""
    print(report["origen"])
    if "corte" in report:
        print("  {convocatoria} · {instituto} · {ambiente}\n  corte {corte:04d}, {hora_corte}".format(**report))
        print("  huella del manifiesto:\n      {huella}".format(**report))
    for role in report.get("papeles", []):
        print("  {papel} v{version}, vence {vence}, firmado por:".format(**role), *role["llaves"], sep="\n      ")
    print("  {revisados} archivos comprobados.".format(**report))
    print("  {recetas} diferencias no se rehicieron; {sin_abrir} archivos no se abrieron.".format(**report))
    newest = report.get("ultimo_firmado")
    if newest is not None and report.get("corte") not in (None, newest):
        print(f"  No es el corte más nuevo: la lista firmada llega al {newest}.")
    if "error" in report:
        print("  {codigo}: {que_paso}".format(**report["error"]))
    for failure in report["fallas"]:
        print("  {codigo}: {ruta}: {que_paso}".format(**failure))
    print("Veredicto: " + report["codigo"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ruta", help="un repositorio, un .zip con su manifiesto al lado, o la carpeta de un corte")
    parser.add_argument("--raiz", required=True, help="el root.json que publicó el instituto")
    parser.add_argument("--repositorio", help="carpeta con metadata/, si no está alrededor del .zip")
    parser.add_argument("--antes", help="una copia anterior del repositorio: se exige que ésta la continúe")
    parser.add_argument("--hora", help="juzga los vencimientos a esta hora (ISO 8601 con su desfase)")
    parser.add_argument("--json", action="store_true", help="escribe el resultado en JSON")
    given = parser.parse_args()
    try:
        now = instant(given.hora) if given.hora else datetime.now(timezone.utc)
        root = next(iter_file(given.raiz), b"")
    except (OSError, ValueError) as exc:
        parser.error(str(exc))
    report = Verifier(root, now, given.repositorio, given.antes).examine(given.ruta)
    if given.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        show(report)
    code = report["codigo"]
    return STATUS.get(code, 76 if code.startswith("ARCHIVO_") else 77)


if __name__ == "__main__":
    sys.exit(main())
