"""The sentences of the pages: who is ahead, told with the figures that the tables below show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.instituto.portal.formato import entero, porcentaje

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.instituto.elecciones import Unidad
    from pregon.instituto.portal.modelo import Cabeza, Renglon

SIN_ACTAS = "Aún no hay actas contabilizadas."
_MAS_LIDERES = 4


def quien(line: Renglon) -> str:
    """A person with the letters of the parties, or the letters alone."""
    return f"{line.nombre} ({line.siglas})" if line.nombre else line.siglas


def de_persona(head: Cabeza, contabilizadas: str | None) -> str:
    """One sentence on a race for one office; ``contabilizadas``: percentage of actas counted, None to leave it out."""
    if head.primero is None:
        return SIN_ACTAS
    counted = "" if contabilizadas is None else f", con {porcentaje(contabilizadas)} de las actas contabilizadas"
    if head.segundo is None:
        return f"{quien(head.primero)} tiene todos los votos a candidaturas{counted}."
    if head.estado == "empate":
        votes = f"{entero(head.primero.votos)} {_votos(head.primero.votos)}"
        return f"Empate: {_empate(head.empatadas, votes)}{counted}."
    gap = f"{entero(head.diferencia)} {_votos(head.diferencia)} más que {quien(head.segundo)}"
    return f"{quien(head.primero)} encabeza con {porcentaje(head.primero.porcentaje)} de los votos, {gap}{counted}."


def de_unidades(leaders: Sequence[tuple[str, int]], units: int, word: Unidad, *, ties: int, without_votes: int) -> str:
    """One sentence on a contest of many races: in how many units each line is ahead."""
    if without_votes == units:
        return SIN_ACTAS
    plural = word.plural.lower()
    shown = [f"{name}, en {count}" for name, count in leaders[:_MAS_LIDERES]]
    rest = sum(count for _, count in leaders[_MAS_LIDERES:])
    if rest:
        shown.append(f"otras candidaturas, en {rest}")
    if ties:
        shown.append(f"hay empate en {ties}")
    if without_votes:
        shown.append(f"en {without_votes} aún no hay actas contabilizadas")
    if leaders:
        name, count = leaders[0]
        shown[0] = f"{name} encabeza en {count} de {units} {plural}"
    else:
        shown[0] = f"{shown[0][0].upper()}{shown[0][1:]} de {units} {plural}"
    return "; ".join(shown) + "."


def _empate(lines: Sequence[Renglon], votes: str) -> str:
    """All who tie, by name; how many they are where their names would be a paragraph."""
    if len(lines) > _MAS_LIDERES:
        return f"{len(lines)} candidaturas tienen {votes} cada una"
    return f"{', '.join(map(quien, lines[:-1]))} y {quien(lines[-1])} tienen {votes} cada candidatura"


def todas(units: int, word: Unidad) -> str:
    """The link to all of them: ``Los 21 distritos``, ``Las 22 juntas municipales``."""
    article = "Las" if word.femenino else "Los"
    return f"{article} {units} {word.plural.lower()}"


def _votos(count: int) -> str:
    return "voto" if count == 1 else "votos"
