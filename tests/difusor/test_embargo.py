"""Nothing of the package is public before the start; a clock alone does not open it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx2
import pytest

from pregon.base.clock import SimulatedClock
from pregon.base.durable import Disk
from pregon.difusor import pointer
from pregon.difusor.decide import CorteListo, Estado, Situacion, Tiempos, decide, embargo_lifted
from pregon.difusor.night import receive_until
from pregon.difusor.workspace import open_workspace
from tests.trust.conftest import INICIO, OFICIAL, other

if TYPE_CHECKING:
    from pregon.difusor.receive import Outcome
    from tests.difusor.conftest import Escena, EscenaFactory

HOUR = timedelta(hours=1)
SIMULACRO = other(OFICIAL, ambiente="simulacro")


def assert_nothing_leaks(escena: Escena) -> None:
    """Ask every address that the package, the folders or a careless server could give; no byte of it comes back."""
    listed = escena.manifest_hashes(1)
    contents = [(escena.workspace.cortes / "0001" / ruta).read_bytes() for ruta in listed]
    with escena.served() as (url, server), httpx2.Client(base_url=url, trust_env=False) as client:
        del server
        home = client.get("")
        assert (home.status_code, home.headers["cache-control"]) == (200, "no-store")
        asked = [*listed, *(ruta + ".gz" for ruta in listed), "0001/index.html", "cortes/0001/index.html", "puntero"]
        asked += [f"objetos/{sha[:2]}/{sha}" for sha in listed.values()]
        asked += ["historico/0001/manifiesto.json", "recepcion/", "../0001/index.html", "%2e%2e/0001/index.html"]
        asked += ["..%2f0001/index.html", "espera/index.html", "gub", "gub/", "datos/", "assets", "estado.sqlite"]
        for ruta in asked:
            answer = client.get(ruta, headers={"accept-encoding": "identity"})
            assert answer.status_code == 404, ruta
            assert answer.headers["cache-control"] == "no-store"
            assert answer.content not in contents
            assert b"data-corte" not in answer.content
        assert b"data-corte" not in home.content


def test_before_the_start_no_url_returns_a_byte(escena: Escena) -> None:
    escena.sign(1)
    outcome = escena.receiver().run_once()
    assert (outcome.novedad, outcome.decision.estado) == (1, Estado.ESPERA)
    assert outcome.decision.revisa == INICIO
    assert_nothing_leaks(escena)


def test_clock_an_hour_fast_without_witness_does_not_open(escena: Escena) -> None:
    escena.sign(1)
    escena.clock.instant = INICIO + timedelta(seconds=1)  # the world's hour is still one less
    receiver = escena.receiver()
    for _ in range(2):
        assert receiver.run_once().decision.estado is Estado.ESPERA
    assert_nothing_leaks(escena)
    escena.repository.resign_timestamp(now=INICIO - timedelta(seconds=1), expires=INICIO + HOUR)
    assert receiver.run_once().decision.estado is Estado.ESPERA
    escena.repository.resign_timestamp(now=INICIO, expires=INICIO + HOUR)
    assert receiver.run_once().decision.corte == 1
    assert pointer.read(escena.workspace) == "0001"


def test_clock_measured_an_hour_fast_does_not_open(escena_factory: EscenaFactory) -> None:
    escena = escena_factory(identity=SIMULACRO, reloj='fuente = "simulado"\ndesfase_s = 3600.0')
    escena.sign(1)
    escena.clock.instant = INICIO + timedelta(seconds=1)
    assert escena.receiver().run_once().decision.estado is Estado.ESPERA
    assert pointer.read(escena.workspace) == "espera"


def test_clock_measured_within_limit_opens_without_witness(escena_factory: EscenaFactory) -> None:
    escena = escena_factory(identity=SIMULACRO, reloj='fuente = "simulado"\ndesfase_s = 0.4')
    escena.sign(1)
    escena.clock.instant = INICIO - timedelta(seconds=1)
    receiver = escena.receiver()
    assert receiver.run_once().decision.estado is Estado.ESPERA
    escena.clock.instant = INICIO
    assert receiver.run_once().decision.corte == 1


def test_slow_clock_waits_even_with_a_witness(escena: Escena) -> None:
    escena.sign(1)
    escena.repository.resign_timestamp(now=INICIO + HOUR, expires=INICIO + 2 * HOUR)
    assert escena.receiver().run_once().decision.estado is Estado.ESPERA


def test_clock_that_goes_back_does_not_blank_what_is_public(escena: Escena) -> None:
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    before = escena.public()
    escena.clock.instant = INICIO - HOUR
    receiver.run_once()
    assert escena.receiver().run_once().decision.corte == 1
    assert escena.public() == before


def test_start_comes_at_its_hour_and_not_at_the_next_poll(escena_factory: EscenaFactory) -> None:
    escena = escena_factory(identity=SIMULACRO, reloj='fuente = "simulado"\nsimulado = "reloj.json"')
    escena.sign(1)
    clock = SimulatedClock.start(INICIO - timedelta(seconds=60), 60.0)
    (escena.workspace.folder / "reloj.json").write_bytes(clock.dump())
    toml = escena.workspace.folder / "difusor.toml"
    toml.write_text(toml.read_text().replace("sondeo_s = 0.1", "sondeo_s = 60.0"))
    workspace = open_workspace(escena.workspace.folder)
    stop = threading.Event()
    heard: list[tuple[datetime, Outcome]] = []

    def tell(outcome: Outcome) -> None:
        heard.append((clock.now(), outcome))
        if outcome.decision.corte is not None:
            stop.set()

    thread = threading.Thread(target=receive_until, args=(workspace, stop), kwargs={"disk": Disk(), "tell": tell})
    thread.start()
    thread.join(15)
    stop.set()
    thread.join(15)
    hour, outcome = heard[-1]
    assert outcome.decision.corte == 1
    assert timedelta(0) <= hour - INICIO < timedelta(seconds=90)
    assert len(heard) == 2


def test_what_is_delivered_is_looked_at_at_once_and_not_at_the_next_poll(escena_factory: EscenaFactory) -> None:
    escena = escena_factory(identity=SIMULACRO, reloj='fuente = "simulado"\nsimulado = "reloj.json"')
    (escena.workspace.folder / "reloj.json").write_bytes(SimulatedClock.start(INICIO, 1.0).dump())
    toml = escena.workspace.folder / "difusor.toml"
    toml.write_text(toml.read_text().replace("sondeo_s = 0.1", "sondeo_s = 600.0"))
    stop, looked, heard = threading.Event(), threading.Event(), list[int | None]()

    def tell(outcome: Outcome) -> None:
        heard.append(outcome.novedad)
        looked.set()
        if outcome.novedad == 2:
            stop.set()

    workspace = open_workspace(escena.workspace.folder)
    thread = threading.Thread(target=receive_until, args=(workspace, stop), kwargs={"disk": Disk(), "tell": tell})
    thread.start()
    for number in (1, 2):
        assert looked.wait(15)
        looked.clear()
        escena.sign(number)
    thread.join(15)
    alive = thread.is_alive()
    stop.set()
    thread.join(15)
    assert not alive
    # The timestamp alone calls: whatever else is written there first, nobody looks at half a delivery.
    assert heard == [None, 1, 2]


TIEMPOS = Tiempos(INICIO, INICIO + 24 * HOUR, 120)
BASE = Situacion(
    now=INICIO,
    tiempos=TIEMPOS,
    reloj_fiable=False,
    testigo=None,
    corte=CorteListo(3, ultimo=False, proximo=INICIO + HOUR),
    ya_publico=False,
)


@pytest.mark.parametrize(
    ("now", "fiable", "testigo", "lifted"),
    [
        (-1, True, INICIO + HOUR, False),
        (0, True, None, True),
        (0, False, None, False),
        (0, False, INICIO - timedelta(microseconds=1), False),
        (0, False, INICIO, True),
    ],
)
def test_embargo_table(now: int, fiable: bool, testigo: datetime | None, lifted: bool) -> None:  # noqa: FBT001
    situation = replace(BASE, now=INICIO + timedelta(seconds=now), reloj_fiable=fiable, testigo=testigo)
    assert embargo_lifted(situation) is lifted
    assert (decide(situation).corte == 3) is lifted


def test_states_after_the_start() -> None:
    public = replace(BASE, ya_publico=True)
    due = INICIO + HOUR + timedelta(seconds=120)
    assert decide(public).estado is Estado.PUBLICADO
    assert decide(public).revisa == due
    assert decide(replace(public, now=due)).estado is Estado.PUBLICADO
    late = decide(replace(public, now=due + timedelta(seconds=1)))
    assert (late.estado, late.corte) == (Estado.ATRASADO, 3)
    last = decide(replace(public, now=due + HOUR, corte=CorteListo(4, ultimo=True, proximo=None)))
    assert (last.estado, last.corte) == (Estado.CERRADO, 4)
    ended = decide(replace(public, now=INICIO + 25 * HOUR))
    assert (ended.estado, ended.corte) == (Estado.CERRADO, 3)
    held = decide(replace(public, suspendido=True))
    assert (held.estado, held.corte) == (Estado.SUSPENDIDO, None)
    assert decide(replace(BASE, suspendido=True, now=INICIO - HOUR)).estado is Estado.ESPERA
    assert decide(replace(BASE, reloj_fiable=True, corte=None)).estado is Estado.ESPERA
