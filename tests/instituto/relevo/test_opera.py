"""The night's service on a real PostgreSQL: it loses the turn in the middle of a cut, and nothing is signed twice."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from pregon.base.clock import ManualClock
from pregon.base.errors import InstanciaError
from pregon.base.servicio import Supervisor
from pregon.instituto.opera import noche, revisa_equipo
from pregon.instituto.opera.revisa import Encargo, revisa
from pregon.instituto.relevo import releva
from tests.instituto.conftest import tree_digest
from tests.instituto.relevo.conftest import hora

if TYPE_CHECKING:
    from tests.instituto.relevo.conftest import Pareja

_OPERA = '[opera]\nactas = "llegadas"\nreintenta_s = 0.0\nquieto_s = 0.0\nvigila = false\n'
_BLOQUEADA = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE %s"
ESPERA_S = 60.0


@pytest.fixture
def pareja(pareja_de_actas: Pareja) -> Pareja:
    """Machine ``a`` with a folder where files arrive, and a lease that is renewed every two seconds."""
    a = pareja_de_actas.a
    path = a / "instituto.toml"
    path.write_text(path.read_text().replace('maquina = "a"', 'maquina = "a"\narriendo_s = 5') + _OPERA)
    (a / "llegadas").mkdir()
    return pareja_de_actas


def llegan(pareja: Pareja, cut: int) -> None:
    for one in pareja.night.sources(hora(cut), votes="41"):
        shutil.copy(one.actas, pareja.a / "llegadas" / one.actas.name)


def espera_a_que_firme(pareja: Pareja, ended: threading.Event) -> None:
    """Until machine ``a`` asks the server for a version, and waits."""
    for _ in range(int(ESPERA_S / 0.05)):
        if pareja.sql(_BLOQUEADA, f"pregon:{pareja.esquema}:a%") != [(0,)]:
            return
        assert not ended.wait(0.05), "the service ended before"
    raise AssertionError("it never came to sign")


def test_who_loses_the_turn_in_the_middle_of_a_cut_ends_and_nothing_is_signed_twice(pareja: Pareja) -> None:
    difusor, stop, ended = pareja.difusor(), threading.Event(), threading.Event()
    a = pareja.abre("a")
    assert isinstance(a.clock, ManualClock)
    with a.signing():
        pass  # The server has what was signed.
    llegan(pareja, 2)
    a.clock.instant = hora(2) + timedelta(seconds=5)

    def opera() -> None:
        try:
            noche.opera(a, stop=stop, relee=threading.Event(), environment={}, supervisor=Supervisor())
        finally:
            ended.set()

    options = f"-c search_path={pareja.esquema}"
    with ThreadPoolExecutor(2) as pool, psycopg.connect(pareja.url, options=options) as lock:
        # The number is taken, and its documents wait for their versions.
        lock.execute("LOCK TABLE rol IN ACCESS EXCLUSIVE MODE")
        night = pool.submit(opera)
        try:
            espera_a_que_firme(pareja, ended)
            b = pareja.abre("b")
            taken = pool.submit(releva.releva, b, operador="Ana", motivo="la máquina a no responde", aunque_viva=True)
            error = night.exception(ESPERA_S)
        finally:
            stop.set()
            lock.rollback()
        passed = taken.result(ESPERA_S)
    assert isinstance(error, InstanciaError)
    assert error.salida == 75, "what systemd does not start again"
    # The number that it took is signed by the other machine, for the content that took it.
    assert (passed.ahora.maquina, passed.corte, [one.n for one in passed.terminados]) == ("b", 2, [2])
    assert difusor.mira(a.repositorio) == 1
    assert difusor.mira(b.repositorio) == 2
    assert pareja.night.cut(b, hora(4), votes="43").corte == 3
    assert difusor.mira(b.repositorio) == 3
    assert {number: signed for number, signed in pareja.firmados().items() if len(signed) != 1} == {}
    assert [name for name, texts in pareja.documentos().items() if len(texts) != 1] == []
    # Started again, it does not even begin.
    before = tree_digest(a.repositorio)
    with pytest.raises(InstanciaError):
        noche.opera(
            pareja.abre("a"),
            stop=threading.Event(),
            relee=threading.Event(),
            environment={},
            supervisor=Supervisor(),
        )
    assert tree_digest(a.repositorio) == before


def test_revisa_says_whose_the_night_is_and_looks_no_further_where_it_is_the_others(pareja: Pareja) -> None:
    (good,) = revisa_equipo.estado(pareja.abre("a"))
    assert (good.codigo, good.estado, good.arreglo) == ("ESTADO", "bien", None)
    assert "aún no tiene nada" in good.medido
    with pareja.abre("a").signing():
        pass
    (good,) = revisa_equipo.estado(pareja.abre("a"))
    assert good.medido == "responde, la noche es de esta máquina y tiene lo último firmado"
    pareja.sql("UPDATE vigente SET version = version - 1, dato = 'x'")
    (behind,) = revisa_equipo.estado(pareja.abre("a"))
    assert (behind.estado, behind.medido.startswith("tiene la versión")) == ("falla", True)
    pareja.sql("UPDATE turno SET maquina = 'b', epoca = epoca + 1")
    before = tree_digest(pareja.a / "repositorio")
    found = revisa(pareja.abre("a"), Encargo(), {})
    (lost,) = [one for one in found if one.codigo == "ESTADO"]
    assert (lost.estado, "«b»" in lost.medido) == ("falla", True)
    assert not [one for one in found if one.codigo in ("DESTINO", "EN_SECO", "LISTA")]
    assert tree_digest(pareja.a / "repositorio") == before
    (pareja.a / "estado.url").write_text("postgresql://nadie@127.0.0.1:9/nada\n")
    (dead,) = revisa_equipo.estado(pareja.abre("a"))
    assert (dead.estado, "no respondió" in dead.medido) == ("falla", True)
