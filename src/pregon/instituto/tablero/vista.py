"""What of a ``Cuadro`` is drawn and said, and which parts of an open page a change replaces.

Everything is drawn on the server: the page works without scripts, and what an open one is sent are the very parts that
a new one would have. Each is made once for all the pages that are open.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pregon.base.fechas import DIAS, fecha_larga
from pregon.instituto.bitacora.frases import ACCIONES, FASES_ENVIO, FASES_ORDEN, VEREDICTOS
from pregon.instituto.proceso.textos import motivos_en_palabras
from pregon.instituto.tablero.curva import curva_de
from pregon.instituto.tablero.modelo import LETRAS, SIGNOS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pregon.instituto.tablero.modelo import Columna, Cuadro, Renglon, Signo
    from pregon.web.paginas import Paginas

COLUMNAS: Final = 144
"""Cuts that a strip has room for: a day of one each ten minutes. It ends at the newest; a narrow one shows the last."""
EVENTOS: Final = 30
"""Events on the board itself; the journal's own page has them all."""
_ALTO: Final = 3
"""Height of a cell, whose width is one."""
_MANDADOS: Final = ("suspendido", "bloqueado", "baja", "concluido")
_SENDAS: Final[dict[str, tuple[str, ...]]] = {
    "D": ("2.5",),
    "E": ("2.7",),
    "A": ("2.5",),
    "I": (".5",),
    "N": ("1.1", "2.3"),
    "Q": ("1.5",),
    "R": ("1.9",),
    "S": (".5", "2.5"),
    "X": ("1.5",),
}
"""Heights at which the strokes of each letter run; how thick and how broken they are is in the style."""


@dataclass(frozen=True)
class Tira:
    """The cells of one row, drawn: ``caja`` is the viewBox, ``trazos`` each letter with its path, ``dice`` the words.

    ``clase``: with ``dos``, a cell is two wide.
    """

    clase: str
    caja: str
    trazos: tuple[tuple[str, str], ...]
    dice: str


@dataclass(frozen=True)
class Marcas:
    """The head of the strips: hours at their columns (``x``, text), the institute's own cells, and who shows each.

    ``ancho``: of a cell. ``columnas``: each cut's number and hour, for whoever points at a cell.
    """

    ancho: int
    horas: tuple[tuple[int, str], ...]
    propios: Tira
    visibles: str
    columnas: str


def tira(celdas: str) -> Tira:
    """The strip of one row: each letter is one path with a stroke for every stretch of equal cells.

    Reading the strokes back gives the letters: ``M<first> <height>h<how many>``, both by the width of a cell.
    """
    wide = _wide(len(celdas))
    paths: dict[str, list[str]] = {}
    for letter, first, many in _stretches(celdas):
        for height in _SENDAS.get(letter, ()):
            paths.setdefault(letter, []).append(f"M{first * wide} {height}h{many * wide}")
    counts = [(one, celdas.count(one.letra)) for one in LETRAS if one.letra != "-"]
    words = ", ".join(f"{one.nombre.lower()} {count}" for one, count in counts if count)
    return Tira(
        "t dos" if wide == 2 else "t",
        f"{len(celdas) * wide - COLUMNAS} 0 {COLUMNAS} {_ALTO}",
        tuple((letter, "".join(paths[letter])) for letter in _SENDAS if letter in paths),
        f"Cortes: {words}" if words else "Sin cortes todavía",
    )


def marcas(cortes: Sequence[Columna], zona: ZoneInfo) -> Marcas:
    """The head of the strips for these columns."""
    wide = _wide(len(cortes))
    hours: list[tuple[int, str]] = []
    for place, one in enumerate(cortes):
        local = one.vence.astimezone(zona)
        if local.minute == 0 and (not hours or place * wide - hours[-1][0] >= 5):
            hours.append((place * wide, f"{local:%-H} h"))
    bars = "".join(
        f"M{(place + 0.5) * wide:g} {_ALTO}v-{_ALTO * one.visibles / max(one.de, 1):.2g}"
        for place, one in enumerate(cortes)
        if one.visibles
    )
    own = tira("".join(letra_propia(one) for one in cortes))
    return Marcas(wide, tuple(hours), own, bars, "|".join(_column(one, zona) for one in cortes))


def letra_propia(one: Columna) -> str:
    """How the institute itself did in one slot, in the letters of the cells."""
    if one.perdido:
        return "S"
    if one.firmado is None:
        return "E"
    return "D" if one.retraso_s is None else "I"


def signo(one: Renglon) -> Signo:
    """What a row says of now, with the drawing and the name of a cell."""
    if one.veredicto == "al_dia":
        return SIGNOS["A" if one.estado in _MANDADOS else "D"]
    if one.veredicto == "sin_determinar":
        return SIGNOS["-" if one.visto is None else "Q"]
    if one.causa == "difusor":
        return SIGNOS[{"alterado": "X", "inaccesible": "S"}.get(one.veredicto, "R")]
    return SIGNOS[{"red": "N", "instituto": "I"}.get(one.causa, "Q")]


