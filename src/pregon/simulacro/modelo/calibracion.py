"""The file of ``pregon simulacro modelo --calibra``: what was measured on a machine, and what the model takes of it.

``{formato:"pregon/calibracion/1", hecha, version, convocatoria, transporte, difusores, nucleos, rondas[{corte, bytes,
segundos[], instituto_s, difusor_s, libres}], solas[], trabajo{instituto_s, difusor_s, bytes, fijo_s, nucleos}}``.
Seconds and bytes; ``solas``: from signed to visible of cuts that went to one difusor alone. The first ``nucleos`` are
the machine's, the second those that it really gave.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime
from importlib import resources
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationError

from pregon.base.errors import EntradaError, FormatoError
from pregon.base.razones import razon
from pregon.base.settings import Settings, spanish_problems
from pregon.simulacro.modelo.reparto import Escenario, Trabajo, ajusta

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.simulacro.modelo.medicion import Medicion

FORMATO = "pregon/calibracion/1"
DIFUSORES = 10
"""How many a calibration is made with."""
SOLAS = 3
"""Cuts of a calibration that go to one difusor alone."""
INCLUIDA = "calibracion.json"
"""The one that comes with Pregón, beside this module: an ordinary machine of two processors, shared with others."""
MAX_BYTES = 4 << 20
_Positivo = Annotated[float, Field(ge=0, le=1e12)]
_Cuantos = Annotated[int, Field(ge=1, le=2000)]


class RondaMedida(Settings):
    """One cut of the measurement: as ``medicion.Ronda``."""

    corte: Annotated[int, Field(ge=1)]
    bytes: _Positivo
    segundos: Annotated[tuple[_Positivo, ...], Field(min_length=1, max_length=2000)]
    instituto_s: _Positivo
    difusor_s: _Positivo
    libres: Annotated[float, Field(gt=0, le=4096)]


class TrabajoMedido(Settings):
    """As ``reparto.Trabajo``."""

    instituto_s: _Positivo
    difusor_s: _Positivo
    bytes: _Positivo
    fijo_s: _Positivo
    nucleos: Annotated[float, Field(gt=0, le=4096)]


class Calibracion(Settings):
    """A whole file."""

    formato: Literal["pregon/calibracion/1"]
    hecha: datetime
    version: Annotated[str, Field(max_length=100)]
    convocatoria: Annotated[str, Field(max_length=64)]
    transporte: Annotated[str, Field(max_length=32)]
    difusores: _Cuantos
    nucleos: _Cuantos
    rondas: Annotated[tuple[RondaMedida, ...], Field(min_length=1, max_length=1000)]
    solas: Annotated[tuple[_Positivo, ...], Field(min_length=1, max_length=1000)]
    trabajo: TrabajoMedido

    @property
    def medida(self) -> Trabajo:
        """What the model computes with."""
        return Trabajo(**self.trabajo.model_dump())

    def con_libres(self, libres: float) -> Trabajo:
        """The same on this machine when it gives ``libres`` processors to who asks, and not what it gave then."""
        then = median(one.libres for one in self.rondas)
        return replace(self.medida, nucleos=min(float(self.nucleos), self.trabajo.nucleos * libres / then))

    def to_bytes(self) -> bytes:
        """The file: UTF-8, a final newline."""
        return (json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n").encode()


def de_medicion(medicion: Medicion, *, hecha: datetime) -> Calibracion:
    """What the model takes from a measurement; ``hecha`` is when it was made."""
    rounds = medicion.rondas
    bare = Trabajo(
        instituto_s=median(one.instituto_s for one in rounds),
        difusor_s=median(one.difusor_s for one in rounds),
        bytes=median(one.bytes for one in rounds),
        fijo_s=0.0,
        nucleos=medicion.nucleos,
    )
    together = Escenario(medicion.difusores, juntos=True)
    fitted = ajusta(bare, together, medicion.segundos, sola_s=median(medicion.solas), tope=medicion.nucleos)
    return Calibracion.model_validate(
        {
            "formato": FORMATO,
            "hecha": hecha,
            "version": version("pregon"),
            "convocatoria": medicion.convocatoria,
            "transporte": medicion.transporte,
            "difusores": medicion.difusores,
            "nucleos": medicion.nucleos,
            "rondas": [asdict(one) for one in rounds],
            "solas": medicion.solas,
            "trabajo": asdict(fitted),
        }
    )


def incluida() -> Calibracion:
    """The calibration that comes with Pregón."""
    return Calibracion.model_validate_json(resources.files(__package__).joinpath(INCLUIDA).read_bytes())


def lee(path: Path) -> Calibracion:
    """Read a calibration.

    Raises:
        EntradaError: it is not there, or cannot be read.
        FormatoError: it is not a calibration; the text names every problem.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer la calibración {path}: {razon(exc)}.",
            intacto="No se calculó nada.",
            que_hacer="Haga una con «pregon simulacro modelo --calibra ARCHIVO».",
        ) from exc
    try:
        return Calibracion.model_validate_json(data if len(data) <= MAX_BYTES else b"")
    except ValidationError as exc:
        raise FormatoError(
            f"{path} no es una calibración: {'; '.join(spanish_problems(exc))}.",
            intacto="No se calculó nada.",
            que_hacer="Haga otra con «pregon simulacro modelo --calibra ARCHIVO».",
        ) from exc
