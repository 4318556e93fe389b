"""What was decided reaches every object store and its edge, and nothing of that holds reception or another store."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base import procesos
from pregon.base.clock import SimulatedClock, SystemClock
from pregon.difusor import pointer
from pregon.difusor.acuse import Acuses
from pregon.difusor.cumplimiento.mediciones import mide
from pregon.difusor.cumplimiento.registros import reune
from pregon.difusor.decide import Estado
from pregon.difusor.night import Noche
from pregon.difusor.nube.instancia import Instancia
from pregon.difusor.nube.servicio import CIERRA_S, INTENTOS
from pregon.difusor.pages import AVISOS
from pregon.difusor.panel.foto import toma
from pregon.difusor.report import estado
from pregon.difusor.vigilancia.observa import Observador
from pregon.difusor.vigilancia.revisiones import de_memoria
from pregon.trust.acuse import read_acuse, verify_chain
from tests.difusor.conftest import files_of
from tests.difusor.nube.playa import Aduana, hasta, playa
from tests.difusor.test_opera import RELOJ, SIMULACRO
from tests.red.servidores.s3 import DEPOSITO, compartido
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.difusor.cumplimiento.evidencia import Medicion
    from pregon.difusor.receive import Outcome, Receiver
    from tests.difusor.conftest import Escena, EscenaFactory
    from tests.difusor.nube.playa import Playa
    from tests.red.paso import Peticion

pytestmark = pytest.mark.xdist_group("nube")

PRONTO_S = 30.0
LARGO = {f"datos/{{corte:04d}}/gub/{n:03d}.json": b'{"x": %d}\n' % n * 90 for n in range(40)}


@pytest.fixture
def costa(escena: Escena) -> Iterator[Playa]:
    made = playa(escena)
    yield made
    made.vacia()


@contextmanager
def difusor(costa: Playa) -> Iterator[Receiver]:
    receiver = costa.escena.receiver()
    try:
        yield receiver
    finally:
        receiver.close()


def despacio(_: Peticion) -> None:
    """What is asked of a slow store."""
    time.sleep(0.4)


def events(escena: Escena, kind: str) -> list[dict[str, Any]]:
    return [event.dato for event in escena.state().events() if event.tipo == kind]


def pasada(receiver: Receiver) -> Outcome:
    """A pass, and until every store shows it."""
    outcome = receiver.run_once()
    assert outcome.error is None
    assert receiver.completa(outcome.decision, PRONTO_S) == ()
    return outcome


def visibles(escena: Escena) -> list[dict[str, Any]]:
    """The acuses «visible», as the institute reads them, with the whole chain right."""
    acuses = Acuses(escena.workspace, escena.disk)
    read = [read_acuse(path.read_bytes(), acuses.public_key) for path in acuses.files()]
    verify_chain(read, read[0].emisor)
    return [acuse.payload for acuse in read if acuse.evento == "visible"]


def test_nothing_at_all_reaches_the_store_before_the_start_and_then_everything(costa: Playa) -> None:
    """Not even a question (design §3, Embargo; INE-II-a-i-2)."""
    escena = costa.escena
    with Aduana(compartido().puerto) as post:
        target = costa.agrega("uno", extremo=post.url)
        escena.sign(1)
        with difusor(costa) as receiver:
            outcome = receiver.run_once()
            assert (outcome.novedad, outcome.decision.estado) == (1, Estado.ESPERA)
            assert receiver.completa(outcome.decision, 5.0) == ()
            # A suspension before the start asks for nothing there either.
            escena.aviso("suspension")
            assert receiver.run_once().decision.estado is Estado.ESPERA
            escena.aviso("reinstalacion")
            receiver.run_once()
            assert (post.todas, target.objetos()) == ([], {})
            assert target.corte() is None
            escena.clock.instant = INICIO
            escena.sign(2)
            assert pasada(receiver).decision.corte == 2
        assert target.cortes() == {2}
        assert {ruta for ruta in target.objetos() if ruta.startswith("datos/")} >= {"datos/0002/gub/entidad.json"}
        kept = {asked.ruta for asked in post.todas if "historico" in asked.ruta}
        assert kept == {f"/{DEPOSITO}/{target.prefijo}/historico/publica.json"}, "of the history, nothing"


def test_an_open_page_finds_its_data_for_as_many_cuts_as_at_our_own_server(costa: Playa) -> None:
    """Design §3: the three cuts before stay reachable in the bucket too, whatever was accepted since the start."""
    escena = costa.escena
    target = costa.agrega("uno")
    with difusor(costa) as receiver:
        for corte in range(1, 8):
            escena.cut(corte)
            pasada(receiver)
            there = {ruta.split("/")[1] for ruta in target.objetos() if ruta.startswith("datos/")}
            assert there == {f"{n:04d}" for n in range(max(1, corte - 3), corte + 1)}


def test_each_store_goes_by_itself_and_the_one_that_fails_is_named(costa: Playa) -> None:
    escena = costa.escena
    with Aduana(compartido().puerto) as post:
        post.regla = lambda _: 403
        good = costa.agrega("buena")
        bad = costa.agrega("mala", extremo=post.url)
        blind = costa.agrega("sin-borde", sin_borde=True)
        escena.cut(1)
        with difusor(costa) as receiver:
            started = time.monotonic()
            outcome = receiver.run_once()
            assert time.monotonic() - started < 5, "reception waited for a store"
            assert pointer.read(escena.workspace) == "0001"
            left = receiver.completa(outcome.decision, PRONTO_S)
            assert [each.nombre for each in left] == ["mala"]
            assert left[0].error is not None
            assert (left[0].error.codigo, left[0].error.intentos) == ("DESTINO", INTENTOS)
            assert good.cortes() == {1}
            assert len(blind.objetos()) == len(good.objetos()) > 5
            assert bad.objetos() == {}
            # What the good ones show is told: the one that fails holds nobody back, and is named.
            (acuse,) = visibles(escena)
            shown = {each["nombre"]: each["visible"] is not None for each in acuse["nube"]}
            assert shown == {"buena": True, "mala": False, "sin-borde": False}
            assert [each.get("falla") for each in acuse["nube"]] == [None, "DESTINO", None]
            assert datetime.fromisoformat(acuse["hora"]).isoformat() == acuse["nube"][0]["visible"]
            told = [fact["nombre"] for fact in events(escena, "nube_falla")]
            assert told == ["mala"], "told once"

            # Whoever asks is told which one, since when and why.
            report = estado(escena.workspace, escena.libro, escena.clock.now())
            rows = {row["nombre"]: row for row in report["nube"]}
            assert (rows["buena"]["corte"], rows["buena"]["error"], rows["buena"]["pendiente"]) == (1, None, None)
            assert (rows["mala"]["corte"], rows["mala"]["pendiente"]["que"]) == (None, "0001")
            assert rows["mala"]["error"]["codigo"] == "DESTINO"
            (text,) = (each["texto"] for each in report["avisos"] if each["codigo"] == "NUBE")
            assert text.startswith("La nube «mala» falla (DESTINO): No se pudo ")
            assert alarmas(escena) == {}
            escena.clock.instant += timedelta(minutes=4)
            assert alarmas(escena) == {"NUBE": ["mala"]}
            line = next(each for each in foto(escena).datos if each.clave == "nube")
            assert (line.valor, line.tono) == ("2 de 3 al día", "mal")
            assert line.detalle.startswith("mala: No se pudo ")

            # Healed: it completes by itself; the acuse of the next cut has the times of each.
            post.libre()
            hasta(lambda: all(each.al_dia for each in receiver.nube.estado()), "healed", 40)
            assert bad.cortes() == {1}
            assert alarmas(escena) == {}
            receiver.run_once()
            assert len(visibles(escena)) == 1, "one for each cut"
            escena.cut(2)
            pasada(receiver)
        assert bad.cortes() == {2}
        _, acuse = visibles(escena)
        assert {"evento", "hora", "segundos", "anterior", "manifiesto_sha256"} <= acuse.keys()
        times = {each["nombre"]: each for each in acuse["nube"]}
        assert list(times) == ["buena", "mala", "sin-borde"]
        for name, each in times.items():
            assert each["publica"] == (None if name == "sin-borde" else costa.destinos[name].url)
            steps = [each["pedido"], each["subido"], each["purgado"], each["visible"]]
            assert all(steps[:2])
            assert (steps[2:] == [None, None]) is (name == "sin-borde")
            assert [step for step in steps if step] == sorted(step for step in steps if step)
            assert each["objetos"] > 0
        last = max(each["visible"] for each in times.values() if each["visible"])
        assert datetime.fromisoformat(acuse["hora"]) == datetime.fromisoformat(last)
        visible = events(escena, "nube_visible")
        assert sorted(fact["nombre"] for fact in visible) == sorted(["buena", "mala", "sin-borde"] * 2)


def test_nothing_is_said_to_be_seen_while_every_store_fails(costa: Playa) -> None:
    escena = costa.escena
    with Aduana(compartido().puerto) as post:
        post.regla = lambda _: 403
        costa.agrega("una", extremo=post.url)
        costa.agrega("otra", extremo=post.url)
        escena.cut(1)
        with difusor(costa) as receiver:
            left = receiver.completa(receiver.run_once().decision, PRONTO_S)
            assert [each.nombre for each in left] == ["una", "otra"]
            receiver.run_once()
        assert visibles(escena) == []


def test_a_machine_that_was_replaced_says_so_at_once(costa: Playa) -> None:
    """Nothing mends it but a person: the alarm does not wait, and the place stays as the newer machine left it."""
    escena = costa.escena
    target = costa.agrega("uno")
    with difusor(costa) as receiver:
        escena.cut(1)
        pasada(receiver)
        other = Instancia("f" * 16, "f" * 16, SystemClock().now() + timedelta(minutes=1))
        compartido().orden("PUT", target.prefijo, "historico/publica.json", data=other.to_bytes())
        there = target.objetos()
        escena.cut(2)
        outcome = receiver.run_once()
        assert pointer.read(escena.workspace) == "0002", "what this machine serves goes on"
        (left,) = receiver.completa(outcome.decision, PRONTO_S)
        assert left.error is not None
        assert left.error.codigo == "INSTANCIA"
        assert alarmas(escena) == {"NUBE": ["uno"]}
        assert (target.objetos(), target.cortes()) == (there, {1})
    assert [each["corte"] for each in visibles(escena)] == [1]


def alarmas(escena: Escena) -> dict[str, Any]:
    observador = Observador(escena.workspace, escena.clock, escena.clock)
    view = observador.completa(observador.equipo(), escena.libro)
    found = (each for codes, check in de_memoria() if "NUBE" in codes for each in check(view, escena.workspace))
    return {each.codigo: each.detalle["nombres"] for each in found}


def foto(escena: Escena) -> Any:
    return toma(
        escena.workspace,
        escena.libro,
        escena.clock.now(),
        eventos=list,
        alarmas=list,
        pronostico=lambda: None,  # type: ignore[arg-type,return-value] # of another part of the page
    )


def test_suspension_shows_the_page_and_takes_results_away_and_reinstatement_brings_them_back(costa: Playa) -> None:
    """MEX-I-13: also at the edge, and at once."""
    escena = costa.escena
    target = costa.agrega("uno")
    with difusor(costa) as receiver:
        escena.cut(1)
        pasada(receiver)
        before = target.objetos()
        assert target.cortes() == {1}
        escena.aviso("suspension", texto="Por revisión.")
        assert pasada(receiver).decision.estado is Estado.SUSPENDIDO
        cover = target.pide("")
        assert cover.status_code == 200
        assert cover.content == (escena.workspace.cortes / "aviso" / "index.html").read_bytes()
        for ruta in ("gub/", "gub/index.html", "corte.json", "manifiesto.json"):
            assert target.pide(ruta).status_code == 404, ruta
            assert f"{ruta}index.html" not in target.objetos()
        row = estado(escena.workspace, escena.libro, escena.clock.now())["nube"][0]
        assert (row["muestra"], row["corte"], row["pendiente"]) == ("aviso", None, None)
        # A cut that comes meanwhile is received, and does not appear there.
        escena.cut(2)
        assert receiver.run_once().novedad == 2
        assert receiver.nube.espera(PRONTO_S) == ()
        assert target.pide("").content == cover.content
        assert "datos/0002/gub/entidad.json" not in target.objetos()
        escena.aviso("reinstalacion")
        assert pasada(receiver).decision.corte == 2
        assert target.cortes() == {2}
        assert (
            target.pide("manifiesto.json").content == (escena.repository.cut_folder(2) / "manifiesto.json").read_bytes()
        )
        assert {ruta for ruta in before if not ruta.startswith(("datos/", "assets/"))} <= target.objetos().keys()
    assert [each["corte"] for each in visibles(escena)] == [1, 2]


def test_the_report_of_compliance_counts_what_a_real_edge_was_purged_of(costa: Playa) -> None:
    """INE-II-a-i-2: by the acuses of a real store behind a real Varnish, and never by those that there are not."""
    escena = costa.escena

    def purga() -> Medicion:
        return mide(reune(escena.workspace, clock=escena.clock, disk=escena.disk))["PURGA"]

    with Aduana(compartido().puerto) as post:
        costa.agrega("uno", extremo=post.url)
        with difusor(costa) as receiver:
            assert (purga().estado, purga().cifra) == ("pendiente", None)
            for corte in (1, 2):
                escena.cut(corte)
                pasada(receiver)
            assert (purga().estado, purga().cifra) == ("pendiente", "2 de 2 cortes")
            post.regla = lambda _: 403
            escena.cut(3)
            assert receiver.completa(receiver.run_once().decision, PRONTO_S) != ()
            assert (purga().estado, purga().cifra) == ("pendiente", "2 de 3 cortes")
            assert "de 3 no consta" in purga().dicho
            post.libre()
            hasta(lambda: all(each.al_dia for each in receiver.nube.estado()), "healed", 40)
            receiver.run_once()
            escena.clock.instant = escena.workspace.convocatoria.fin_actualizacion + timedelta(minutes=1)
            found = purga()
            assert (found.estado, found.cifra) == ("cumple", "3 de 3 cortes")
            assert found.evidencia[0].archivo == next(
                f"acuses/{path.name}" for path in Acuses(escena.workspace, escena.disk).files()
                if path.name.endswith("-0003-visible.json")
            )  # fmt: skip


@pytest.mark.aguante
def test_only_the_newest_matters_to_a_store_that_is_slow(costa: Playa) -> None:
    escena = costa.escena
    with Aduana(compartido().puerto) as post:
        target = costa.agrega("lenta", extremo=post.url)
        with difusor(costa) as receiver:
            escena.cut(1)
            pasada(receiver)
            post.regla = despacio
            for corte in (2, 3, 4):
                hora = INICIO + INTERVALO * corte
                many = {ruta.format(corte=corte): data for ruta, data in LARGO.items()}
                escena.cut(corte, {**files_of(corte, hora), **many})
                started = time.monotonic()
                assert receiver.run_once().novedad == corte
                assert time.monotonic() - started < 5
                assert pointer.read(escena.workspace) == f"{corte:04d}"
                assert target.cortes() == {1}, "the edge shows one whole cut meanwhile"
                time.sleep(0.3)
            post.libre()
            assert receiver.nube.espera(PRONTO_S) == ()
            receiver.run_once()
        assert target.cortes() == {4}
        assert [fact["que"] for fact in events(escena, "nube_visible")] == ["0001", "0004"]
        assert not events(escena, "nube_falla"), "to be overtaken is no failure"
    assert [each["corte"] for each in visibles(escena)] == [1, 4]


def test_the_closing_cut_stays(costa: Playa) -> None:
    escena = costa.escena
    target = costa.agrega("uno")
    with difusor(costa) as receiver:
        escena.cut(1)
        pasada(receiver)
        escena.cut(2, ultimo=True, cierre="horario", proximo=None)
        assert pasada(receiver).decision.estado is Estado.CERRADO
        last = target.objetos()
    escena.clock.instant = INICIO + timedelta(days=60)
    with difusor(costa) as receiver:
        assert receiver.run_once().decision.estado is Estado.CERRADO
        assert receiver.nube.espera(PRONTO_S) == ()
    assert target.objetos() == last
    assert target.cortes() == {2}


def test_what_somebody_altered_in_the_bucket_is_put_back_at_the_next_start(costa: Playa) -> None:
    escena = costa.escena
    target = costa.agrega("uno")
    escena.cut(1)
    with difusor(costa) as receiver:
        pasada(receiver)
    right = target.objetos()
    server = compartido()
    server.orden("PUT", target.prefijo, "gub/index.html", data=b"<h1>Otra cosa</h1>")
    server.orden("DELETE", target.prefijo, "corte.json")
    assert target.objetos() != right
    with difusor(costa) as receiver:
        pasada(receiver)
    assert target.objetos() == right
    assert target.cortes() == {1}
    (fact,) = events(escena, "nube_repuesta")
    assert (fact["nombre"], fact["objetos"]) == ("uno", 2)
    assert len(events(escena, "nube_visible")) == 1


def test_an_announced_delay_reaches_the_store_without_another_cut(costa: Playa) -> None:
    escena = costa.escena
    target = costa.agrega("uno")
    with difusor(costa) as receiver:
        escena.cut(1)
        pasada(receiver)
        assert target.pide(AVISOS).json()["vigentes"] == []
        escena.aviso("retraso", ("*",), texto="Llegará tarde.", hasta=escena.clock.now() + INTERVALO)
        pasada(receiver)
        assert [each["texto"] for each in target.pide(AVISOS).json()["vigentes"]] == ["Llegará tarde."]
        assert target.cortes() == {1}
    since = estado(escena.workspace, escena.libro, escena.clock.now())["nube"][0]["desde"]
    assert datetime.fromisoformat(since) <= INICIO + INTERVALO + timedelta(minutes=1)


def test_the_same_night_goes_on_with_other_targets(costa: Playa) -> None:
    """SIGHUP with another ``[[nube]]``: the new one gets everything, and no two threads write in one place."""
    escena = costa.escena
    one = costa.agrega("uno")
    escena.cut(1)
    night = Noche(escena.workspace, clock=escena.clock, state=escena.state(), disk=escena.disk)
    told: list[Outcome] = []
    night.pasada(told.append)
    two = costa.agrega("dos")
    night.adopta(escena.workspace)
    escena.cut(2)
    night.pasada(told.append)
    assert [each.novedad for each in told] == [1, 2]
    hasta(lambda: {one.corte(), two.corte()} == {2}, "both")
    costa.escribe("dos")
    night.adopta(escena.workspace)
    escena.cut(3)
    night.pasada(told.append)
    hasta(lambda: two.corte() == 3, "the one that stays")
    night.pasada(told.append)
    night.termina()
    assert one.cortes() == {2}, "nobody publishes there any more, and nothing of it was taken away"
    assert [row["nombre"] for row in estado(escena.workspace, escena.libro, escena.clock.now())["nube"]] == ["dos"]


def test_who_takes_the_place_of_a_thread_that_hangs_waits_for_it(costa: Playa) -> None:
    """One writer for each place: what the old one still has on its way must not land over what the new one puts."""
    escena, free = costa.escena, threading.Event()
    with Aduana(compartido().puerto) as post:
        one = costa.agrega("uno", extremo=post.url)
        escena.cut(1)
        night = Noche(escena.workspace, clock=escena.clock, state=escena.state(), disk=escena.disk)
        post.regla = lambda _: free.wait(PRONTO_S) and None
        night.pasada(lambda _: None)
        hasta(lambda: post.todas, "the first request")
        asked = len(post.todas)
        costa.agrega("dos")
        started = time.monotonic()
        night.adopta(escena.workspace)
        night.pasada(lambda _: None)
        assert time.monotonic() - started < CIERRA_S, "nor does the loop wait for it"
        hasta(lambda: costa.destinos["dos"].corte() == 1, "the other target")
        assert len(post.todas) == asked
        free.set()
        hasta(lambda: one.corte() == 1, "the one that waited")
        night.termina()


# Processes.


def noche(factory: EscenaFactory) -> Playa:
    """A simulacro an hour after its start with a cut signed: real processes share its clock."""
    escena = factory(identity=SIMULACRO, reloj=RELOJ)
    clock = SimulatedClock.start(INICIO + timedelta(hours=1), 1.0)
    (escena.workspace.folder / "reloj.json").write_bytes(clock.dump())
    made = playa(escena)
    escena.cut(1)
    return made


def orden(escena: Escena, *words: str) -> list[Any]:
    return [sys.executable, "-m", "pregon", "difusor", words[0], escena.workspace.folder, *words[1:]]


def corrida(escena: Escena, *words: str) -> tuple[int, str]:
    output = escena.folder / f"{words[0]}.out"
    with procesos.running(orden(escena, *words), output=output) as process:
        status = process.wait(60)
    return status or 0, output.read_text()


def test_one_pass_ends_when_every_store_shows_it_or_says_which_does_not(escena_factory: EscenaFactory) -> None:
    costa = noche(escena_factory)
    escena = costa.escena
    try:
        target = costa.agrega("uno")
        assert corrida(escena, "recibe", "--una-vez")[0] == 0
        assert target.cortes() == {1}
        assert len(visibles(escena)) == 1
        with Aduana(compartido().puerto) as post:
            post.regla = lambda _: 403
            costa.agrega("dos", extremo=post.url)
            escena.cut(2)
            status, text = corrida(escena, "recibe", "--una-vez")
        assert status == 69
        assert "Corte 2 verificado." in text
        assert "«dos» (No se pudo" in text
        assert "«uno»" not in text
        assert target.cortes() == {2}
        assert pointer.read(escena.workspace) == "0002"
        shown = [{each["nombre"]: each.get("falla") for each in acuse["nube"]} for acuse in visibles(escena)]
        assert shown == [{"uno": None}, {"uno": None, "dos": "DESTINO"}]
        rows = estado(escena.workspace, escena.libro, escena.clock.now())["nube"]
        assert [(row["nombre"], row["corte"], row["error"] is None) for row in rows] == [
            ("uno", 2, True),
            ("dos", None, False),
        ]
    finally:
        costa.vacia()


@pytest.mark.aguante
def test_the_service_ends_in_order_in_the_middle_of_an_upload(escena_factory: EscenaFactory) -> None:
    """What is left is done by the next start; the process ends well, and soon."""
    costa = noche(escena_factory)
    escena = costa.escena
    try:
        with Aduana(compartido().puerto) as post:
            target = costa.agrega("uno", extremo=post.url)
            post.regla = lambda _: "calla"  # longer than anybody waits for it
            output = escena.folder / "opera.out"
            with procesos.running(orden(escena, "opera"), output=output) as process:
                procesos.wait_until(lambda: bool(post.todas), process, timeout=30, what="the first request")
                started = time.monotonic()
                assert process.stop(grace=30) == 0, output.read_text()
                assert time.monotonic() - started < 12
            assert target.corte() is None
            post.libre()
            with difusor(costa) as receiver:
                assert pasada(receiver).decision.corte == 1
            assert target.cortes() == {1}
    finally:
        costa.vacia()
