#!/usr/bin/env python3
"""Comprueba un repositorio, un paquete o una carpeta de Pregón sin usar Pregón.

    python3 verifica.py RUTA --raiz root.json [--repositorio CARPETA] [--antes CARPETA] [--hora ISO] [--json]

RUTA es un repositorio («metadata/» y «targets/»), el archivo de un corte (con su manifiesto al lado o con
--repositorio), o la carpeta de un corte desempacado. Necesita Python 3.8 o posterior y la biblioteca «cryptography».
Sólo lee. Da el mismo código que «pregon paquete verifica», salvo por la forma de los archivos: no abre un 7z ni juzga
cómo está hecho un zip, sólo lo que trae. El orden es el de docs/verificacion.md. Termina en 0 sólo si nada falló.

This file imports nothing of Pregón on purpose: it is a second opinion. The numbers are the checks of that document.
"""

# ruff: noqa: B905, C901, PTH100, PTH110, PTH112, PTH113, PTH114, PTH118, PTH119, PTH120, PTH123, PTH202, RUF007, TRY301, UP017
import argparse
import fnmatch
import hashlib
import json
import os
import re
import stat
import sys
import unicodedata
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
FILE_MAX, LOOK_MAX, CUT_MAX, DEPTH_MAX, NAMES_MAX = 1 << 53, 8 << 30, 9999, 32, 150_000
NAME, SHA256 = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}"), re.compile("[0-9a-f]{64}")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}(?::[0-9]{2}){2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})")
HALF = re.compile(rb"\\u[dD][89a-fA-F]")
EXPIRES = re.compile("[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
CUTS, A_CUT, SIETE_START = "cortes/*/*", "cortes/0000/manifiesto.json", b"7z\xbc\xaf\x27\x1c"
TOP = ("root", "timestamp", "snapshot", "targets")
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?", re.IGNORECASE)
CHANGES, RECIPE, MANIFEST = ".cambios.zip", ".diferencia", "manifiesto.json"
TEXTS = ("convocatoria", "instituto", "ambiente", "hora_corte", "generado")
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError, StopIteration)


class Refusal(Exception):
    """A check that did not hold: its stable code, and what happened in Spanish."""

    def __init__(self, code, what, *values):
        super().__init__(shown(what.format(*values)))
        self.code = code


