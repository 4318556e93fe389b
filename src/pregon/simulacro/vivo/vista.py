"""What of a ``Momento`` is drawn and said, and which parts of an open page a change replaces.

Everything is drawn here, as on the institute's board (docs/adr/0018): the page works without scripts, and an open one
gets the very parts that a new one would have.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pregon.simulacro.vivo.palabras import quien

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pregon.base.clock import SimulatedClock
    from pregon.simulacro.vivo.modelo import Celda, Columna, Momento, Renglon
    from pregon.web.paginas import Paginas

FORMATO: Final = "pregon/vivo/1"
COLUMNAS: Final = 12
"""Cuts that the board has room for, seen from the back of a room."""
ANTES: Final = 8
"""Of them, those before the current one, in a longer night."""
CERCA: Final = 4
"""Cuts that a phone has room for."""
MARCAS: Final = 16
"""Hours that fit over the line of time."""
_PARTES: Final = {"ahora": "_ahora.html", "cuadro": "_cuadro.html", "fallas": "_fallas.html"}
"""The parts of the page by the id of their element."""
_CELDAS: Final = {
    "previsto": ("·", "todavía no se firma"),
    "sin_corte": ("—", "no hubo corte"),
    "espera": ("…", "firmado; aquí no se sabe de él"),
    "recibido": ("◐", "recibido y verificado"),
    "publicado": ("✓", "publicado"),
    "visible": ("✓", "publicado, y visto en su dirección"),
    "rechazado": ("✗", "no lo aceptó"),
    "perdido": ("✗", "nunca lo mostró"),
}
"""Of each state of a cell, its sign and its words."""
TARDE_S: Final = 3.0
"""A cut that came after longer than this, or after a fault, is drawn as late."""


def ventana(momento: Momento) -> tuple[int, int]:
    """First and last (not included) of the columns that the board shows."""
    many = len(momento.columnas)
    if many <= COLUMNAS:
        return 0, many
    first = min(max(0, momento.periodo - ANTES), many - COLUMNAS)
    return first, first + COLUMNAS


def cercanas(momento: Momento) -> range:
    """Of those columns, the periods that a phone has room for: the current one, two before and the next."""
    first, last = ventana(momento)
    begin = max(first + 1, min(momento.periodo - CERCA + 2, last - CERCA + 1))
    return range(begin, begin + CERCA)


def segundos(value: float | None) -> str:
    """``0.8 s``, ``43 s``, ``12 min``; an em dash where there is none."""
    if value is None:
        return "—"
    if value < 10:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"


def dicho(celda: Celda) -> str:
    """A cell in words, for who does not see it."""
    words = _CELDAS[celda.estado][1]
    late = "" if celda.segundos is None else f" en {segundos(celda.segundos)}"
    code = "" if celda.codigo is None else f" ({celda.codigo})"
    fault = f"; falla {', '.join(map(str, celda.fallas))}" if celda.fallas else ""
    return f"{words}{late}{code}{fault}"


def signo(celda: Celda) -> str:
    """The sign of a cell."""
    return _CELDAS[celda.estado][0]


def tono(celda: Celda) -> str:
    """The classes by which a cell is drawn."""
    late = celda.segundos is not None and (celda.codigo is not None or celda.segundos > TARDE_S)
    return " ".join((celda.estado, *(("tarde",) if late else ()), *(("con",) if celda.fallas else ())))


def ahora_de(one: Renglon) -> tuple[str, str]:
    """Class and words of what a difusor shows now."""
    if one.muestra is None:
        return "calma", "Se prepara"
    if one.corte is None:
        return ("calma", "Página de espera") if one.muestra == "espera" else ("ojo", "Aviso")
    if one.atras == 0:
        return "bien", f"Muestra el {one.corte:04d}"
    return ("mal" if one.atras > 1 else "ojo"), f"Sigue el {one.corte:04d}"


def marcas(columnas: Sequence[Columna]) -> list[tuple[str, Columna | None]]:
    """What stands over each period of the line of time, every so many of them; 0, as in a plan, is before the start."""
    step = -(-len(columnas) // MARCAS) or 1
    found: list[tuple[str, Columna | None]] = [("0", None)]
    found += [("" if (one.indice - 1) % step else f"{one.indice}", one) for one in columnas]
    return found


def globales(zona: ZoneInfo) -> dict[str, Any]:
    """What every template of the page sees besides what it is given."""

    def hour(instant: datetime | None, *, con_segundos: bool = False) -> str:
        if instant is None:
            return "—"
        return f"{instant.astimezone(zona):%H:%M:%S}" if con_segundos else f"{instant.astimezone(zona):%H:%M}"

    return {
        "ahora_de": ahora_de,
        "cercanas": cercanas,
        "dicho": dicho,
        "epoca": lambda instant: f"{instant.timestamp():.3f}",
        "hora": hour,
        "marcas": marcas,
        "quien": quien,
        "segundos": segundos,
        "signo": signo,
        "tono": tono,
        "ventana": ventana,
    }


def partes(paginas: Paginas, momento: Momento) -> dict[str, str]:
    """The HTML of each part of the page."""
    return {name: paginas.texto(template, m=momento) for name, template in _PARTES.items()}


def linea(
    momento: Momento, cambian: dict[str, str], *, serie: str, version: int, ahora: datetime, zona: ZoneInfo
) -> str:
    """What an open page is told, as one line of JSON. ``ahora``: by the machine."""
    return json.dumps(
        {
            "serie": serie,
            "version": version,
            "ahora": ahora.timestamp(),
            "reloj": reloj(momento.reloj, zona),
            "fase": momento.fase,
            "portales": portales(momento),
            "foco": momento.foco,
            "partes": cambian,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def portales(momento: Momento) -> dict[str, dict[str, Any]]:
    """Of each difusor: where its portal is, what it shows (another one: look again), and how that is said."""
    found = {}
    for one in momento.renglones:
        kind, words = ahora_de(one)
        told = [tramo.nombre for tramo in momento.en_curso if tramo.falla.n in one.en_falla]
        found[one.id] = {
            "url": one.url,
            "muestra": one.muestra,
            "tono": kind,
            "dice": words,
            "falla": ", ".join(told),
        }
    return found


def reloj(clock: SimulatedClock | None, zona: ZoneInfo) -> dict[str, float] | None:
    """The clock of the rehearsal, for a page that goes on with it: local hour at a machine's instant, and pace."""
    if clock is None:
        return None
    offset = clock.origin.astimezone(zona).utcoffset()
    local = clock.origin.timestamp() + (0.0 if offset is None else offset.total_seconds())
    return {"hora": local, "desde": clock.real_origin.timestamp(), "ritmo": clock.rate}


