"""Makes repositories and packages byte by byte, without Pregón's signing code nor python-tuf's.

The same bytes every time: fixed hours, keys made from their names, ECDSA signatures of RFC 6979, zips without
compression. The keys are public on purpose: they protect nothing. The metadata are plain dictionaries, so that a fault
of the code that is judged does not become the expected answer.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INICIO = datetime(2027, 6, 7, 2, 0, tzinfo=UTC)
"""20:00 of 6 June in central Mexico."""
INTERVALO = timedelta(minutes=20)
FIN = INICIO + timedelta(hours=26)
LEJOS = INICIO + timedelta(days=400)
CIERRE = datetime(2037, 7, 1, tzinfo=UTC)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
OFFLINE = ("raiz-1", "raiz-2", "raiz-3")
ONLINE = ("snapshot", "timestamp")

Files = dict[str, bytes]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def canonical(value: Any) -> bytes:
    """What is signed: OLPC canonical JSON, where only the quote and the backslash are escaped (a newline is not)."""
    return _canonical(value).encode()


def _canonical(value: Any) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, dict):
        return "{" + ",".join(f"{_canonical(key)}:{_canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    return json.dumps(value)


def pretty(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def moment(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Key:
    """A key made from its name: anybody can make it again."""

    name: str

    @property
    def private(self) -> ec.EllipticCurvePrivateKey:
        number = int(sha256(f"pregon/vectores/{self.name}".encode()), 16) % (ORDER - 1) + 1
        return ec.derive_private_key(number, ec.SECP256R1())

    @property
    def public(self) -> dict[str, Any]:
        pem = self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return {"keytype": "ecdsa", "keyval": {"public": pem.decode()}, "scheme": "ecdsa-sha2-nistp256"}

    @property
    def keyid(self) -> str:
        return sha256(canonical(self.public))

    def sign(self, payload: bytes) -> dict[str, str]:
        sig = self.private.sign(payload, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return {"keyid": self.keyid, "sig": sig.hex()}


def signed(document: dict[str, Any], *names: str) -> bytes:
    """The document with the signatures of the keys of those names."""
    payload = canonical(document)
    return pretty({"signatures": [Key(name).sign(payload) for name in names], "signed": document})


def role(*names: str, threshold: int = 1) -> dict[str, Any]:
    return {"keyids": [Key(name).keyid for name in names], "threshold": threshold}


def keys(*names: str) -> dict[str, Any]:
    return {Key(name).keyid: Key(name).public for name in names}


@dataclass
class Cut:
    """One cut. ``manifest`` edits the manifest before it is written; ``archive`` the files before they are zipped."""

    number: int
    ambiente: str = "oficial"
    convocatoria: str = "demo-2027"
    hora: datetime | None = None
    anterior: str | None = None
    filling: str = ""
    ultimo: bool = False
    manifest: Callable[[dict[str, Any]], None] = lambda _: None
    raw: Callable[[bytes], bytes] = lambda data: data
    archive: Callable[[Files], None] = lambda _: None

    @property
    def when(self) -> datetime:
        return self.hora or INICIO + INTERVALO * self.number

    def files(self) -> Files:
        number = self.number
        found = {
            "index.html": f"<!doctype html><title>PREP</title><h1>Corte {number}{self.filling}</h1>\n".encode(),
            "assets/estilo.css": b"body{color:#222}\n",
            f"datos/{number:04d}/gub/entidad.json": f'{{"votos": {number * 1000}}}\n'.encode(),
            "resumen.txt": f"Corte {number:04d} de demostración: votación de ninguna elección.\n".encode(),
        }
        sums = "".join(f"{sha256(data)}  {ruta}\n" for ruta, data in sorted(found.items()))
        return {**found, "SHA256SUMS": sums.encode()}

    def build(self, previous: bytes | None) -> Files:
        """The files of its folder: the manifest and one archive."""
        content = self.files()
        hora = self.when.isoformat()
        manifest: dict[str, Any] = {
            "formato": "pregon/paquete/1",
            "convocatoria": self.convocatoria,
            "instituto": "iedemo",
            "ambiente": self.ambiente,
            "elecciones": ["GUB"],
            "corte": self.number,
            "hora_corte": hora,
            "generado": hora,
            "ultimo": self.ultimo,
            "cierre": "horario" if self.ultimo else None,
            "proximo": None if self.ultimo else (self.when + INTERVALO).isoformat(),
            "anterior": self.anterior or (None if previous is None else sha256(previous)),
            "incluye_especiales": None,
            "autorizaciones": [],
            "archivos": [
                {"ruta": ruta, "bytes": len(data), "sha256": sha256(data)} for ruta, data in sorted(content.items())
            ],
        }
        self.manifest(manifest)
        self.archive(content)
        text = (json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()
        return {"manifiesto.json": self.raw(text), f"{self.when:%Y%m%d_%H%M}_PREP_GUB_DEMO.zip": zipped(content)}


def zipped(content: Files) -> bytes:
    """A zip without compression and with one date: the same bytes with any library."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for ruta, data in sorted(content.items()):
            info = zipfile.ZipInfo(ruta, (2027, 6, 6, 20, 0, 0))
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, data)
    return out.getvalue()


