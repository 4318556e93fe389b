"""What an institute saw of a difusor from outside: the file that one writes and the other reads.

::

    {"formato": "pregon/sondeo/1", "hora": "…", "convocatoria": "gro-2021", "autorizado": false, "anfitrion": "…",
     "url": "https://…/", "direcciones": ["…"], "puertos": [{"puerto": 22, "debe": "cerrado", "esta": "cerrado"}],
     "tls": {"versiones": ["1.2", "1.3"], "problema": null, "vence": "…"}, "cabeceras": ["…"], "estado": 200,
     "pagina": {"segundos": 0.4, "bytes": 51234, "peticiones": 6, "fallas": []},
     "subida": {"bytes": 41000000, "segundos": 3.1}, "problema": null}
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pregon.base.errors import EntradaError, FormatoError
from pregon.base.razones import razon
from pregon.sonda.tls import Tls
from pregon.sonda.visita import Visita

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMATO = "pregon/sondeo/1"
MAX_BYTES = 1 << 20

Esta = Literal["abierto", "cerrado"]


@dataclass(frozen=True)
class Puerto:
    """One TCP port: as it must be from where it was asked, and as it is. ``publico``: it must be open to everybody."""

    puerto: int
    debe: Esta
    esta: Esta
    publico: bool = False

    @property
    def bien(self) -> bool:
        """Whether it is as it must be."""
        return self.debe == self.esta


@dataclass(frozen=True)
class Subida:
    """What the portal sent, and in how long: the rate at which its machine uploads."""

    bytes: int
    segundos: float

    @property
    def mbps(self) -> float:
        """Millions of bits a second."""
        return self.bytes * 8 / 1e6 / self.segundos if self.segundos > 0 else 0.0


@dataclass(frozen=True)
class Sondeo:
    """One look from outside. ``autorizado``: from an address for which the restricted ports are open.

    ``cabeceras``: what is wrong with those of the page; ``estado``: the status of its answer. ``tls``, ``estado`` and
    ``pagina`` are None where it did not answer: ``problema`` says why. ``subida``: None where it was not asked for.
    """

    hora: datetime
    convocatoria: str
    anfitrion: str
    autorizado: bool
    direcciones: tuple[str, ...]
    puertos: tuple[Puerto, ...]
    url: str | None = None
    tls: Tls | None = None
    estado: int | None = None
    cabeceras: tuple[str, ...] = ()
    pagina: Visita | None = None
    subida: Subida | None = None
    problema: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The object of the file."""
        data: dict[str, Any] = {"formato": FORMATO, **asdict(self), "hora": self.hora.isoformat()}
        if self.tls is not None and self.tls.vence is not None:
            data["tls"]["vence"] = self.tls.vence.isoformat()
        return data

    @classmethod
    def from_json(cls, data: Any) -> Sondeo:
        """The value that ``to_json`` gave. Raises KeyError, TypeError or ValueError where it is none."""
        if data["formato"] != FORMATO:
            raise ValueError("formato")
        tls, page, sent = data["tls"], data["pagina"], data["subida"]
        return cls(
            hora=datetime.fromisoformat(data["hora"]),
            convocatoria=str(data["convocatoria"]),
            anfitrion=str(data["anfitrion"]),
            autorizado=bool(data["autorizado"]),
            direcciones=_texts(data["direcciones"]),
            puertos=tuple(
                Puerto(int(one["puerto"]), _how(one["debe"]), _how(one["esta"]), bool(one["publico"]))
                for one in data["puertos"]
            ),
            url=None if data["url"] is None else str(data["url"]),
            tls=None
            if tls is None
            else Tls(
                _texts(tls["versiones"]),
                None if tls["problema"] is None else str(tls["problema"]),
                None if tls["vence"] is None else datetime.fromisoformat(tls["vence"]),
            ),
            estado=None if data["estado"] is None else int(data["estado"]),
            cabeceras=_texts(data["cabeceras"]),
            pagina=None
            if page is None
            else Visita(float(page["segundos"]), int(page["bytes"]), int(page["peticiones"]), _texts(page["fallas"])),
            subida=None if sent is None else Subida(int(sent["bytes"]), float(sent["segundos"])),
            problema=None if data["problema"] is None else str(data["problema"]),
        )


def lee(paths: Sequence[Path]) -> tuple[Sondeo, ...]:
    """The looks in these files, newest first.

    Raises:
        EntradaError: a file cannot be read.
        FormatoError: one is no look of ours.
    """
    found = []
    for path in paths:
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES)
        except OSError as exc:
            raise EntradaError(
                f"No se pudo leer {path}: {razon(exc)}.",
                intacto="No se cambió nada.",
                que_hacer="Dé el archivo que escribió «pregon instituto sondea --salida».",
            ) from exc
        try:
            found.append(Sondeo.from_json(json.loads(raw)))
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            raise FormatoError(
                f"{path} no es un sondeo.",
                intacto="No se cambió nada.",
                que_hacer="Pida al instituto que lo repita con «pregon instituto sondea --salida» y dé ese archivo.",
            ) from exc
    return tuple(sorted(found, key=lambda one: one.hora, reverse=True))


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple):
        raise TypeError("lista")
    return tuple(str(value) for value in values)


def _how(value: Any) -> Esta:
    if value not in ("abierto", "cerrado"):
        raise ValueError(value)
    return "abierto" if value == "abierto" else "cerrado"
