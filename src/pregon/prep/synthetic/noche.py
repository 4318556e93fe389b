"""A whole made-up night on disk: one folder per cut and election, named as institutes name theirs.

``AAAAMMDD_HHMM_PREP_<ELECCIÓN>_<ENTIDAD>/`` with the per-acta CSV and its CANDIDATURAS. One contest is in memory at a
time, and every file is written as it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from pregon.base.errors import EscrituraError, UsoError
from pregon.base.space import require_free
from pregon.prep.synthetic.catalogo import DISTRITOS_FEDERALES, ENTIDADES
from pregon.prep.synthetic.eleccion import contienda, election
from pregon.prep.text import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.prep.estilos import Estilo
    from pregon.prep.synthetic.eleccion import SyntheticElection

MAX_CASILLAS = 1_000_000
MAX_CORTES = 1_000
BEFORE = timedelta(minutes=30)
"""How long before the start the cut with everything at zero is."""
_PALABRAS = {
    "GUBERNATURA": "GUB",
    "GOB": "GUB",
    "AYUNTAMIENTOS": "AYU",
    "AYUN": "AYU",
    "ALCALDIAS": "ALC",
    "PRESIDENCIA": "PRES",
    "SENADO": "SEN",
    "SENADURIAS": "SEN",
    "DIPUTACIONES LOCALES": "DIP",
    "DIP LOC": "DIP",
    "DIPUTACIONES FEDERALES": "DIP_FED",
    "DIP FED": "DIP_FED",
}
_CODIGOS = ("GUB", "DIP", "AYU", "ALC", "JUNTAS", "PRES", "SEN", "DIP_FED")
_DIPUTACIONES = "DIPUTACIONES"


@dataclass(frozen=True)
class Lugar:
    """The state of a local election: INE number, letters for file names, name."""

    numero: int
    clave: str
    nombre: str


@dataclass(frozen=True)
class Pedido:
    """What to make. ``lugar`` None: the 32 entidades. ``unidades`` None: as many as fit the size.

    ``inicio`` is aware, in the zone of the files; cut ``k`` (1 is the first) is at ``inicio + k * intervalo``. With
    ``previo``, also the cut with everything at zero, half an hour before the start.
    """

    elecciones: tuple[str, ...]
    casillas: int
    cortes: int
    semilla: int
    inicio: datetime
    intervalo: timedelta
    lugar: Lugar | None
    unidades: int | None = None
    estilo: Estilo | None = None
    previo: bool = False


@dataclass(frozen=True)
class Escrita:
    """What was written of one election: per-acta CSV, in order, their bytes, and how many units it has."""

    eleccion: str
    titulo: str
    unidades: int
    archivos: tuple[Path, ...]
    bytes: int


def codes(words: str) -> tuple[str, ...]:
    """The profile's codes of elections named by words or codes: ``presidencia,senado,diputaciones``.

    ``diputaciones`` are the federal ones beside presidencia or senado, else the local ones.

    Raises:
        UsoError: an unknown word, one twice, or local and federal elections together (no PREP counts both).
    """
    plain = [fold(word).replace("-", " ").replace("_", " ").strip() for word in words.split(",")]
    spelled = {code.replace("_", " "): code for code in _CODIGOS}
    found = [_PALABRAS.get(word, spelled.get(word, word)) for word in plain]
    federal = bool({"PRES", "SEN", "DIP_FED"} & set(found))
    found = [("DIP_FED" if federal else "DIP") if code == _DIPUTACIONES else code for code in found]
    unknown = next((word for word, code in zip(words.split(","), found, strict=True) if code not in _CODIGOS), None)
    if unknown is not None:
        raise _usage(
            f"«{unknown.strip()}» no es una elección.",
            "Use gubernatura, diputaciones, ayuntamientos, alcaldias, juntas, presidencia, senado o "
            f"diputaciones-federales, separadas por comas; o los códigos {', '.join(_CODIGOS)}.",
        )
    if len(set(found)) < len(found):
        raise _usage("Una elección está dos veces.", "Nombre cada elección una sola vez.")
    if len({contienda(code).federal for code in found}) > 1:
        raise _usage(
            "Hay elecciones locales y federales juntas, y ningún PREP cuenta ambas.",
            "Genere las locales y las federales en dos carpetas, con dos órdenes.",
        )
    return tuple(found)


def interval(cortes: int) -> timedelta:
    """Minutes between cuts when nobody says: those that make ``cortes`` fill 24 hours, from 1 to 20 of them."""
    return timedelta(minutes=max(1, min(20, 24 * 60 // cortes)))


def hours(order: Pedido) -> tuple[datetime, ...]:
    """The instants of the night, the one before the start first."""
    zone = order.inicio.tzinfo
    start = order.inicio.astimezone(UTC)
    instants = [start - BEFORE, *(start + order.intervalo * k for k in range(1, order.cortes + 1))]
    return tuple(instant.astimezone(zone) for instant in instants)


def write_night(
    folder: Path, order: Pedido, *, disk: Disk, progreso: Callable[[str, int], None]
) -> tuple[Escrita, ...]:
    """Write the night that ``order`` says in ``folder``, new or empty; ``progreso`` hears election and cut.

    Raises:
        UsoError: figures that cannot be; nothing is written.
        EscrituraError: the folder has something.
        DiscoError: it does not fit; nothing is written.
        FormatoError: a letter of the entidad's name that the dialect's encoding does not have.
    """
    _check(order)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EscrituraError(
            f"{folder} ya tiene algo.",
            intacto="No se escribió nada.",
            que_hacer="Dé el nombre de una carpeta nueva o vacía.",
        )
    written: list[Escrita] = []
    for code in order.elecciones:
        made, units = _election(order, code)
        if not written:
            # The first cut, all pending, is the smallest: the last is twice as large.
            size = sum(map(len, made.actas(0)))
            existing = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
            require_free(existing, size * 2 * order.cortes * len(order.elecciones))
        written.append(_write(folder, order, code, made, units, disk, progreso))
    disk.sync_filesystem(folder)
    return tuple(written)


def _election(order: Pedido, code: str) -> tuple[SyntheticElection, int]:
    units = order.unidades or _units(order, code)
    made = election(
        code,
        casillas=order.casillas,
        unidades=units,
        cortes=hours(order),
        semilla=order.semilla,
        entidad=None if order.lugar is None else (order.lugar.numero, order.lugar.nombre),
        estilo=order.estilo,
        correcciones=True,
    )
    return made, units


def _write(
    folder: Path,
    order: Pedido,
    code: str,
    made: SyntheticElection,
    units: int,
    disk: Disk,
    progreso: Callable[[str, int], None],
) -> Escrita:
    name = contienda(code).nombre
    letters = "NAC" if order.lugar is None else order.lugar.clave
    stem = f"{letters}_{name}_{order.inicio.year}"
    catalogue = made.candidaturas_csv()
    files: list[Path] = []
    total = 0

    def counted(pieces: Iterable[bytes]) -> Iterable[bytes]:
        nonlocal total
        for piece in pieces:
            total += len(piece)
            yield piece

    for i, hour in enumerate(made.cortes):
        if i == 0 and not order.previo:
            continue
        place = folder / f"{hour:%Y%m%d_%H%M}_PREP_{name}_{letters}"
        disk.make_folder(place)
        disk.create(place / f"{stem}.csv", counted(made.actas(i)))
        disk.create(place / f"{letters}_{name}_CANDIDATURAS_{order.inicio.year}.csv", counted((catalogue,)))
        files.append(place / f"{stem}.csv")
        progreso(code, i)
    return Escrita(code, made.titulo, units, tuple(files), total)


def _units(order: Pedido, code: str) -> int:
    """How many units an election of that size has: federal districts as today's 300, local ones of some 170 casillas
    (Guerrero), municipalities of some 60."""
    if contienda(code).federal:
        most = DISTRITOS_FEDERALES
        if order.lugar is not None:
            most = next((n for number, _, n in ENTIDADES if number == order.lugar.numero), 8)
        least = len(ENTIDADES) if order.lugar is None else 1
        return max(least, min(most, order.casillas // 5))
    per_unit = 60 if code in ("AYU", "ALC") else 170
    return min(max(order.casillas // per_unit, min(order.casillas, 3)), 570)


def _check(order: Pedido) -> None:
    least = len(ENTIDADES) if order.lugar is None else 1
    if not least <= order.casillas <= MAX_CASILLAS:
        raise _usage(
            f"No se pueden generar {order.casillas:,} casillas.",
            f"Use entre {least} y {MAX_CASILLAS:,} con --casillas.",
        )
    if not 1 <= order.cortes <= MAX_CORTES:
        raise _usage(f"No se pueden generar {order.cortes:,} cortes.", f"Use entre 1 y {MAX_CORTES:,} con --cortes.")
    if order.intervalo < timedelta(minutes=1):
        raise _usage("El intervalo entre cortes es de un minuto o más.", "Corrija --intervalo.")
    if order.unidades is not None and not least <= order.unidades <= order.casillas:
        raise _usage(
            f"No puede haber {order.unidades:,} distritos o municipios con {order.casillas:,} casillas.",
            f"Use entre {least} y {order.casillas:,} con --unidades.",
        )
    if order.lugar is None and not all(contienda(code).federal for code in order.elecciones):
        raise _usage("Una elección local es de una entidad.", "Dé --entidad, por ejemplo 12:GRO:GUERRERO.")


def _usage(que_paso: str, que_hacer: str) -> UsoError:
    return UsoError(que_paso, intacto="No se escribió nada.", que_hacer=que_hacer)
