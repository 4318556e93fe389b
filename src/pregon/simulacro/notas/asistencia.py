"""Who took part in which official simulacro: the days that the profile names, and what each difusor showed on them.

Source: INE-III-c (the difusor must take part in all of them; the institute may annul its participation otherwise),
DGO-III-2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from pregon.convocatoria.secciones import Simulacro


def asistencia(
    simulacros: Iterable[Simulacro], dia: date, mostrados: Mapping[str, int], *, cortes: int
) -> tuple[dict[str, Any], ...]:
    """One row for each official simulacro and difusor: ``asistio`` True or False for that of the day ``dia``.

    ``mostrados``: of ``cortes`` periods, those in which a difusor showed a signed cut. Of another day this night says
    nothing: ``asistio`` is None. Who showed none at all did not take part.
    """
    return tuple(
        {
            "simulacro": rehearsal.nombre,
            "fecha": rehearsal.fecha.isoformat(),
            "obligatorio": rehearsal.obligatorio,
            "difusor": name,
            "asistio": shown > 0 if rehearsal.fecha == dia else None,
            "cortes": f"{shown} de {cortes}" if rehearsal.fecha == dia else None,
        }
        for rehearsal in simulacros
        for name, shown in mostrados.items()
    )


def reunida(noches: Iterable[tuple[dict[str, Any], ...]]) -> tuple[dict[str, Any], ...]:
    """The attendance of several nights in one: whoever took part in a simulacro once, took part."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for rows in noches:
        for row in rows:
            known = found.get((row["fecha"], row["difusor"]))
            if known is None or (row["asistio"] is not None and not known["asistio"]):
                found[row["fecha"], row["difusor"]] = row
    return tuple(found[key] for key in sorted(found))
