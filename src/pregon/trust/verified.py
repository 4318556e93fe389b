"""The values of trust. A ``VerifiedManifest`` is proof that the checks happened: only the verifier makes one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.base.errors import PregonError
    from pregon.paquete.manifest import Ambiente, Manifest

Prueba = Literal["firma", "suma", "ninguna"]

_SEAL = object()


@dataclass(frozen=True)
class Identity:
    """Whose cuts these are: ids of the convocatoria and of the institute, and the ambiente."""

    convocatoria: str
    instituto: str
    ambiente: Ambiente


@dataclass(frozen=True)
class TargetRef:
    """A file the institute's metadata vouches for; ``ruta`` is relative to ``targets/``, SHA-256 in hexadecimal."""

    ruta: str
    bytes: int
    sha256: str

    @property
    def nombre(self) -> str:
        """The file's own name, without folders."""
        return self.ruta.rpartition("/")[2]


@dataclass(frozen=True)
class CutRef:
    """One cut as the signed list of cuts states it."""

    corte: int
    hora_corte: datetime
    manifiesto: TargetRef
    archives: tuple[TargetRef, ...]


@dataclass(frozen=True)
class Memory:
    """What was last accepted, kept outside the TUF state: the second line against rollback and equivocation.

    ``cortes`` maps each accepted cut number to the SHA-256 of its manifest. All empty before the first cut.
    """

    corte: int | None = None
    manifiesto_sha256: str | None = None
    hora_corte: datetime | None = None
    cortes: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def after(self, verified: VerifiedManifest) -> Memory:
        """The memory once ``verified`` is accepted; what was known stays known."""
        manifest = verified.manifest
        return Memory(
            corte=manifest.corte,
            manifiesto_sha256=verified.sha256,
            hora_corte=manifest.hora_corte,
            cortes=MappingProxyType({**self.cortes, manifest.corte: verified.sha256}),
        )

    def to_json(self) -> dict[str, Any]:
        """JSON types, for the state database."""
        return {
            "corte": self.corte,
            "manifiesto_sha256": self.manifiesto_sha256,
            "hora_corte": None if self.hora_corte is None else self.hora_corte.isoformat(),
            "cortes": {str(number): sha256 for number, sha256 in sorted(self.cortes.items())},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Memory:
        """What ``to_json`` gave; None is the memory before the first cut."""
        if data is None:
            return cls()
        hora = data["hora_corte"]
        return cls(
            corte=data["corte"],
            manifiesto_sha256=data["manifiesto_sha256"],
            hora_corte=None if hora is None else datetime.fromisoformat(hora),
            cortes=MappingProxyType({int(number): sha256 for number, sha256 in data["cortes"].items()}),
        )


@dataclass(frozen=True)
class VerifiedManifest:
    """A manifest that passed every check of ``docs/verificacion.md``. Only ``trust`` makes one.

    ``raw`` are the exact bytes received and ``sha256`` theirs; ``prueba`` says what proves it; ``archives`` are the
    verified archives of the cut (whole and changes); ``firmado`` is when the institute signed the timestamp that covers
    it (UTC), None where nobody signs. ``tramo`` are the cuts of the signed list between the last accepted and this one,
    oldest first; None where nothing was accepted before.
    """

    manifest: Manifest
    raw: bytes
    sha256: str
    prueba: Prueba
    archives: tuple[TargetRef, ...]
    firmado: datetime | None
    _seal: object = field(repr=False, compare=False)
    tramo: tuple[CutRef, ...] | None = None

    def __post_init__(self) -> None:
        if self._seal is not _SEAL:
            raise TypeError("only the verifier makes a VerifiedManifest")


def certify(
    manifest: Manifest,
    raw: bytes,
    sha256: str,
    *,
    prueba: Prueba,
    archives: tuple[TargetRef, ...],
    firmado: datetime | None,
    tramo: tuple[CutRef, ...] | None = None,
) -> VerifiedManifest:
    """Make the proof. Called by the verifiers of this room after their last check, and by nobody else."""
    return VerifiedManifest(manifest, raw, sha256, prueba, archives, firmado, _SEAL, tramo)


@dataclass(frozen=True)
class Novelty:
    """What one look at a source gave.

    ``verified`` is None when there is nothing newer than the memory. ``firmado`` is when the institute signed the
    verified timestamp (UTC): the witness of the embargo (design §3); ``expira`` is the first expiry among the signed
    roles. ``avisos`` are the signed notices, by number; if only they could not be verified, ``avisos_error`` says why:
    a bad notice never stops a result. ``completa`` is False when the timestamp was the one already verified.
    """

    verified: VerifiedManifest | None
    firmado: datetime | None
    expira: datetime | None
    avisos: tuple[TargetRef, ...] = ()
    avisos_error: PregonError | None = None
    completa: bool = True


@dataclass(frozen=True)
class Firmado:
    """What verified signatures say besides cuts: the signing instant of the timestamp (UTC) and the notices.

    Known although the cut that the same signatures list was refused. ``avisos`` and ``error`` as in ``Novelty``.
    """

    hora: datetime | None = None
    avisos: tuple[TargetRef, ...] = ()
    error: PregonError | None = None
