"""The process dies (SIGKILL) before each write: no warning is lost or repeated unknown, no order is signed twice."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pregon.instituto.proceso.avisa import Proceso
from pregon.instituto.workspace import Workspace
from tests.instituto.proceso.casa import OPERADORA, RADIO, TELE
from tests.red.blancos import EstadoMortal, Pasos, killed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.instituto.proceso.casa import Casa


@dataclass(frozen=True)
class Mortal(Workspace):
    """A workspace in whose state database a process dies."""

    pasos: Pasos

    def state(self) -> EstadoMortal:
        return EstadoMortal(self.folder / "estado.sqlite", self.clock, self.pasos)


def mortal(casa: Casa, steps: Pasos) -> Proceso:
    space = casa.espacio
    return Proceso(Mortal(space.folder, space.settings, space.convocatoria, space.clock, space.disk, steps))


def cierra(casa: Casa, process: Proceso, indice: int) -> None:
    seen = [casa.visto(RADIO, indice, "inaccesible"), casa.visto(TELE, indice)]
    process.cierra(casa.periodos(indice + 1), seen)


def cada_muerte(casa: Casa, folder: Path, work: Callable[[Casa, Proceso], None], check: Callable[[Casa], None]) -> int:
    """Do ``work`` in copies of the institute, dying before each write in turn; then do it again whole, and ``check``.

    How many deaths there were.
    """
    deaths = 0
    while True:
        case = replace(casa, folder=folder)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(casa.folder, folder)
        casa.correo.recibidos.clear()
        casa.gancho.recibidos.clear()
        died = killed(lambda steps, case=case: work(case, mortal(case, steps)), Pasos(deaths))  # type: ignore[misc]
        if died:
            work(case, case.proceso())
        check(case)
        if not died:
            return deaths
        deaths += 1


def entregas(casa: Casa, ident: str) -> None:
    """Each channel took it; it came once, but where a death left it in doubt: then once more, with the same id."""
    events = [one.dato for one in casa.eventos("advertencia") if one.dato["id"] == ident]
    assert [one["fase"] for one in events].count("redactada") == 1
    channels = next(one["canales"] for one in events if one["fase"] == "redactada")
    taken = Counter(one["canal"] for one in events if one["fase"] == "aceptada")
    assert taken == Counter(channels)
    doubts = Counter(one["canal"].split()[0] for one in events if one["fase"] == "en_duda")
    mails = [one for one in casa.correo.recibidos if ident in one.mensaje["message-id"]]
    calls = [one for one in casa.llamados() if one["clave"] == ident]
    people = sum("contacto" in name for name in channels)
    assert len({one.para for one in mails}) == people
    assert people <= len(mails) <= people + doubts["correo"]
    assert 1 <= len(calls) <= 1 + doubts["webhook"]


def test_warning_survives_a_death_before_each_write(casa: Casa, tmp_path: Path) -> None:
    casa.en(1, 0.1)

    def work(case: Casa, process: Proceso) -> None:
        cierra(case, process, 0)
        process.atiende()

    def check(case: Casa) -> None:
        assert Counter(one.dato["difusor"] for one in case.eventos("periodo")) == Counter([RADIO, TELE])
        assert case.proceso().diario.cuenta(RADIO).seguidas == 1
        entregas(case, "A0000-radio-uno")

    assert cada_muerte(casa, tmp_path / "caso", work, check) == 9


def test_order_is_signed_once_whatever_write_it_dies_before(casa: Casa, tmp_path: Path) -> None:
    casa.sin("correo")
    casa.fallan(2)
    casa.en(3, 0.1)

    def work(case: Casa, process: Proceso) -> None:
        cierra(case, process, 2)
        if process.diario.ordenes["O0001"].fase == "propuesta":
            process.confirma("O0001", OPERADORA)
        process.atiende()

    def check(case: Casa) -> None:
        assert [one.tipo for one in case.avisos()] == ["suspension"]
        assert case.estado() == "suspendido"
        (order,) = case.proceso().diario.ordenes.values()
        assert (order.fase, order.operador) == ("cumplida", OPERADORA)
        assert len(case.eventos("orden_confirmada")) == 1
        assert len(case.eventos("orden_cumplida")) == 1
        entregas(case, "O0001-radio-uno")

    assert cada_muerte(casa, tmp_path / "caso", work, check) == 11
