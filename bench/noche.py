"""A made-up national night: profile, hours and files of two cuts that follow, in its middle.

The night has as many cuts as make 5 % of the expected actas new between the two (measured: 5.06 to 5.09).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bench.procesos import corre
from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.convocatoria.perfiles import profile_for_night, to_toml_text
from pregon.convocatoria.secciones import Entidad
from pregon.instituto.workspace import create

if TYPE_CHECKING:
    from pathlib import Path

NACIONAL = 171_000
"""Casillas of a federal election."""
ELECCIONES = ("PRES", "SEN", "DIP_FED")
SEMILLA = 7
CORTES = 21
PRIMERO = 10
_UNITS, _FEWEST = 300, 32
"""Districts of a national election; none has fewer than its entidades."""


@dataclass(frozen=True)
class Noche:
    """The files on disk. ``nuevas``: share of the expected actas that is new in the second cut, all contests together;
    ``cambiados``: share of rows that the first cut did not have as they are."""

    folder: Path
    elecciones: tuple[str, ...]
    casillas: int
    nuevas: float
    cambiados: float

    @property
    def horas(self) -> tuple[datetime, datetime]:
        """Of the two cuts."""
        return horas()[PRIMERO], horas()[PRIMERO + 1]

    @property
    def perfil(self) -> Path:
        return self.folder / "convocatoria.toml"

    def fuentes(self, number: int) -> list[list[str | None]]:
        """Actas, candidaturas and LEEME of each contest at the first (0) or second (1) cut."""
        return [
            [str(archivo(self.folder, number, code)), str(candidaturas(self.folder, number, code)), None]
            for code in self.elecciones
        ]

    def espacio(self, path: Path) -> Path:
        """A new workspace of an institute."""
        create(path, self.perfil, ambiente="oficial", clock=ManualClock(self.horas[0]), disk=Disk())
        return path


def haz(folder: Path, casillas: int, elecciones: tuple[str, ...] = ELECCIONES) -> Noche:
    """Write the files of a night, each contest in a process of its own."""
    for number in (0, 1):
        (folder / str(number)).mkdir(parents=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        runs = list(pool.map(lambda code: corre("bench.hijos.fuentes", folder, code, str(casillas)), elecciones))
    first = horas()[0]
    profile = profile_for_night(
        id="nacional-2024",
        nombre="Elección nacional de prueba",
        instituto="ine",
        entidad=Entidad(numero=0, clave="NAC", nombre="Nacional"),
        elecciones=elecciones,
        inicio=first,
        permanencia_hasta=first + timedelta(days=30),
    )
    expected = casillas * len(elecciones)
    noche = Noche(
        folder,
        elecciones,
        casillas,
        nuevas=sum(run.salida["nuevas"] for run in runs) / expected,
        cambiados=sum(run.salida["cambiados"] for run in runs) / expected,
    )
    noche.perfil.write_text(to_toml_text(profile), encoding="utf-8")
    return noche


def horas() -> list[datetime]:
    """The instants of every cut of the night."""
    first = datetime(2024, 6, 2, 20, 0, tzinfo=ZoneInfo("America/Mexico_City"))
    return [first + timedelta(minutes=20) * k for k in range(CORTES)]


def unidades(casillas: int) -> int:
    """Districts of a contest of that size: as many for each acta as in a national one."""
    return max(_FEWEST, casillas * _UNITS // NACIONAL)


def archivo(folder: Path, number: int, code: str) -> Path:
    """The per-acta file of a contest at a cut."""
    return folder / str(number) / f"NAC_{code}_2024.csv"


def candidaturas(folder: Path, number: int, code: str) -> Path:
    """Its catalogue of candidates."""
    return folder / str(number) / f"NAC_{code}_CANDIDATURAS_2024.csv"
