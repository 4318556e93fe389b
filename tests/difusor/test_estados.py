"""The drawing of ``docs/estados.md`` has exactly the transitions that ``decide`` makes, and says what is done."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.difusor.decide import CorteListo, Estado, Situacion, Tiempos, decide
from tests.trust.conftest import FIN, INICIO, INTERVALO

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "estados.md"
PERMANENCIA = FIN + timedelta(days=20)
MARGEN = timedelta(minutes=2)
HOURS = (INICIO - INTERVALO, INICIO, INICIO + 4 * INTERVALO, PERMANENCIA + INTERVALO)
"""Before the start, at it, when a first cut is late, and after permanence."""
FIRST = Situacion(
    now=HOURS[0],
    tiempos=Tiempos(INICIO, PERMANENCIA, MARGEN.total_seconds()),
    reloj_fiable=True,
    testigo=None,
    corte=None,
    ya_publico=False,
)


def drawn() -> set[tuple[str, str]]:
    return set(re.findall(r"^    (\w+) --> (\w+):", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))


def next_ones(situation: Situacion) -> Iterator[Situacion]:
    """What one event makes of a situation: time passes, a cut comes, a notice, its reinstatement, the clock's trust."""
    later = [hour for hour in HOURS if hour > situation.now]
    if later:
        yield replace(situation, now=later[0])
    cut = situation.corte
    if cut is None or not cut.ultimo:
        number = 1 if cut is None else 2
        yield replace(situation, corte=CorteListo(number, ultimo=True, proximo=None))
        for due in (INICIO + INTERVALO, PERMANENCIA + 2 * INTERVALO):
            yield replace(situation, corte=CorteListo(number, ultimo=False, proximo=due))
    yield replace(situation, suspendido=not situation.suspendido)
    yield replace(situation, reloj_fiable=not situation.reloj_fiable)


def test_the_drawing_has_the_transitions_of_decide_and_no_other() -> None:
    made: set[tuple[str, str]] = set()
    seen, left = {FIRST}, [FIRST]
    while left:
        here = left.pop()
        state = decide(here).estado
        for there in next_ones(here):
            decision = decide(there)
            if decision.estado is not state:
                made.add((str(state), str(decision.estado)))
            # What is public stays noted.
            settled = replace(there, ya_publico=there.ya_publico or decision.corte is not None)
            if settled not in seen:
                seen.add(settled)
                left.append(settled)
    assert made == drawn()
    assert {str(state) for state in Estado} == {name for pair in made for name in pair}


def test_every_state_and_code_is_explained() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    codes = ("SUSPENSION", "ATAQUE", "PERIODOS", "RETRASO", "AVISO", "AVISO_CAMBIADO", "AVISOS")
    for word in (*Estado, *codes):
        assert f"| `{word}` |" in text, word