@dataclass
class Repo:
    """A repository to be written. Every field may be changed by a vector; ``after`` damages what was written."""

    cuts: list[Cut] = field(default_factory=lambda: [Cut(1), Cut(2)])
    ambiente: str = "oficial"
    convocatoria: str = "demo-2027"
    owner: str = ""
    versions: dict[str, int] = field(default_factory=dict)
    expires: dict[str, datetime] = field(default_factory=dict)
    signers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    authorised: dict[str, tuple[str, ...]] = field(default_factory=dict)
    roots: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    listed: Callable[[dict[str, Any]], None] = lambda _: None
    after: Callable[[Path], None] = lambda _: None

    def _named(self, *names: str) -> tuple[str, ...]:
        return tuple(self.owner + name for name in names)

    def _common(self, kind: str, name: str, default: datetime) -> dict[str, Any]:
        return {
            "_type": kind,
            "spec_version": "1.0.31",
            "version": self.versions.get(name, len(self.cuts) + 1),
            "expires": moment(self.expires.get(name, default)),
        }

    def _claim(self) -> dict[str, str]:
        return {
            "convocatoria": self.convocatoria,
            "instituto": "iedemo",
            "ambiente": self.ambiente,
            "firmado": (self.cuts[-1].when if self.cuts else INICIO).isoformat(),
        }

    def _keys_of(self, name: str) -> tuple[str, ...]:
        return self._named(*self.authorised.get(name, (f"{name}-1", f"{name}-2")))

    def root(self, version: int, changes: dict[str, Any]) -> bytes:
        """The root of that version; ``changes``: other keys of some roles, other signers, another stated version."""
        offline = self._named(*changes.get("llaves", OFFLINE))
        roles = {name: role(*offline, threshold=2) for name in ("root", "targets")}
        online = {name: self._named(*changes[name]) if name in changes else self._keys_of(name) for name in ONLINE}
        roles |= {name: role(*names) for name, names in online.items()}
        document = {
            "_type": "root",
            "spec_version": "1.0.31",
            "version": changes.get("dice", version),
            "expires": moment(changes.get("vence", LEJOS)),
            "consistent_snapshot": True,
            "keys": keys(*offline, *(name for names in online.values() for name in names)),
            "roles": roles,
            "x-pregon": {**self._claim(), "firmado": INICIO.isoformat()},
        }
        return signed(document, *self._named(*changes.get("firman", ("raiz-1", "raiz-2"))))

    def sign(self, name: str, document: dict[str, Any]) -> bytes:
        default = ("raiz-1", "raiz-2") if name == "targets" else (f"{name}-1",)
        return signed(document, *self._named(*self.signers.get(name, default)))

    def write(self, folder: Path) -> None:
        """The whole repository in ``folder``: only the documents that its timestamp leads to, and every root."""
        targets: dict[str, Any] = {}
        previous: bytes | None = None
        for cut in self.cuts:
            files = cut.build(previous)
            previous = files["manifiesto.json"]
            custom = {"corte": cut.number, "hora_corte": cut.when.isoformat()}
            for name, data in files.items():
                ruta = f"cortes/{cut.number:04d}/{name}"
                put(folder / "targets" / ruta, data)
                targets[ruta] = {"custom": custom, "hashes": {"sha256": sha256(data)}, "length": len(data)}
        self.listed(targets)
        for number, changes in enumerate(self.roots, 1):
            put(folder / "metadata" / f"{number}.root.json", self.root(number, changes))
        delegated = {name: self._keys_of(name) for name in ("cortes", "avisos")}
        top = {
            **self._common("targets", "targets", LEJOS),
            "version": self.versions.get("targets", 1),
            "targets": {},
            "delegations": {
                "keys": keys(*(key for names in delegated.values() for key in names)),
                "roles": [
                    {"name": name, "paths": [pattern], "terminating": True, **role(*delegated[name])}
                    for name, pattern in (("cortes", "cortes/*/*"), ("avisos", "avisos/*"))
                ],
            },
        }
        documents = {
            "targets": top,
            "cortes": {**self._common("targets", "cortes", FIN), "targets": targets},
            "avisos": {**self._common("targets", "avisos", FIN), "version": 1, "targets": {}},
        }
        meta = {}
        for name, document in documents.items():
            meta[f"{name}.json"] = self._store(folder, name, document)
        snapshot = {**self._common("snapshot", "snapshot", FIN), "meta": meta}
        listed = self._store(folder, "snapshot", snapshot)
        last = self.cuts[-1].when if self.cuts else INICIO
        timestamp = {
            **self._common("timestamp", "timestamp", last + 3 * INTERVALO),
            "meta": {"snapshot.json": listed},
            "x-pregon": self._claim(),
        }
        put(folder / "metadata" / "timestamp.json", self.sign("timestamp", timestamp))
        self.after(folder)

    def _store(self, folder: Path, name: str, document: dict[str, Any]) -> dict[str, Any]:
        data = self.sign(name, document)
        put(folder / "metadata" / f"{document['version']}.{name}.json", data)
        return {"hashes": {"sha256": sha256(data)}, "length": len(data), "version": document["version"]}


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def edit(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Change one file of a repository after it was signed; ``name`` may be a pattern with one match."""

    def apply(folder: Path) -> None:
        (path,) = sorted(folder.glob(name))
        path.write_bytes(change(path.read_bytes()))

    return apply


def remove(name: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (path,) = sorted(folder.glob(name))
        path.unlink()

    return apply


def one_bit(data: bytes) -> bytes:
    changed = bytearray(data)
    changed[len(changed) // 2] ^= 1
    return bytes(changed)


def every_role(until: datetime) -> dict[str, datetime]:
    return dict.fromkeys(("targets", "cortes", "avisos", "snapshot", "timestamp"), until)