def de_momento(momento: Momento) -> dict[str, Any]:
    """``/vivo.json``."""
    end = momento.conclusion
    return {
        "formato": FORMATO,
        "convocatoria": momento.encargo.convocatoria,
        "fase": momento.fase,
        "periodo": momento.periodo,
        "cortes": [
            {
                "indice": one.indice,
                "numero": one.numero,
                "hora": one.hora.isoformat(),
                "firmado": None if one.firmado is None else one.firmado.isoformat(),
            }
            for one in momento.columnas
        ],
        "difusores": [
            {
                "id": one.id,
                "url": one.url,
                "muestra": one.muestra,
                "atras": one.atras,
                "en_falla": one.en_falla,
                "grado": one.grado,
                "puntos": one.puntos,
                "celdas": [
                    {"estado": cell.estado, "segundos": cell.segundos, "codigo": cell.codigo, "fallas": cell.fallas}
                    for cell in one.celdas
                ],
            }
            for one in momento.renglones
        ],
        "fallas": [
            {
                "n": one.falla.n,
                "clase": one.falla.clase,
                "objetivo": one.falla.objetivo,
                "corte": one.falla.corte,
                "periodos": one.falla.periodos,
                "estado": one.estado,
                "espera": one.espera,
                "visto": one.visto,
                "desde": None if one.desde is None else one.desde.isoformat(),
                "hasta": None if one.hasta is None else one.hasta.isoformat(),
                "cumplio": one.cumplio,
            }
            for one in momento.tramos
        ],
        "resultado": None if end is None else {"ok": end.ok, "notas": end.notas, "cumplidas": end.cumplidas},
        "faltan": momento.faltan,
    }
