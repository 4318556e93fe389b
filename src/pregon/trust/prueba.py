"""What the signatures of a repository prove: which roles, which keys, until when, and the list of cuts they cover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tuf.api.metadata import Metadata

    from pregon.trust.verified import CutRef, Identity

DELEGATORS = {"root": "root", "timestamp": "root", "snapshot": "root", "targets": "root", "cortes": "targets"}
"""The roles that lead to a cut, in their order, each with the one that says which keys are its own."""


@dataclass(frozen=True)
class RoleProof:
    """One signed document: its version and expiry (UTC), and the ids of the keys whose signature verifies."""

    papel: str
    version: int
    vence: datetime
    umbral: int
    llaves: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "papel": self.papel,
            "version": self.version,
            "vence": self.vence.isoformat(),
            "umbral": self.umbral,
            "llaves": list(self.llaves),
        }


@dataclass(frozen=True)
class Listing:
    """The signed list of cuts and what proves it. ``raiz_sha256`` is of the newest root, to which the given one led."""

    identity: Identity
    cuts: tuple[CutRef, ...]
    firmado: datetime
    papeles: tuple[RoleProof, ...]
    raiz_version: int
    raiz_sha256: str

    @property
    def newest(self) -> CutRef | None:
        """The last cut of the list."""
        return self.cuts[-1] if self.cuts else None

    def cut(self, corte: int) -> CutRef | None:
        """The cut of that number."""
        return next((cut for cut in self.cuts if cut.corte == corte), None)


def proofs(documents: Mapping[str, Metadata[Any]]) -> tuple[RoleProof, ...]:
    """Who signed each document, by the keys that its delegator authorises. The documents are already verified."""
    found = []
    for role, delegator in DELEGATORS.items():
        document = documents[role]
        result = documents[delegator].signed.get_verification_result(role, document.signed_bytes, document.signatures)
        signed = document.signed
        found.append(RoleProof(role, signed.version, signed.expires, result.threshold, tuple(result.signed)))
    return tuple(found)
