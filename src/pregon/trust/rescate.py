"""What a repository signed, verified from wherever a copy of it was kept, as the documents of a repository again.

Everything is judged as at the instant when it was signed: what is recovered may have expired hours ago. It is not
shown to anybody as it is: it is signed again (``Repository.resume``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root

from pregon.base.clock import SystemClock
from pregon.base.errors import AusenteError, FirmaError
from pregon.trust import orden
from pregon.trust.cliente import TrustClient, root_identity
from pregon.trust.frontera import tuf_border
from pregon.trust.metadatos import ROOT_MAX_BYTES, TIMESTAMP, TIMESTAMP_MAX_BYTES
from pregon.trust.papeles import DELEGATED, signed_files
from pregon.trust.verified import CutRef, Identity, Memory, TargetRef

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from pregon.trust.numeros import Clase
    from pregon.trust.origen import RepositorySource


@dataclass(frozen=True)
class Hallado:
    """A verified state: ``documentos`` by path, the timestamp among them; ``versiones`` by role; ``firmado`` (UTC)."""

    identity: Identity
    documentos: Mapping[str, bytes]
    versiones: Mapping[str, int]
    cortes: tuple[CutRef, ...]
    avisos: tuple[TargetRef, ...]
    firmado: datetime

    @property
    def orden(self) -> tuple[int, int]:
        """Of two states the later one has the greater: by its newest cut, then by its timestamp."""
        return (self.cortes[-1].corte if self.cortes else -1, self.versiones["timestamp"])


class NumerosConSalto:
    """Versions well above all that were seen: what was signed afterwards and lost may have used the next ones."""

    def __init__(self, vistas: Mapping[str, int], salto: int) -> None:
        self._seen = vistas
        self._jump = salto

    def version(self, rol: str, minimo: int) -> int:
        """The one after the highest seen, and ``salto`` more."""
        return max(minimo, self._seen.get(rol, 0) + 1) + self._jump

    def toma(self, clase: Clase, n: int, sha256: str, archivos: Mapping[str, Path]) -> None:
        """Nothing: as those of a folder."""

    def confirma(self, documentos: Mapping[str, bytes], timestamp: bytes | None = None) -> None:
        """Nothing: as those of a folder."""


class _Entonces(SystemClock):
    """The machine's clock, stopped at the instant when something was signed."""

    def __init__(self, hora: datetime) -> None:
        self._hora = hora

    def now(self) -> datetime:
        return self._hora


def rescue(folder: Path, source: RepositorySource, root: bytes) -> Hallado:
    """Verify what ``source`` offers against ``root``: signatures, versions, hashes, list, the newest manifest.

    ``folder`` is for this source alone, and holds what was verified.

    Raises:
        AusenteError: there is no metadata there. FirmaError: ``root`` is none.
        TrustError, ArchivoError, RedError: it is not accepted.
    """
    offered = _read(source, TIMESTAMP, TIMESTAMP_MAX_BYTES)
    if offered is None:
        raise AusenteError(
            "No hay metadatos firmados ahí.",
            intacto=orden.INTACTO,
            que_hacer="Un difusor los publica sólo mientras muestra resultados: dé la dirección de otro, la carpeta "
            "de uno o una copia del repositorio.",
        )
    claim = orden.unverified_claim(offered)
    if claim is None:
        raise FirmaError("Lo que hay ahí no es un timestamp.", intacto=orden.INTACTO, que_hacer="Pruebe otro origen.")
    identity = root_identity(root)
    client = TrustClient(folder, root=root, identity=identity, clock=_Entonces(claim.firmado), memory=Memory())
    client.check(source)
    with tuf_border():
        return _found(folder / "tuf", source, identity, claim.firmado)


def _found(state: Path, source: RepositorySource, identity: Identity, firmado: datetime) -> Hallado:
    documents, signed = kept_documents(state)
    roots = _roots(state)
    earlier = {f"metadata/{number}.root.json": data for number, data in _earlier(source, roots).items()}
    return Hallado(
        identity=identity,
        documentos={**earlier, **documents},
        versiones={"root": max(roots), **{role: document.version for role, document in signed.items()}},
        cortes=orden.list_cuts(signed_files(signed["cortes"])),
        avisos=tuple(file.target for file in signed_files(signed["avisos"])),
        firmado=firmado,
    )


def kept_documents(state: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """What a verifier keeps (its folder ``tuf``): each document by its path in the repository, and what each role says.

    Raises:
        DiscoError, EscrituraError: a document is not there. FirmaError: one is damaged.
    """
    signed: dict[str, Any] = {}
    with tuf_border():
        documents = {f"metadata/{number}.root.json": data for number, data in _roots(state).items()}
        for role in ("targets", *DELEGATED, "snapshot", "timestamp"):
            data = (state / f"{role}.json").read_bytes()
            signed[role] = Metadata[Any].from_bytes(data).signed
            named = TIMESTAMP if role == "timestamp" else f"metadata/{signed[role].version}.{role}.json"
            documents[named] = data
    return documents, signed


def _roots(state: Path) -> dict[int, bytes]:
    return {int(path.name.split(".")[0]): path.read_bytes() for path in (state / "root_history").glob("*.root.json")}


def _earlier(source: RepositorySource, roots: Mapping[int, bytes]) -> dict[int, bytes]:
    """The roots before the ones that were verified, each only where it vouches for the next: older difusores ask."""
    found: dict[int, bytes] = {}
    number = min(roots)
    following: Metadata[Root] = Metadata.from_bytes(roots[number])
    while number > 1:
        number -= 1
        data = _read(source, f"metadata/{number}.root.json", ROOT_MAX_BYTES)
        if data is None:
            break
        try:
            root: Metadata[Root] = Metadata.from_bytes(data)
            root.signed.verify_delegate("root", following.signed_bytes, following.signatures)
        except RepositoryError:
            break
        found[number], following = data, root
    return found


def _read(source: RepositorySource, ruta: str, limit: int) -> bytes | None:
    pieces = source.stream(ruta)
    if pieces is None:
        return None
    data = b""
    for piece in pieces:
        data += piece
        if len(data) > limit:
            return None
    return data
