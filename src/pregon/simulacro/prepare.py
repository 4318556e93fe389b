"""From what was asked on the command line to a ``Night``: a folder of real cuts, or a synthetic election."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pregon.base.errors import EntradaError, UsoError
from pregon.convocatoria.noche import MEXICO, profile_for_night
from pregon.convocatoria.perfiles import load
from pregon.convocatoria.secciones import Entidad
from pregon.instituto.elecciones import identify
from pregon.prep.reader import read_actas
from pregon.prep.synthetic.eleccion import election
from pregon.simulacro.plan import (
    ContestFiles,
    Plan,
    PlannedCut,
    contest_files,
    election_window,
    group_by_stamp,
    is_acta_table,
    require_actas,
    shortest_interval,
)

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.convocatoria.model import Convocatoria
    from pregon.prep.model import ActaTable
    from pregon.simulacro.plan import StampedGroup

DEFAULT_CONVOCATORIA = "gro-2021"
DEFAULT_CUTS = 6
BEFORE = timedelta(minutes=30)
"""How long before the start the package with everything at zero is signed in a synthetic night."""
CASILLAS = 240
UNIDADES = 8

_LETTERS = re.compile(r"([A-Z]{2,6})_")
"""How published names begin: the letters of the entity (``CAMP_GOB_2021.csv``)."""
_ZONES = (MEXICO, "America/Cancun", "America/Hermosillo", "America/Tijuana")
"""Zones tried, in this order, for the offset that the files state; the calls say «hora del centro»."""


def real_night(
    folder: Path, *, convocatoria: str | None = None, cortes: int | None = None
) -> tuple[Convocatoria, Plan]:
    """The profile and plan of a folder of published cuts.

    Takes the groups whose stamp lies between ``inicio`` and ``fin_actualizacion`` of the profile; without
    ``convocatoria`` the profile is derived from the files. The newest group before the start in which no acta is
    captured becomes the package before the start. ``cortes`` keeps the first ones only.

    Raises:
        EntradaError: no folder, no stamped groups, or none within the night.
        FormatoError: a group without actas, or a table that cannot be read.
    """
    groups = group_by_stamp(folder)
    loose = _loose_catalogues(folder)
    profile = load(convocatoria) if convocatoria else _derived(groups, loose)
    within = [g for g in groups if profile.inicio <= g.sello.replace(tzinfo=profile.zona) <= profile.fin_actualizacion]
    if not within:
        raise EntradaError(
            f"Ningún corte de {folder} cae entre {profile.inicio:%Y-%m-%d %H:%M} y "
            f"{profile.fin_actualizacion:%Y-%m-%d %H:%M}.",
            intacto="No se creó nada.",
            que_hacer="Revise la carpeta o la convocatoria.",
        )
    planned = []
    for number, group in enumerate(within[:cortes], start=1):
        files = contest_files(group, candidaturas=loose)
        require_actas(group, files)
        planned.append(_cut(number, group.sello.replace(tzinfo=profile.zona), files, ultimo=group is within[-1]))
    before = [group for group in groups if group.sello.replace(tzinfo=profile.zona) < profile.inicio]
    return profile, Plan(_before_the_start(before, profile), tuple(planned))


def _cut(number: int, hour: datetime, files: tuple[ContestFiles, ...], *, ultimo: bool = False) -> PlannedCut:
    return PlannedCut(numero=number, hora=hour, fuentes=files, ultimo=ultimo)


def _loose_catalogues(folder: Path) -> tuple[Path, ...]:
    """CSV of candidaturas kept in sub-folders without a stamp (Puebla keeps them so)."""
    return tuple(
        path
        for child in sorted(folder.iterdir())
        if child.is_dir() and not child.name[:1].isdigit()
        for path in sorted(child.glob("*.csv"))
        if not is_acta_table(path)
    )


def _derived(groups: tuple[StampedGroup, ...], loose: tuple[Path, ...]) -> Convocatoria:
    """A profile with the facts that the files of the last group state."""
    last = groups[-1]
    files = contest_files(last, candidaturas=loose)
    require_actas(last, files)
    tables = {source.actas: read_actas(source.actas) for source in files}
    stamps = tuple(group.sello for group in groups)
    zone = _zone(next(iter(tables.values())), last.sello)
    start, end = election_window(stamps, ZoneInfo(zone))
    night = tuple(stamp for stamp in stamps if start <= stamp.replace(tzinfo=ZoneInfo(zone)) <= end)
    found = [identify(path.name, table.titulo) for path, table in tables.items()]
    number, name = _entity(next(iter(tables.values())))
    letters = next((match[1] for path in tables if (match := _LETTERS.match(path.name.upper()))), "ENT")
    return profile_for_night(
        id=f"{letters.lower()}-{start:%Y}",
        nombre=f"{name.title()} {start:%Y}",
        instituto=f"instituto-{letters.lower()}",
        entidad=Entidad(numero=number, clave=letters, nombre=name.title()),
        elecciones=tuple(dict.fromkeys(one.eleccion.id for one in found)),
        inicio=start,
        fin=end,
        intervalo_min=max(int(shortest_interval(night).total_seconds() // 60), 1),
        zona_horaria=zone,
    )


def _zone(table: ActaTable, stamp: datetime) -> str:
    """The zone whose offset at the cut is the one the file states."""
    stated = table.hora_corte.utcoffset()
    for name in _ZONES:
        if stamp.replace(tzinfo=ZoneInfo(name)).utcoffset() == stated:
            return name
    return MEXICO


def _entity(table: ActaTable) -> tuple[int, str]:
    """Number and name of the entity as the first rows that have them state."""
    columns = {name: index for index, name in enumerate(table.columnas)}
    number = next((columns[name] for name in ("ID_ESTADO", "ID_ENTIDAD") if name in columns), None)
    name = next((columns[name] for name in ("ESTADO", "ENTIDAD", "NOMBRE_ESTADO") if name in columns), None)
    for row in table.filas:
        if number is not None and name is not None and row[number].strip("'\"=").isdigit() and row[name]:
            return int(row[number].strip("'\"=")), row[name]
    return 0, "Entidad"


def _before_the_start(groups: list[StampedGroup], profile: Convocatoria) -> PlannedCut | None:
    for group in reversed(groups):
        files = contest_files(group)
        captured = [read_actas(source.actas).encabezado["ACTAS_CAPTURADAS"] for source in files]
        if files and not any(captured):
            return _cut(0, group.sello.replace(tzinfo=profile.zona), files)
    return None


def synthetic_night(
    folder: Path, *, convocatoria: str | None, cortes: int | None, semilla: int, disk: Disk
) -> tuple[Convocatoria, Plan]:
    """A synthetic election under a shipped profile; its CSV are written below ``folder``.

    One cut an interval from the start on; the last one at the end of updates, to which the clock leaps.

    Raises:
        UsoError: fewer than two cuts.
    """
    profile = load(convocatoria or DEFAULT_CONVOCATORIA)
    count = DEFAULT_CUTS if cortes is None else cortes
    if count < 2:
        raise UsoError(
            "Un simulacro sintético necesita al menos dos cortes.",
            intacto="No se creó nada.",
            que_hacer="Use --cortes 2 o más.",
        )
    step = timedelta(minutes=profile.intervalo_min)
    hours = [profile.inicio + step * k for k in range(1, count)] + [profile.fin_actualizacion]
    stamps = [profile.inicio - BEFORE, *hours]
    contests = [
        election(
            code,
            casillas=CASILLAS,
            unidades=UNIDADES,
            cortes=stamps,
            semilla=semilla,
            entidad=(profile.entidad.numero, profile.entidad.nombre),
        )
        for code in profile.elecciones
    ]
    cuts = []
    for number, hour in enumerate(stamps):
        files = []
        for contest in contests:
            place = folder / f"{hour:%Y%m%d_%H%M}_{contest.file_stem}"
            disk.make_folder(place)
            actas, catalogue = place / f"{contest.file_stem}.csv", place / f"{contest.file_stem}_CANDIDATURAS.csv"
            disk.write(actas, contest.actas_csv(number))
            disk.write(catalogue, contest.candidaturas_csv())
            files.append(ContestFiles(actas, catalogue))
        cuts.append(PlannedCut(number, hour, tuple(files), ultimo=number == count, salto=number == count))
    return profile, Plan(cuts[0], tuple(cuts[1:]))
