"""What the memory of a difusor is made of: one accepted cut, one notice that was read. Values, to JSON and back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pregon.base.jsonio import canonical_json
from pregon.trust.aviso import Aviso, parse_aviso
from pregon.trust.verified import TargetRef


@dataclass(frozen=True)
class Aceptado:
    """One accepted cut. Instants are aware; ``firmado`` is the signing instant of the timestamp that brought it.

    ``prueba`` says how it was verified: ``firma``, ``suma`` or ``ninguna``; ``archivos`` are the archives of the cut.
    """

    corte: int
    sha256: str
    hora_corte: datetime
    ultimo: bool
    proximo: datetime | None
    firmado: datetime | None
    recibido: datetime
    prueba: str
    archivos: tuple[TargetRef, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The record as JSON types."""
        data = asdict(self)
        for key in ("hora_corte", "proximo", "firmado", "recibido"):
            if data[key] is not None:
                data[key] = data[key].isoformat()
        return data

    @classmethod
    def from_json(cls, data: Any) -> Aceptado:
        """The record that ``to_json`` gave. Raises ValueError, KeyError or TypeError where it is not one."""
        instants = {
            key: None if data[key] is None else datetime.fromisoformat(data[key])
            for key in ("hora_corte", "proximo", "firmado", "recibido")
        }
        hora, recibido = instants["hora_corte"], instants["recibido"]
        if hora is None or recibido is None:
            raise ValueError("hora_corte")
        return cls(
            corte=int(data["corte"]),
            sha256=str(data["sha256"]),
            hora_corte=hora,
            ultimo=bool(data["ultimo"]),
            proximo=instants["proximo"],
            firmado=instants["firmado"],
            recibido=recibido,
            prueba=str(data["prueba"]),
            archivos=tuple(TargetRef(str(a["ruta"]), int(a["bytes"]), str(a["sha256"])) for a in data["archivos"]),
        )


@dataclass(frozen=True)
class AvisoVisto:
    """A signed notice that was read: its number, its SHA-256 and when.

    ``aviso`` is None where it is not understood, and ``problema`` says why. ``otro`` is the SHA-256 of a different
    content that came later under the same number, which had no effect; None where none did.
    """

    n: int
    sha256: str
    hora: datetime
    aviso: Aviso | None
    problema: str | None = None
    otro: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The record as JSON types."""
        told = None if self.aviso is None else self.aviso.to_json()
        return {**asdict(self), "hora": self.hora.isoformat(), "aviso": told}

    @classmethod
    def from_json(cls, data: Any) -> AvisoVisto:
        """The record that ``to_json`` gave.

        Raises:
            ValueError, KeyError, TypeError, FormatoError: it is not one.
        """
        n, told = int(data["n"]), data["aviso"]
        return cls(
            n=n,
            sha256=str(data["sha256"]),
            hora=datetime.fromisoformat(data["hora"]),
            aviso=None if told is None else parse_aviso(canonical_json(told), n=n),
            problema=data["problema"],
            otro=data["otro"],
        )


def parse_recibo(data: bytes) -> Aceptado | None:
    """The record in a ``recibo.json``, or None where it is not one."""
    try:
        return Aceptado.from_json(json.loads(data))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