def shown(text):
    """What a stranger wrote, for a terminal: no control, invisible or half character of it acts."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def pieces(folder, name):
    """The bytes of a regular file, a piece at a time, or None where it is not there. No link is followed: RED."""
    path, mode = folder, 0
    try:
        for part in name.split("/"):
            path = os.path.join(path, part)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                raise Refusal("RED", "«{}» es o pasa por un enlace.", name)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise Refusal("RED", "No se pudo leer «{}»: {}", name, exc) from exc
    if not stat.S_ISREG(mode) or os.path.getsize(path) > LOOK_MAX:
        raise Refusal("RED", "«{}» no es un archivo normal, o mide más de {} bytes.", name, LOOK_MAX)
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
    """ISO 8601 to the second or finer, with its offset, as an aware instant."""
    if not INSTANT.fullmatch(text):
        raise ValueError("no es una fecha y hora con su diferencia horaria")
    return aware(re.sub("[.]([0-9]+)", lambda found: "." + found.group(1).ljust(6, "0"), text))


def aware(text):
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
            must(len(self.signatures) == len(whole["signatures"]), "una llave firmó dos veces")
            must(EXPIRES.fullmatch(self.signed["expires"]), "expires")
            check_shape(kind, self.signed)
        except MALFORMED as exc:
            raise Refusal("FIRMA", "Los metadatos «{}» no son admisibles: {}", kind, exc) from exc


def must(holds, what):
    if not holds:
        raise ValueError(what)


def at_least(least, value):
    return isinstance(value, int) and value >= least


def check_shape(kind, signed):
    """A document has what TUF says that its role has; if not, a ValueError, or what a wrong type raises."""
    spec = signed["spec_version"].split(".")
    must(signed["_type"] == kind and at_least(1, signed["version"]), "no es de este papel")
    must(len(spec) in (2, 3) and all(map(str.isdigit, spec)) and spec[0] == "1", "spec_version")
    if kind == "root":
        check_keys(signed["keys"])
        must(set(signed["roles"]) == set(TOP) and signed.get("consistent_snapshot", True) is not None, "roles")
        for role in signed["roles"].values():
            check_role(role)
    elif kind == "targets":
        for file in signed["targets"].values():
            check_listed(file, "length", "hashes")
        if "delegations" in signed:
            check_keys(signed["delegations"]["keys"])
            roles = signed["delegations"]["roles"]
            names = [role["name"] for role in roles]
            must("succinct_roles" not in signed["delegations"], "roles")
            must(isinstance(roles, list) and all(names) and not set(names) & set(TOP), "roles")
            must(len(set(names)) == len(names), "roles")
            for role in roles:
                check_role(role)
                paths = role.get("paths", role.get("path_hash_prefixes"))
                must(("paths" in role) != ("path_hash_prefixes" in role) and "terminating" in role, "roles")
                must(all(isinstance(path, str) for path in paths), "roles")
    else:
        must(kind == "snapshot" or list(signed["meta"]) == ["snapshot.json"], "meta")
        for entry in signed["meta"].values():
            must(at_least(1, entry["version"]), "version")
            check_listed(entry)


def check_keys(keys):
    """Every key of Pregón is ECDSA P-256."""
    for key in keys.values():
        must((key["keytype"], key["scheme"]) == ("ecdsa", "ecdsa-sha2-nistp256"), "una llave no es ECDSA P-256")
        must(isinstance(key["keyval"]["public"], str), "una llave no es texto")


def check_role(role):
    must(at_least(1, role["threshold"]) and len(set(role["keyids"])) == len(role["keyids"]), "threshold o keyids")


def check_listed(entry, *needed):
    """The length and the hashes of a file, where they are given or ``needed``."""
    if "length" in needed or "length" in entry:
        must(at_least(0, entry["length"]), "length")
    if "hashes" in needed or "hashes" in entry:
        must(entry["hashes"] and all(isinstance(text, str) for text in entry["hashes"].values()), "hashes")


def verify(document, keys, role, name):
    """Ids of the keys of ``role`` whose signature holds: FIRMA if none does, UMBRAL if they are too few."""
    good = []
    for keyid in role["keyids"]:
        key, signature = keys.get(keyid), document.signatures.get(keyid)
        if key is None or signature is None or keyid in good:
            continue
        try:
            public = serialization.load_pem_public_key(key["keyval"]["public"].encode("utf-8"))
            must(public.curve.name == "secp256r1", "es de otra curva")
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
        plain = not root.signed.get("consistent_snapshot")
        snapshot = by_root(listed(folder, "snapshot", meta, SNAPSHOT_MAX, plain=plain), "snapshot")  # 6
        for name, known in seen.get("snapshot", snapshot).signed["meta"].items():
            if name not in snapshot.signed["meta"] or snapshot.signed["meta"][name]["version"] < known["version"]:
                raise Refusal("RETROCESO", "«{}» desapareció o es más viejo que el ya visto.", name)
        alive(snapshot, "snapshot", self.now, meta)
        meta = snapshot.signed["meta"]
        targets = by_root(listed(folder, "targets", meta, TARGETS_MAX, plain=plain), "targets")  # 7
        alive(targets, "targets", self.now, meta)
        delegations = targets.signed["delegations"]
        role = next(one for one in delegations["roles"] if leads(one, A_CUT))
        must(role["name"] == "cortes" and role["paths"] == [CUTS], "los cortes no son de quien deben")
        must(A_CUT not in targets.signed["targets"], "los cortes están en otra lista")
        cortes = listed(folder, "cortes", meta, TARGETS_MAX, "targets", plain=plain)
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
                if self.held(path, self.whole, folder, path, size, sha256):
                    self.contents(os.path.join(folder, "targets", *path.split("/")), found["files"])

    @staticmethod
    def whole(folder, path, size, sha256):
        """A file of the signed list, whole."""
        check_bytes(path, pieces(folder, "targets/" + path), size, sha256, "RED")

    def cut_at_hand(self, path):
        """An archive with its manifest beside it or in the repository given, or the folder of a cut."""
        alone = os.path.isfile(path)
        here, name = os.path.split(os.path.abspath(path)) if alone else (path, None)
        around = os.path.dirname(os.path.dirname(os.path.dirname(here)))
        if self.repository is not None:
            if os.path.basename(os.path.normpath(self.repository)) == "metadata":
                self.repository = os.path.dirname(os.path.abspath(self.repository))
            if not os.path.isdir(self.repository):
                raise Refusal("ENTRADA", "No existe {}.", self.repository)
        if alone and self.repository is not None and not os.path.isfile(os.path.join(here, MANIFEST)):
            self.metadata(self.repository)
            named = [n for n in sorted(self.cuts) if name in (one[0].split("/")[2] for one in self.cuts[n]["archives"])]
            if not named:
                raise Refusal("HASH", "La lista firmada no nombra ningún archivo «{}».", name)
            raw = read(self.repository, "targets/" + self.cuts[named[0]]["manifest"][0], MANIFEST_MAX)
        elif pieces(here, MANIFEST) is None:
            raise Refusal("ENTRADA", "No hay «{}» en {}.", MANIFEST, here)
        else:
            raw = read(here, MANIFEST, MANIFEST_MAX)
        manifest, sha256, signed = parse_manifest(raw), hashlib.sha256(raw).hexdigest(), {}
        self.tell(manifest, sha256)
        if alone and self.repository is None and os.path.isfile(os.path.join(around, "metadata", "timestamp.json")):
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
        if alone:
            if name not in signed or self.held(name, check_bytes, name, iter_file(path), *signed[name]):
                self.contents(path, manifest["files"], None if name in signed else signed)
            return
        for name, (size, digest) in sorted(manifest["files"].items()):
            self.held(name, lambda n=name, s=size, d=digest: check_bytes(n, pieces(path, n), s, d))
        for top, folders, names in os.walk(path):
            names += [one for one in folders if os.path.islink(os.path.join(top, one))]
            for name in sorted(os.path.relpath(os.path.join(top, one), path).replace(os.sep, "/") for one in names):
                if name not in manifest["files"] and name != MANIFEST:
                    self.held(name, surplus, name)

    def contents(self, path, files, signed=None):
        """Every member of a zip against the manifest; a whole one must bring every file.

        ``signed``: the archives of the cut, where nobody has compared the bytes of this one yet. A 7z is not opened
        here: what proves it is that its bytes are signed ones, and without that it proves nothing.
        """
        label, start = os.path.basename(path), next(iter_file(path), b"")[: len(SIETE_START)]
        if start == SIETE_START or (signed is None and not label.endswith(".zip")):
            if signed is not None:
                self.held(label, check_signed, path, list(signed.values()))
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
            if self.before is not None:
                self.remember(self.before)
            if not os.path.exists(path):
                raise Refusal("ENTRADA", "No existe {}.", path)
            found = os.path.isfile(os.path.join(path, "metadata", "timestamp.json"))
            self.repository_whole(path) if found else self.cut_at_hand(path)
        except OSError as exc:
            report["error"] = {"codigo": "RED", "que_paso": shown(str(exc))}
        except Refusal as refusal:
            report["error"] = {"codigo": refusal.code, "que_paso": str(refusal)}
        first = report.get("error") or next(iter(report["fallas"]), None)
        report["codigo"], report["prueba"] = (first["codigo"], "ninguna") if first else ("OK", "firma")
        return report


def listed(folder, name, meta, limit, kind=None, *, plain=False):
    """The document that another one lists, by size and by every hash that is listed, SHA-256 among them."""
    if name + ".json" not in meta:
        raise Refusal("FIRMA", "El repositorio no lista «{}».", name)
    entry = meta[name + ".json"]
    file = "metadata/{}{}.json".format("" if plain else "{}.".format(entry["version"]), name)
    data = read(folder, file, entry.get("length", limit))
    hashes = entry.get("hashes", {})
    if len(data) != entry.get("length", len(data)) or not all(hashed(each, hashes[each], data) for each in hashes):
        raise Refusal("HASH", "«{}» no es el que se firmó.", file)
    must("length" in entry and "sha256" in entry["hashes"], "se lista sin tamaño o sin SHA-256")
    return Document(data, kind or name)


def hashed(name, value, data):
    """Whether that is the hash of that name; no hash that this machine cannot make is."""
    try:
        return hashlib.new(name, data).hexdigest() == value
    except (ValueError, TypeError):
        return False


def leads(role, path):
    """Whether a delegated role may list that path: TUF asks the first one that does."""
    if "paths" not in role:
        return any(hashlib.sha256(path.encode()).hexdigest().startswith(each) for each in role["path_hash_prefixes"])
    patterns = (each.split("/") for each in role["paths"])
    parts = path.split("/")
    return any(len(each) == len(parts) and all(map(fnmatch.fnmatchcase, parts, each)) for each in patterns)


def check_signed(path, archives):
    """An archive under a name that nobody signed: its bytes must be those of one that was."""
    size, digest = os.path.getsize(path), hashlib.sha256()
    if any(size == each for each, _ in archives):
        for piece in iter_file(path):
            digest.update(piece)
    if (size, digest.hexdigest()) not in archives:
        raise Refusal("HASH", "No se firmó ningún archivo con ese nombre ni con esos bytes, y un 7z no se abre aquí.")


def surplus(name):
    raise Refusal("ARCHIVO_MANIFIESTO", "Sobra «{}»: el manifiesto no lo lista.", name)


def check_path(path):
    """A name that means the same file everywhere, or the first of Pregón's reasons, with its code."""
    parts, common = path.split("/"), path.isascii() and path.isprintable()
    kinds = set() if common else {unicodedata.category(c) for c in path}
    rules = (
        ("ARCHIVO_NULO", "\0" in path),
        ("ARCHIVO_BIDI", BIDI & set(path)),
        ("ARCHIVO_CONTROL", kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}),
        ("ARCHIVO_DIAGONAL", "\\" in path),
        ("ARCHIVO_ABSOLUTA", path.startswith("/")),
        ("ARCHIVO_UNIDAD", ":" in path),
        ("ARCHIVO_SUPERIOR", any(part in ("", ".", "..") for part in parts)),
        ("ARCHIVO_PROFUNDIDAD", len(parts) > 16),
        ("ARCHIVO_LARGO", "Cs" not in kinds and (measure(path) > 512 or max(map(measure, parts)) > 255)),
        ("ARCHIVO_NOMBRE", any(part[-1:] in (".", " ") or part[:1] == " " or DEVICE.fullmatch(part) for part in parts)),
        ("ARCHIVO_RESERVADO", fold(path) == MANIFEST),
    )
    for code, broken in rules:
        if broken:
            raise Refusal(code, "El nombre {!a} no es admisible.", path[:120])