def duracion(segundos: float | None) -> str:
    """``43 s``, ``12 min``, ``3 h 5 min``, ``4 días``; an em dash where there is none."""
    if segundos is None:
        return "—"
    whole = max(0, int(segundos))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        hours, minutes = whole // 3600, whole % 3600 // 60
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{whole // 86400} días"


def globales(zona: ZoneInfo) -> dict[str, Any]:
    """What every template of the board sees besides what its page gives it."""

    def clock(instant: datetime | None, *, segundos: bool = False) -> str:
        if instant is None:
            return "—"
        return f"{instant.astimezone(zona):%H:%M:%S}" if segundos else f"{instant.astimezone(zona):%H:%M}"

    def day(instant: datetime) -> str:
        local = instant.astimezone(zona)
        return f"{DIAS[local.weekday()]} {fecha_larga(local)}"

    return {
        "acciones": ACCIONES,
        "cuantos_de": lambda cuadro, cual: sum(signo(one) is cual for one in cuadro.difusores),
        "curva_de": curva_de,
        "desfase_min": lambda instant: int((instant.astimezone(zona).utcoffset()).total_seconds()) // 60,
        "dia": day,
        "duracion": duracion,
        "epoca": lambda instant: int(instant.timestamp()),
        "fases_envio": FASES_ENVIO,
        "fases_orden": FASES_ORDEN,
        "hora": clock,
        "letra_propia": letra_propia,
        "letras": LETRAS,
        "marcas": lambda cortes: marcas(cortes, zona),
        "max_eventos": EVENTOS,
        "motivos": motivos_en_palabras,
        "sendas": _SENDAS,
        "signo": signo,
        "signos": SIGNOS,
        "tira": tira,
        "veredictos": VEREDICTOS,
    }


_PARTES: Final = {
    "ahora": "_ahora.html",
    "decidir": "_decidir.html",
    "curva": "_curva.html",
    "vigias": "_vigias.html",
    "sucesos": "_sucesos.html",
    "cabeza": "_cabeza.html",
}
"""The parts of the board by the id of their element; a row's is ``r-`` and its difusor's."""


class Partes:
    """Makes the parts of the board, each again only where what it shows changed. For any thread."""

    def __init__(self, paginas: Paginas) -> None:
        self._pages = paginas
        self._rows: dict[str, tuple[Renglon, str]] = {}
        self._shown: tuple[str, int, dict[str, str]] | None = None
        self._lock = threading.Lock()

    def cambio(self, antes: Cuadro, despues: Cuadro) -> str:
        """What replaces what in a page that shows ``antes``, as one line of JSON.

        ``{serie, version, hora, orden: [ids] | null, quita: [ids], partes: {element's id: HTML}}``.
        """
        with self._lock:
            before, after = self._of(antes), self._of(despues)
            changed = {name: html for name, html in after.items() if before.get(name) != html}
            gone = [one.id for one in antes.difusores if despues.difusor(one.id) is None]
            order = [one.id for one in despues.difusores]
            moved = order != [one.id for one in antes.difusores]
            return _line(despues, changed, gone, order if moved else None)

    def todo(self, cuadro: Cuadro) -> str:
        """Every part, for a page that missed something."""
        with self._lock:
            return _line(cuadro, self._of(cuadro), [], [one.id for one in cuadro.difusores])

    def _of(self, cuadro: Cuadro) -> dict[str, str]:
        if self._shown is not None and self._shown[:2] == (cuadro.serie, cuadro.version):
            return self._shown[2]
        made = {name: self._pages.texto(template, cuadro=cuadro, elegido=None) for name, template in _PARTES.items()}
        rows: dict[str, tuple[Renglon, str]] = {}
        for one in cuadro.difusores:
            known = self._rows.get(one.id)
            html = known[1] if known is not None and known[0] == one else self._pages.texto("_renglon.html", uno=one)
            rows[one.id] = (one, html)
            made[f"r-{one.id}"] = html
        self._rows = rows
        self._shown = (cuadro.serie, cuadro.version, made)
        return made


def _line(cuadro: Cuadro, partes: dict[str, str], quita: Sequence[str], orden: Sequence[str] | None) -> str:
    data = {
        "serie": cuadro.serie,
        "version": cuadro.version,
        "hora": int(cuadro.hora.timestamp() * 1000),
        "orden": orden,
        "quita": quita,
        "partes": partes,
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _stretches(celdas: str) -> Iterator[tuple[str, int, int]]:
    first = 0
    for place in range(1, len(celdas) + 1):
        if place == len(celdas) or celdas[place] != celdas[first]:
            yield celdas[first], first, place - first
            first = place


def _wide(cortes: int) -> int:
    """Cells are two wide while half of the strip is enough for them all."""
    return 2 if 2 * cortes <= COLUMNAS else 1


def _column(one: Columna, zona: ZoneInfo) -> str:
    return f"{'' if one.n is None else one.n} {one.vence.astimezone(zona):%H:%M}"
