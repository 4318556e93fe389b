"""What will be replayed: which cuts, from which files, under which profile.

A night comes from a folder of published cuts (design §4: sub-folders grouped by the stamp at the head of their names,
``AAAAMMDD_HHMM_*``, any number of per-acta CSV in each) or from a synthetic election.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pregon.base.errors import EntradaError, FormatoError, UsoError
from pregon.base.razones import razon
from pregon.prep.candidaturas import catalogue_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

STAMP = re.compile(r"^(\d{8})_(\d{4})_")
_SAMPLE_BYTES = 1 << 16
"""How much of a CSV is read to tell a table of actas from a catalogue of candidaturas."""


@dataclass(frozen=True)
class ContestFiles:
    """The published files of one election in one cut."""

    actas: Path
    candidaturas: Path | None = None
    leeme: Path | None = None

    @property
    def archivos(self) -> tuple[Path, ...]:
        """Those that there are."""
        return tuple(path for path in (self.actas, self.candidaturas, self.leeme) if path is not None)

    def to_json(self) -> dict[str, Any]:
        return {key: None if path is None else str(path) for key, path in vars(self).items()}


@dataclass(frozen=True)
class PlannedCut:
    """One cut to publish: its number, its hour (aware) and the files it is made from.

    ``salto``: the clock may leap over the empty hours before it. ``retraso``: how long after its hour it is made.
    """

    numero: int
    hora: datetime
    fuentes: tuple[ContestFiles, ...]
    ultimo: bool = False
    salto: bool = False
    retraso: timedelta = timedelta(0)

    @property
    def sale(self) -> datetime:
        """When it is made."""
        return self.hora + self.retraso

    def to_json(self) -> dict[str, Any]:
        return {
            "numero": self.numero,
            "hora": self.hora.isoformat(),
            "retraso_s": self.retraso.total_seconds(),
            "fuentes": [source.to_json() for source in self.fuentes],
            "ultimo": self.ultimo,
            "salto": self.salto,
        }


@dataclass(frozen=True)
class Plan:
    """A whole night: ``previo`` is the package before the start (cut 0000), when there is one."""

    previo: PlannedCut | None
    cortes: tuple[PlannedCut, ...]

    @property
    def todos(self) -> tuple[PlannedCut, ...]:
        """The package before the start and the cuts, in order of publication."""
        return (*(() if self.previo is None else (self.previo,)), *self.cortes)

    def to_bytes(self) -> bytes:
        """The plan as JSON, for the process that plays the institute."""
        return json.dumps([cut.to_json() for cut in self.todos], indent=2).encode()


def read_plan(data: bytes) -> tuple[PlannedCut, ...]:
    """The cuts that ``Plan.to_bytes`` wrote."""
    return tuple(
        PlannedCut(
            numero=cut["numero"],
            hora=datetime.fromisoformat(cut["hora"]),
            fuentes=tuple(
                ContestFiles(Path(source["actas"]), _path(source["candidaturas"]), _path(source["leeme"]))
                for source in cut["fuentes"]
            ),
            ultimo=cut["ultimo"],
            salto=cut["salto"],
            retraso=timedelta(seconds=cut["retraso_s"]),
        )
        for cut in json.loads(data)
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


@dataclass(frozen=True)
class StampedGroup:
    """The sub-folders of a night that share a stamp (local time, no zone: the names carry none)."""

    sello: datetime
    carpetas: tuple[Path, ...]


def group_by_stamp(folder: Path) -> tuple[StampedGroup, ...]:
    """The groups of ``folder``, oldest first.

    Raises:
        EntradaError: there is no such folder, it cannot be read, or no sub-folder has a stamp.
    """
    try:
        inside = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise _no_night(f"No existe la carpeta {folder}.") from exc
    except OSError as exc:
        raise _no_night(f"No se puede leer la carpeta {folder}: {razon(exc)}.") from exc
    groups: dict[datetime, list[Path]] = {}
    for child in inside:
        match = STAMP.match(child.name)
        if match and child.is_dir():
            try:
                stamp = datetime.strptime("".join(match.groups()), "%Y%m%d%H%M")  # noqa: DTZ007 - names carry no zone
            except ValueError:
                continue
            groups.setdefault(stamp, []).append(child)
    if not groups:
        raise _no_night(f"En {folder} no hay subcarpetas con nombre AAAAMMDD_HHMM_*.")
    return tuple(StampedGroup(stamp, tuple(paths)) for stamp, paths in sorted(groups.items()))


def contest_files(group: StampedGroup, *, candidaturas: tuple[Path, ...] = ()) -> tuple[ContestFiles, ...]:
    """The per-acta CSV of a group, each with the catalogue and LEEME that lie beside it.

    ``candidaturas`` are catalogues kept apart from the cuts, for groups that have none of their own.
    """
    found: list[ContestFiles] = []
    for folder in group.carpetas:
        tables = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.is_file())
        actas = [path for path in tables if is_acta_table(path)]
        own = tuple(path for path in tables if path not in actas)
        notes = [path for path in folder.iterdir() if path.name.lower() == "leeme.txt"]
        found += [
            ContestFiles(path, catalogue_of(path, own or candidaturas), notes[0] if notes else None) for path in actas
        ]
    return tuple(found)


def is_acta_table(path: Path) -> bool:
    """Whether the CSV is a table of actas: one of its first lines names CLAVE_CASILLA."""
    with path.open("rb") as file:
        return b"CLAVE_CASILLA" in file.read(_SAMPLE_BYTES).upper()


def election_window(stamps: tuple[datetime, ...], zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end of updates of the night that ends with the last stamp.

    The start is 20:00 of the latest Sunday whose 20:00 is not after the last stamp (Mexican elections are held on
    Sundays and results open at 20:00); the end is 24 hours later, or the last stamp if that is later still.
    """
    last = stamps[-1]
    sunday = last - timedelta(days=(last.weekday() + 1) % 7)
    start = sunday.replace(hour=20, minute=0)
    if start > last:
        start -= timedelta(days=7)
    if last - start > timedelta(days=3):
        raise UsoError(
            f"No se reconoce una noche electoral: el último corte es {last:%Y-%m-%d %H:%M}.",
            intacto="No se creó nada.",
            que_hacer="Indique la convocatoria con --convocatoria ID.",
        )
    return start.replace(tzinfo=zone), max(start + timedelta(hours=24), last).replace(tzinfo=zone)


def shortest_interval(stamps: tuple[datetime, ...]) -> timedelta:
    """The shortest time between two stamps; 20 minutes when there is only one."""
    gaps = [later - earlier for earlier, later in itertools.pairwise(stamps)]
    return min(gaps, default=timedelta(minutes=20))


def require_actas(group: StampedGroup, files: tuple[ContestFiles, ...]) -> None:
    """Refuse a cut without actas.

    Raises:
        FormatoError: the group has no per-acta CSV.
    """
    if not files:
        raise FormatoError(
            f"El corte {group.sello:%Y%m%d_%H%M} no trae ningún CSV por acta (con la columna CLAVE_CASILLA).",
            intacto="No se creó nada.",
            que_hacer="Quite esa carpeta o agregue sus archivos.",
        )


def _no_night(what: str) -> EntradaError:
    return EntradaError(what, intacto="No se creó nada.", que_hacer="Revise la carpeta de cortes que dio.")