def measure(text):
    return len(text.encode("utf-8"))


def fold(text):
    """One spelling for all that some file system takes for the same name."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


class Names(dict):
    """The names of one package: each admitted, none twice, none that another system takes for another one."""

    last = None

    def add(self, path):
        check_path(path)
        self.parents(path)
        if self.claim(path, "archivo"):
            raise Refusal("ARCHIVO_DUPLICADO", "El nombre {!a} está dos veces.", path[:120])

    def parents(self, path):
        folder = path.rpartition("/")[0]
        if folder != self.last:
            parts = folder.split("/") if folder else []
            for count in range(len(parts)):
                self.claim("/".join(parts[: count + 1]), "carpeta")
        self.last = folder

    def claim(self, path, kind):
        """Take its spelling; whether this very name had it already."""
        before, mine = len(self), (path, kind)
        if self.setdefault(fold(path), mine) != mine:
            raise Refusal("ARCHIVO_COLISION", "El nombre {!a} sería otro archivo en algún sistema.", path[:120])
        if len(self) > NAMES_MAX:
            raise Refusal("ARCHIVO_MIEMBROS", "Hay más de {} archivos y carpetas.", NAMES_MAX)
        return len(self) == before


def list_cuts(targets):
    """Check 9: the signed list as {number: {"hour", "manifest", "archives"}}; a file is (path, bytes, SHA-256)."""
    cuts = {}
    for path, file in sorted(targets.items()):
        check_path(path)
        named = re.fullmatch("cortes/([0-9]{4})/([^/]+)", path)
        if named is None:
            raise Refusal("CADENA", "La lista de cortes nombra «{}».", path)
        number, entry = int(named.group(1)), (path, file["length"], file["hashes"]["sha256"])  # KeyError: FIRMA
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
        must(found["formato"] == "pregon/paquete/1" and found["ambiente"] in ("oficial", "simulacro"), "formato")
        must(all(map(NAME.fullmatch, (found["convocatoria"], found["instituto"], *found["elecciones"]))), "nombres")
        must(all(isinstance(found[key], list) for key in ("elecciones", "autorizaciones", "archivos")), "listas")
        must(0 < len(set(found["elecciones"])) == len(found["elecciones"]), "elecciones")
        must(type(found["corte"]) is int and 0 <= found["corte"] <= CUT_MAX, "corte")
        must(type(found["ultimo"]) is bool, "ultimo")
        must(found["cierre"] is None or (found["cierre"] in ("horario", "anticipado") and found["ultimo"]), "cierre")
        must(found["incluye_especiales"] is None or type(found["incluye_especiales"]) is bool, "incluye_especiales")
        must(found["anterior"] is None or SHA256.fullmatch(found["anterior"]), "anterior")
        instant(found["generado"])
        instant(found["generado"] if found["proximo"] is None else found["proximo"])
        for one in found["autorizaciones"]:
            must(all(isinstance(one[key], str) for key in ("codigo", "motivo", "operador")), "autorizaciones")
            instant(one["hora"])
            must("contienda" not in one or NAME.fullmatch(one["contienda"]), "contienda")
        must(not deeper(found, DEPTH_MAX), "tiene más niveles de los que se admiten")
        for entry in found["archivos"]:
            must(isinstance(entry["ruta"], str) and SHA256.fullmatch(entry["sha256"]), "archivos")
            must(type(entry["bytes"]) is int and 0 <= entry["bytes"] <= FILE_MAX, "archivos")
        hour, names, files = instant(found["hora_corte"]), Names(), {}
        for entry in found["archivos"]:
            names.add(entry["ruta"])
            files[entry["ruta"]] = (entry["bytes"], entry["sha256"])
        if HALF.search(data):
            json.dumps(found, ensure_ascii=False).encode("utf-8")  # half a character: nobody can write it again
        found["hour"], found["files"] = hour, files
    except MALFORMED as exc:
        raise Refusal("ARCHIVO_MANIFIESTO", "El manifiesto no es admisible: {!r}", exc) from exc
    return found


def show(report):
    """The report for a person."""
    print(shown(report["origen"]))
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
        print("  {codigo}: {}: {que_paso}".format(shown(failure["ruta"]), **failure))
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
    sys.stdout.reconfigure(errors="backslashreplace")  # a name on a disk, or a terminal, may not be UTF-8
    try:
        now = aware(given.hora) if given.hora else datetime.now(timezone.utc)
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
