"""Who shows the notice shows no cut: that it has the newest one is known by the acuses that its nodes signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.clock import ManualClock
from pregon.instituto.monitor.modelo import Dictamen, Periodo
from pregon.instituto.proceso.avisa import Proceso
from pregon.instituto.registro import rotacion
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.estados import Mandato
from pregon.trust.keys import KeyRing, generate, ring_names
from tests.instituto.entregas import Campo
from tests.instituto.proceso.casa import OPERADORA, RADIO, ficha
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.proceso.diario import OrdenDifusor
    from pregon.instituto.workspace import Workspace


def suspendida(campo: Campo) -> Workspace:
    """The institute, with the radio in its registry, suspended before the first cut."""
    space = replace(campo.espacio(), clock=ManualClock(INICIO))
    registro = Registro(space)
    rotacion.crea(registro)
    mandate = Mandato(quien="operador", operador=OPERADORA, motivo="Ensayo.", evidencia=("oficio 1",))
    registro.alta(RADIO, ficha(RADIO), mandate)
    for state in ("admitido", "activo", "suspendido"):
        registro.pasa(RADIO, state, mandate)
    return space


def cierra(space: Workspace, corte: int) -> Proceso:
    """Let the slot of ``corte`` end, its portal seen with the notice, as it must be."""
    due = INICIO + INTERVALO * corte
    slot = Periodo(corte, due, due + INTERVALO, corte, due + timedelta(minutes=1))
    seen = Dictamen(difusor=RADIO, hora=due + INTERVALO * 0.9, veredicto="al_dia", causa="ninguna", evidencia=(corte,))
    process = Proceso(replace(space, clock=ManualClock(slot.hasta)))
    process.cierra([slot], [seen])
    return process


def test_return_is_proposed_once_every_node_has_the_newest_cut(tmp_path: Path) -> None:
    campo = Campo.make(tmp_path, KeyRing(tuple(generate(name) for name in ring_names())))
    norte, sur = campo.nodo(RADIO, "norte"), campo.nodo(RADIO, "sur")
    space = suspendida(campo)
    order: OrdenDifusor | None = None
    for number, nodes in ((1, (norte,)), (2, (norte, sur))):
        campo.corte(number)
        campo.entrega()
        for node in nodes:
            assert node.recibe() == number
        campo.entrega()  # brings their acuses
        process = cierra(space, number)
        assert process.diario.ultimos[RADIO].resultado == "cumplio"
        order = process.diario.orden_en_pie(RADIO)
        if number == 1:
            assert order is None  # the south has not said that it has it
    assert order is not None
    assert (order.accion, order.fase, order.periodo) == ("regreso", "propuesta", 2)
    assert "tiene verificado el corte 0002" in order.porque
    assert Registro(space).uno(RADIO).estado == "suspendido"


def test_acuses_changed_where_they_are_kept_prove_nothing(tmp_path: Path) -> None:
    campo = Campo.make(tmp_path, KeyRing(tuple(generate(name) for name in ring_names())))
    node = campo.nodo(RADIO)
    space = suspendida(campo)
    campo.corte(1)
    campo.entrega()
    assert node.recibe() == 1
    campo.entrega()
    kept = sorted((space.folder / "acuses").rglob("*.json"))
    for path in kept:
        path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
    process = cierra(space, 1)
    assert process.diario.ultimos[RADIO].resultado == "cumplio"
    assert process.diario.orden_en_pie(RADIO) is None
