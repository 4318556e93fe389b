"""Many at once: who is slow, dead or broken is late alone; the turn is fair; the cap is kept."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.base.clock import SystemClock
from pregon.base.errors import DestinoError, InstanciaError, RedError
from pregon.instituto.entrega.reparto import GRACIA_S, Encargo, Reglas, Reparto, order
from pregon.transport.caudal import Caudal
from pregon.trust.keys import KeyRing, generate, ring_names
from tests.instituto.entregas import MAPA, Campo
from tests.red.enlace import Enlace
from tests.red.servidores.sshd import HOST, Sshd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pregon.instituto.entrega.reparto import Resultado

PIECE = 64 << 10
names = st.lists(st.text("abcdef", min_size=1, max_size=3), min_size=1, max_size=8, unique=True)


@given(nombres=names, vuelta=st.integers(0, 9999), fallaron=st.sets(st.text("abcdef", min_size=1, max_size=3)))
def test_everybody_has_a_turn_and_those_that_failed_go_last(
    nombres: list[str], vuelta: int, fallaron: set[str]
) -> None:
    turn = order(nombres, vuelta=vuelta, fallaron=fallaron)
    assert sorted(turn) == sorted(nombres)
    failed = [name in fallaron for name in turn]
    assert failed == sorted(failed)


@given(nombres=names, vuelta=st.integers(0, 9999))
def test_in_as_many_cuts_as_difusores_each_is_once_at_every_place(nombres: list[str], vuelta: int) -> None:
    rounds = [order(nombres, vuelta=vuelta + n) for n in range(len(nombres))]
    for place in range(len(nombres)):
        assert sorted(turn[place] for turn in rounds) == sorted(nombres)


@dataclass
class Obra:
    """Deliveries that are functions, and what was seen of them."""

    caudal: Caudal = field(default_factory=lambda: Caudal(SystemClock()))
    ahora: int = 0
    maximo: int = 0
    comienzos: list[tuple[str, float]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def encargo(self, nombre: str, work: Callable[[int, Caudal], None]) -> Encargo[int]:
        def attempt(number: int, caudal: Caudal) -> int:
            with self.lock:
                self.comienzos.append((nombre, time.monotonic()))
                self.ahora += 1
                self.maximo = max(self.maximo, self.ahora)
            try:
                work(number, caudal)
            finally:
                with self.lock:
                    self.ahora -= 1
            return number

        return Encargo(nombre, attempt)

    def run(self, *encargos: Encargo[int], **rules: float) -> dict[str, Resultado[int]]:
        reglas = Reglas(
            a_la_vez=int(rules.get("a_la_vez", 2)),
            intentos=int(rules.get("intentos", 3)),
            plazo_s=rules.get("plazo_s", 5.0),
            espera_s=rules.get("espera_s", 0.02),
            lenta_s=0.2,
        )
        round_ = Reparto[int](SystemClock(), self.caudal, reglas)
        return {result.nombre: result for result in round_.run(encargos)}


def sends(pieces: int, *, every_s: float = 0.01) -> Callable[[int, Caudal], None]:
    def work(_: int, caudal: Caudal) -> None:
        for _piece in range(pieces):
            time.sleep(caudal.reserve(PIECE) + every_s)

    return work


def fails(times: int, error: Exception) -> Callable[[int, Caudal], None]:
    def work(number: int, caudal: Caudal) -> None:
        caudal.reserve(10)
        if number < times:
            raise error

    return work


def silent(released: threading.Event) -> Callable[[int, Caudal], None]:
    return lambda _number, _caudal: (released.wait(30), None)[1]


RED = RedError("se cortó", intacto="nada", que_hacer="nada")
DESTINO = DestinoError("disco lleno", intacto="nada", que_hacer="nada")


def test_no_more_at_once_than_were_allowed_while_all_make_progress() -> None:
    obra = Obra()
    results = obra.run(*(obra.encargo(f"d{n}", sends(40)) for n in range(6)), a_la_vez=2)
    assert obra.maximo == 2
    assert all(result.error is None and result.bytes == 40 * PIECE for result in results.values())
    assert [name for name, _ in obra.comienzos] == [f"d{n}" for n in range(6)], "started in the order given"


def test_dead_and_dripping_ones_keep_no_slot_and_end_at_their_own_deadline() -> None:
    obra, released = Obra(), threading.Event()

    def drips(_: int, caudal: Caudal) -> None:
        while True:
            caudal.reserve(100)
            time.sleep(0.05)

    begun = time.monotonic()
    results = obra.run(
        obra.encargo("muerto", silent(released)),
        obra.encargo("gotea", drips),
        *(obra.encargo(f"d{n}", sends(10)) for n in range(4)),
        a_la_vez=2,
        plazo_s=1.5,
        intentos=1,
    )
    released.set()
    good = {name for name, result in results.items() if result.error is None}
    assert good == {f"d{n}" for n in range(4)}
    assert max(when for name, when in obra.comienzos if name in good) - begun < 1.2
    # One sees its deadline at its next piece; the other never comes back and is left behind.
    for name, limit in (("gotea", 1.5 + 0.6), ("muerto", 1.5 + GRACIA_S + 0.6)):
        error = results[name].error
        assert isinstance(error, RedError)
        assert "plazo" in error.que_paso
        assert 1.5 <= results[name].segundos < limit
    assert 0 < results["gotea"].bytes < 10_000


def test_only_the_link_is_tried_again_and_a_retry_goes_after_first_attempts() -> None:
    obra = Obra()
    results = obra.run(
        obra.encargo("se-corta", fails(2, RED)),
        obra.encargo("siempre", fails(9, RED)),
        obra.encargo("lleno", fails(9, DESTINO)),
        obra.encargo("defecto", fails(9, KeyError("x"))),
        obra.encargo("bien", fails(0, RED)),
        a_la_vez=1,
    )
    told = {name: (r.error is None, r.intentos, r.bytes) for name, r in results.items()}
    assert told == {
        "se-corta": (True, 3, 30),
        "siempre": (False, 3, 30),
        "lleno": (False, 1, 10),
        "defecto": (False, 1, 10),
        "bien": (True, 1, 10),
    }
    assert results["lleno"].error is DESTINO
    assert results["defecto"].error is not None
    assert results["defecto"].error.codigo == "COMPROBACION"
    assert [name for name, _ in obra.comienzos][:5] == ["se-corta", "siempre", "lleno", "defecto", "bien"]


@pytest.mark.parametrize(("chance", "waits"), [(0.0, (0.05, 0.1)), (0.999, (0.15, 0.3))])
def test_waits_grow_and_are_never_the_same_for_two(chance: float, waits: tuple[float, float]) -> None:
    obra = Obra()
    rules = Reglas(a_la_vez=1, intentos=3, plazo_s=5, espera_s=0.1)
    Reparto[int](SystemClock(), obra.caudal, rules, azar=lambda: chance).run([obra.encargo("a", fails(9, RED))])
    first, second, third = (when for _, when in obra.comienzos)
    assert waits[0] <= second - first < waits[0] + 0.1
    assert waits[1] <= third - second < waits[1] + 0.15


def test_place_where_another_delivers_is_waited_for_without_spending_attempts() -> None:
    obra = Obra()
    busy = InstanciaError("otro", intacto="nada", que_hacer="nada")
    asked: list[int] = []

    def work(number: int, _: Caudal) -> None:
        asked.append(number)
        if len(asked) < 3:
            raise busy

    assert obra.run(obra.encargo("a", work), intentos=1)["a"].error is None
    assert asked == [0, 0, 0]


def test_cap_is_of_all_together() -> None:
    rate = 2_000_000
    obra = Obra(Caudal(SystemClock(), rate, a_la_vez=4))
    begun = time.monotonic()
    results = obra.run(*(obra.encargo(f"d{n}", sends(8, every_s=0)) for n in range(5)), a_la_vez=4)
    seconds = time.monotonic() - begun
    total = sum(result.bytes for result in results.values())
    assert total == 5 * 8 * PIECE
    assert total / rate - 0.2 <= seconds < total / rate + 1.5


# The same with real servers: SFTP to OpenSSH behind relays that drip, are dead, or cut.


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def campo(tmp_path: Path) -> Campo:
    return Campo.make(tmp_path, KeyRing(tuple(generate(name) for name in ring_names())))


def by_sftp(campo: Campo, sshd: Sshd, difusor: str, link: Enlace) -> dict[str, object]:
    known = sshd.conocidos(campo.escena.folder / f"{difusor}.known_hosts", link.puerto)
    node = campo.nodo(difusor)
    url = f"sftp://{sshd.usuario}@{HOST}:{link.puerto}{node.entrada}"
    return {**node.tabla, "url": url, "llave": sshd.llave, "anfitriones": known}


def mends(link: Enlace) -> None:
    while link.cortes == 0:
        time.sleep(0.01)
    time.sleep(0.1)
    link.abre()


def test_two_bad_links_delay_no_other_difusor(campo: Campo, sshd: Sshd) -> None:
    campo.corte(1)
    with Enlace(HOST, sshd.puerto) as dead, Enlace(HOST, sshd.puerto) as slow, Enlace(HOST, sshd.puerto) as good:
        dead.calla()
        slow.ritmo(9_000)
        tables = [by_sftp(campo, sshd, "a-muerto", dead), by_sftp(campo, sshd, "b-gotea", slow)]
        tables += [by_sftp(campo, sshd, f"d{n}", good) for n in range(4)]
        # Cut 1 of 6 begins at the second: the dead one is last by its turn, the dripping one first.
        space = campo.espacio(*tables, a_la_vez=1, plazo_s=3.0, intentos=1)
        lines = campo.entrega(space)
        again = campo.entrega(campo.espacio(*tables, a_la_vez=1, plazo_s=0.5, intentos=1), "a-muerto", "d0")
        dead.cierra()
    assert next(iter(lines)) == "b-gotea/principal"
    assert {name: line.codigo for name, line in lines.items()} == {
        "a-muerto/principal": "RED",
        "b-gotea/principal": "RED",
        **{f"d{n}/principal": "ENTREGADO" for n in range(4)},
    }
    assert list(again) == ["d0/principal", "a-muerto/principal"], "who failed lately goes to the end"
    for n in range(4):
        assert lines[f"d{n}/principal"].segundos < 2.9
        assert campo.nodos[f"d{n}/principal"].recibe() == 1
    # What did not arrive whole has no name there that anybody reads.
    assert not [ruta for ruta in campo.nodos["b-gotea/principal"].archivos if ruta.endswith("timestamp.json")]


def test_cut_link_is_tried_again_until_it_holds(campo: Campo, sshd: Sshd) -> None:
    campo.corte(1)
    with Enlace(HOST, sshd.puerto) as link:
        table = by_sftp(campo, sshd, "diario-uno", link)
        link.corta_tras(MAPA // 2)
        mending = threading.Thread(target=mends, args=(link,))
        mending.start()
        line = campo.entrega(campo.espacio(table, intentos=12))["diario-uno/principal"]
        mending.join()
        assert link.cortes == 1
    assert (line.codigo, line.corte) == ("ENTREGADO", 1)
    assert line.intentos > 1
    assert campo.nodos["diario-uno/principal"].recibe() == 1


def test_other_port_is_tried_when_nobody_answers_at_the_first(campo: Campo, sshd: Sshd) -> None:
    campo.corte(1)
    with Enlace(HOST, sshd.puerto) as closed, Enlace(HOST, sshd.puerto) as open_:
        closed.cierra()
        table = {**by_sftp(campo, sshd, "diario-uno", closed), "puertos": [open_.puerto]}
        known = campo.escena.folder / "diario-uno.known_hosts"
        known.write_text(known.read_text() + sshd.conocidos(known.with_suffix(".otro"), open_.puerto).read_text())
        line = campo.entrega(campo.espacio(table))["diario-uno/principal"]
        assert open_.conexiones > 0
    assert (line.codigo, line.intentos) == ("ENTREGADO", 2)
