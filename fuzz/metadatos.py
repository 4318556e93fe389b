"""Target «metadatos»: the signed metadata of a repository, verified as a difusor does (``docs/verificacion.md``).

The first byte of an input says which document it replaces, and how:

- as it is: the document is those bytes. Then the repository is refused, unless what is signed in it did not change.
- signed: the rest is what is signed, and it is signed again with the keys that may, as an institute with a fault or a
  thief of its keys would. Then it may be accepted, but what is accepted is well formed.

Whatever the input, only ours (TrustError, RED, ARCHIVO_*) is raised, and a refusal leaves the state as it was.
"""

from __future__ import annotations

import json
import tempfile
from datetime import timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from tests.vectors.fabrica import INICIO, INTERVALO, Key, Repo, canonical, pretty, sha256

from fuzz import json_mutado
from fuzz.objetivo import Hallazgo, Objetivo, carpeta, rechazo
from pregon.base.clock import ManualClock
from pregon.base.errors import ArchivoError, RedError, TrustError
from pregon.paquete.names import check_path
from pregon.trust.cliente import TrustClient, root_identity
from pregon.trust.verified import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAPELES = ("root", "timestamp", "snapshot", "targets", "cortes")
_PLACES = {
    "root": "metadata/2.root.json",
    "timestamp": "metadata/timestamp.json",
    "snapshot": "metadata/3.snapshot.json",
    "targets": "metadata/1.targets.json",
    "cortes": "metadata/3.cortes.json",
}
_ABOVE = {"targets": "snapshot", "cortes": "snapshot", "snapshot": "timestamp"}
"""Which document says the size and the hash of each."""
_SIGNERS = {"root": ("raiz-1", "raiz-2"), "targets": ("raiz-1", "raiz-2")}
AHORA = INICIO + 2 * INTERVALO + timedelta(minutes=5)
FIRMADO = len(PAPELES)
"""Added to the number of the document: it is signed again."""


def prueba(data: bytes) -> None:
    """One input, put in a good repository."""
    files = puesto(data)
    if files is None:
        return
    with carpeta() as folder:
        accepted = _verifica(folder, files)
    how, role = _lugar(data)
    if accepted and not how and _signed(data[1:]) != _signed(repositorio()[_PLACES[role]]):
        raise Hallazgo(f"{role} verifies and what is signed in it is not what was signed")


def puesto(data: bytes) -> dict[str, bytes] | None:
    """The repository with the document that an input is, path to bytes; None where the input is none."""
    if not data:
        return None
    how, role = _lugar(data)
    files = dict(repositorio())
    if how:
        document = _documento(data[1:])
        if document is None:
            return None
        _firma(files, role, document)
    else:
        files[_PLACES[role]] = data[1:]
    return files


def _lugar(data: bytes) -> tuple[int, str]:
    """Whether it is to be signed again (1) or not (0), and the role of the document."""
    how, name = divmod(data[0] % (2 * FIRMADO), FIRMADO)
    return how, PAPELES[name]


@cache
def repositorio() -> dict[str, bytes]:
    """A good repository of two cuts whose root changed once: path to bytes."""
    with tempfile.TemporaryDirectory() as name:
        Repo(roots=[{}, {}]).write(Path(name))
        return {str(path.relative_to(name)): path.read_bytes() for path in Path(name).rglob("*") if path.is_file()}


def _documento(data: bytes) -> dict[str, Any] | None:
    """What is to be signed; None where it cannot be."""
    try:
        document = json.loads(data)
        canonical(document)
    except (ValueError, RecursionError, TypeError):
        return None
    return document if isinstance(document, dict) else None


def _firma(files: dict[str, bytes], role: str, document: dict[str, Any]) -> None:
    """Put ``document`` in the place of the role, signed; the documents that name it name this one."""
    names = _SIGNERS.get(role, (f"{role}-1",))
    payload = canonical(document)
    data = pretty({"signatures": [_con_firma(name, payload) for name in names], "signed": document})
    files[_PLACES[role]] = data
    above = _ABOVE.get(role)
    if above is not None:
        upper = json.loads(files[_PLACES[above]])["signed"]
        upper["meta"][f"{role}.json"] |= {"hashes": {"sha256": sha256(data)}, "length": len(data)}
        _firma(files, above, upper)


@cache
def _llave(name: str) -> tuple[ec.EllipticCurvePrivateKey, str]:
    """A key of the vectors and its id, computed once."""
    return Key(name).private, Key(name).keyid


def _con_firma(name: str, payload: bytes) -> dict[str, str]:
    private, keyid = _llave(name)
    sig = private.sign(payload, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return {"keyid": keyid, "sig": sig.hex()}


class _Fuente:
    """The repository as a source."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        data = self._files.get(ruta)
        return None if data is None else iter((data[desde:],))


def _verifica(folder: Path, files: dict[str, bytes]) -> bool:
    """Whether a new difusor accepts the repository, by each of the two ways of looking at it."""
    root = repositorio()["metadata/1.root.json"]
    clock = ManualClock(AHORA, simulado=False)
    client = TrustClient(folder, root=root, identity=root_identity(root), clock=clock, memory=Memory())
    source = _Fuente(files)
    before = _estado(folder)
    checked = _intento(lambda: client.check(source))
    if checked is None:
        if _estado(folder) != before:
            raise Hallazgo("a refusal changed the state")
        return False
    listed = _intento(lambda: client.listing(source))
    if listed is None:
        raise Hallazgo("the list is refused and its newest cut accepted")
    for cut in listed.cuts:
        check_path(cut.manifiesto.ruta)
        for target in cut.archives:
            check_path(target.ruta)
    if any(later.hora_corte <= earlier.hora_corte for earlier, later in pairwise(listed.cuts)):
        raise Hallazgo("the hours of the cuts do not increase")
    if checked.verified is not None and not checked.verified.archives:
        raise Hallazgo("a cut without archives is accepted")
    return True


def _intento(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except (TrustError, RedError, ArchivoError) as exc:
        rechazo(exc)
        return None


def _estado(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _signed(data: bytes) -> bytes | None:
    try:
        return canonical(json.loads(data)["signed"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _muta(data: bytes, most: int, seed: int, free: Callable[[bytes, int], bytes]) -> bytes:
    return json_mutado.muta(data, most, seed, free, head=1)


OBJETIVO = Objetivo(
    nombre="metadatos",
    prueba=prueba,
    max_bytes=16 << 10,
    muta=_muta,
    palabras=tuple(
        f'"{key}": '.encode()
        for key in (
            *("signatures", "signed", "keyid", "sig", "_type", "spec_version", "version", "expires", "meta", "hashes"),
            *("sha256", "length", "roles", "keys", "threshold", "keyids", "keytype", "scheme", "keyval", "public"),
            *("delegations", "paths", "path_hash_prefixes", "terminating", "succinct_roles", "targets", "custom"),
            *("consistent_snapshot", "x-pregon", "firmado", "convocatoria", "instituto", "ambiente", "corte"),
            *("hora_corte", "name", "bit_length", "name_prefix"),
        )
    ),
)
