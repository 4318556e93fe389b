"""The scripted night of the sixty, through the institute's own due process and its journal: the same table."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.clock import ManualClock
from pregon.convocatoria.solicitud.modelo import Ficha
from pregon.instituto import workspace
from pregon.instituto.proceso.avisa import Proceso
from pregon.instituto.registro import rotacion
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.estados import Mandato
from pregon.instituto.registro.orden import ordena
from pregon.simulacro.flota.noche import Vigilia, periodos
from tests.simulacro.test_noche60 import REGLA, SANO, TABLA, guion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.instituto.monitor.modelo import Dictamen
    from pregon.instituto.workspace import Workspace

LETRAS = {"cumplio": "C", "fallo": "F", "no_cuenta": "·"}


def instituto(folder: Path, clock: ManualClock, difusores: tuple[str, ...]) -> Workspace:
    """A workspace of the call of Guerrero with all of them active."""
    space = workspace.create(folder, "gro-2021", ambiente="simulacro", clock=clock)
    registro = Registro(space)
    rotacion.crea(registro)
    mandate = Mandato(quien="operador", operador="Irene Soto", motivo="Cumple.")
    for name in difusores:
        registro.alta(name, Ficha(nombre=name, tipo="medios", url=f"https://{name}.ejemplo.mx/"), mandate)
        for state in ("admitido", "activo"):
            ordena(space, name, state, mandate)
    return space


def advertencias() -> Iterator[tuple[str, int]]:
    """Who is to be warned and of which slot, by hand's table: the failures that do not reach the third in a row."""
    for number, (ends, _, _) in TABLA.items():
        row = 0
        for slot, end in enumerate(ends):
            row = {"C": 0, "F": row + 1}.get(end, row)
            if end == "F" and row < 3:
                yield f"difusor-{number:02d}", slot


def test_journal_of_the_scripted_night_warns_and_proposes_as_the_table(tmp_path: Path) -> None:
    """GRO-3.3a, each slot closed in its hour by a process that was started again; nobody confirms anything."""
    night = guion()
    heard: list[Dictamen] = []
    Vigilia(night, REGLA, oye=heard.append).vive()
    clock = ManualClock(night.reloj.inicio - timedelta(hours=1))
    space = instituto(tmp_path / "instituto", clock, night.difusores)
    for slot in range(night.reloj.periodos):
        clock.instant = night.reloj.vence(slot + 1) + timedelta(seconds=5)
        now = [one for one in heard if night.reloj.vence(slot) <= one.hora < clock.instant]
        Proceso(space).cierra(periodos(night, clock.now()), now)
    process = Proceso(space)
    orders = process.diario.ordenes.values()
    assert {one.difusor: one.periodo for one in orders} == {
        f"difusor-{n:02d}": row[1] for n, row in TABLA.items() if row[1] is not None
    }
    assert {(one.accion, one.fase) for one in orders} == {("suspender", "propuesta")}
    assert {(one.difusor, one.periodo) for one in process.diario.advertencias.values()} == set(advertencias())
    told: dict[str, str] = {}
    events = space.state().events(limit=100_000)
    for event in events:
        if event.tipo == "periodo":
            told[event.dato["difusor"]] = told.get(event.dato["difusor"], "") + LETRAS[event.dato["resultado"]]
    for n, name in enumerate(night.difusores, 1):
        ends = TABLA[n][0] if n in TABLA else SANO
        assert told[name][: len(ends)] == ends
    assert {one.estado for one in Registro(space).todos()} == {"activo"}  # an operator confirms, nobody else

    Proceso(space).cierra(periodos(night, clock.now()), heard)
    assert space.state().events(limit=100_000) == events  # what is closed is closed once
