"""Three update periods without anything of the institute: the portal gives way to a notice, where the profile says so.

GRO-3.3a and GRO-3.3b. Elsewhere, and for any other reason than silence, a late cut never takes the portal away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import ManualClock
from pregon.convocatoria.perfiles import load
from pregon.difusor.decide import Estado
from pregon.difusor.interrupcion import Periodos
from pregon.difusor.reloj import ClockReading
from pregon.difusor.workspace import open_workspace
from pregon.trust.vigencia import timestamp_expiry
from tests.difusor.test_avisos_firmados import codes, cut_link, events, mend_link, shown, suspended, told, words
from tests.difusor.test_refusals import flip
from tests.trust.conftest import FIN, INICIO, INTERVALO

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.difusor.receive import Receiver
    from tests.difusor.conftest import Escena, EscenaFactory

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PERIODS = 3 * INTERVALO


@dataclass
class RelojQueSalta(ManualClock):
    """Its hour may be wrong by ``salto``; the seconds that it counts are those of the world."""

    salto: timedelta = timedelta(0)

    def now(self) -> datetime:
        return self.instant + self.salto


@pytest.fixture
def escena(escena_factory: EscenaFactory) -> Escena:
    """A call like that of Guerrero, whose clock nobody measures and may jump."""
    return guerrero(escena_factory())


def guerrero(escena: Escena, *, rule: str = "aviso_en_portal = true\n") -> Escena:
    profile = Path(escena.workspace.settings.convocatoria)
    profile.write_text(profile.read_text() + rule)
    escena.workspace = open_workspace(escena.workspace.folder)
    escena.clock = RelojQueSalta(escena.clock.instant, simulado=False)
    return escena


def published(escena: Escena, corte: int = 1, **head: Any) -> Receiver:
    escena.cut(corte, **head)
    receiver = escena.receiver()
    assert receiver.run_once().decision.corte == corte
    return receiver


def wait(escena: Escena, receiver: Receiver, duration: timedelta, *, alive: bool = False) -> None:
    """Passes every ten minutes; ``alive``: the institute signs its timestamp again before each."""
    end = escena.clock.instant + duration
    while escena.clock.instant < end:
        escena.clock.instant = min(escena.clock.instant + 10 * MINUTE, end)
        if alive:
            now = escena.clock.instant
            escena.repository.resign_timestamp(now=now, expires=timestamp_expiry(now + INTERVALO, INTERVALO))
        receiver.run_once()


def test_only_the_calls_that_say_so_have_the_rule() -> None:
    """Guerrero alone counts periods and wants the notice on the portal; the others leave it to a person."""
    rules = {name: Periodos.of(load(name)) for name in ("gro-2021", "dgo-2024", "mor-2024", "mex-2021", "ine-2021")}
    assert [name for name, rule in rules.items() if rule is not None] == ["gro-2021"]
    rule = rules["gro-2021"]
    assert rule is not None
    assert rule.limite == HOUR


@pytest.mark.parametrize("how", ["link down", "nobody delivers"])
def test_three_periods_of_silence_show_the_notice_and_the_next_cut_ends_it(escena: Escena, how: str) -> None:
    receiver = published(escena)
    began = escena.clock.now()
    if how == "link down":
        cut_link(escena)
    wait(escena, receiver, PERIODS - MINUTE)
    assert (shown(escena), told(escena)["estado"]) == ("0001", "atrasado")
    wait(escena, receiver, MINUTE)
    outcome = receiver.run_once()
    assert suspended(outcome)
    assert shown(escena) == "aviso"
    page = words(escena)
    assert "<h1>Se interrumpió la transmisión de resultados a este sitio</h1>" in page
    assert "6 de junio de 2027 a las 20:20" in page
    assert "otro difusor oficial" in page
    assert "PERIODOS" in codes(escena)
    assert told(escena)["desde"] == (began + PERIODS).isoformat()
    assert events(escena, "interrumpido") == [{"causa": "periodos", "n": None, "desde": began.isoformat()}]
    # A start in this state finds it again, and does not count from nothing.
    assert suspended(escena.receiver().run_once())
    if how == "link down":
        mend_link(escena)
    escena.cut(5)
    outcome = receiver.run_once()
    assert (outcome.decision.corte, shown(escena)) == (5, "0005")
    assert (told(escena)["estado"], codes(escena)) == ("publicado", [])


def test_start_in_the_interruption_stays_in_it_with_a_clock_that_nobody_measured(escena: Escena) -> None:
    receiver = published(escena)
    wait(escena, receiver, PERIODS)
    assert shown(escena) == "aviso"
    again = escena.receiver()
    for _ in range(2):
        assert suspended(again.run_once())
    assert shown(escena) == "aviso"


def test_fresh_timestamps_without_a_cut_are_an_institute_that_is_late(escena: Escena) -> None:
    receiver = published(escena)
    wait(escena, receiver, 2 * PERIODS, alive=True)
    assert (shown(escena), told(escena)["estado"]) == ("0001", "atrasado")
    cut_link(escena)
    wait(escena, receiver, PERIODS - MINUTE)
    assert shown(escena) == "0001"
    wait(escena, receiver, MINUTE)
    assert shown(escena) == "aviso"
    mend_link(escena)
    wait(escena, receiver, 10 * MINUTE, alive=True)
    assert shown(escena) == "0001"  # the newest signed is the one that we have, and that was verified now


def test_refused_cuts_do_not_blank_the_site(escena: Escena) -> None:
    """What the institute signed wrong reaches every difusor at once: it is a sign of life, and not a silence."""
    receiver = published(escena)
    for corte in range(2, 7):
        escena.cut(corte)
        manifest = escena.repository.cut_folder(corte) / "manifiesto.json"
        flip(manifest)
        outcome = receiver.run_once()
        assert outcome.error is not None
        flip(manifest)
    assert escena.clock.now() - INICIO > PERIODS + INTERVALO
    assert shown(escena) == "0001"


def test_announced_delay_does_not_count(escena: Escena) -> None:
    receiver = published(escena)
    escena.aviso("retraso", ("*",), hasta=escena.clock.now() + 2 * PERIODS)
    receiver.run_once()
    cut_link(escena)
    wait(escena, receiver, 2 * PERIODS)
    assert shown(escena) == "0001"
    wait(escena, receiver, PERIODS - MINUTE)
    assert shown(escena) == "0001"
    wait(escena, receiver, MINUTE)
    assert shown(escena) == "aviso"


@pytest.mark.parametrize("salto", [HOUR, -HOUR, timedelta(days=1)])
def test_clock_that_jumps_takes_no_portal_away(escena: Escena, salto: timedelta) -> None:
    receiver = published(escena)
    clock = escena.clock
    assert isinstance(clock, RelojQueSalta)
    clock.salto = salto
    for each in (receiver, escena.receiver()):
        each.run_once()
        assert shown(escena) == "0001"
    wait(escena, receiver, INTERVALO)
    assert shown(escena) == "0001"


def test_clock_that_was_measured_decides_after_a_start_and_one_that_was_not_waits(
    escena_factory: EscenaFactory,
) -> None:
    for name, measured in (("sin", False), ("con", True)):
        escena = guerrero(escena_factory(name))
        published(escena)
        cut_link(escena)
        escena.clock.instant += PERIODS + MINUTE
        receiver = escena.receiver()
        if measured:
            escena.libro.medir(ClockReading("chrony", 0.01, escena.clock.now()))
        receiver.run_once()
        assert shown(escena) == ("aviso" if measured else "0001")
        wait(escena, receiver, PERIODS)
        assert shown(escena) == "aviso"  # it counted them by itself


def test_nothing_counts_before_the_start(escena: Escena) -> None:
    escena.sign(0)
    receiver = escena.receiver()
    wait(escena, receiver, INICIO - escena.clock.instant + PERIODS - MINUTE)
    assert shown(escena) in ("espera", "0000")
    assert not escena.libro.suspendido


def test_nothing_counts_after_the_last_cut(escena: Escena) -> None:
    receiver = published(escena, ultimo=True, cierre="horario", proximo=None)
    cut_link(escena)
    wait(escena, receiver, 3 * PERIODS)
    assert (shown(escena), told(escena)["estado"]) == ("0001", "cerrado")


def test_nothing_counts_after_the_end_of_updates(escena: Escena) -> None:
    receiver = published(escena, 70)  # 40 minutes before the end
    assert timedelta(0) < FIN - escena.clock.now() < PERIODS
    cut_link(escena)
    wait(escena, receiver, 3 * PERIODS)
    assert shown(escena) == "0070"


@pytest.mark.parametrize("rule", ["", "aviso_en_portal = false\n"])
def test_where_the_profile_does_not_ask_a_late_cut_never_blanks_the_site(
    escena_factory: EscenaFactory, rule: str
) -> None:
    escena = guerrero(escena_factory(), rule=rule)
    receiver = published(escena)
    cut_link(escena)
    wait(escena, receiver, 2 * PERIODS)
    assert shown(escena) == "0001"


def test_a_suspension_during_the_interruption_asks_for_its_reinstatement(escena: Escena) -> None:
    receiver = published(escena)
    wait(escena, receiver, PERIODS)
    escena.cut(5)
    escena.aviso("suspension")
    assert suspended(receiver.run_once())
    assert "Mantenimiento." in words(escena)
    escena.cut(6)
    assert suspended(receiver.run_once())
    escena.aviso("reinstalacion")
    assert receiver.run_once().decision.estado is Estado.PUBLICADO
    assert shown(escena) == "0006"
