"""What the board makes of what it reads: each cell, the order of the rows, what asks for a person, and what changed."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.state import Event
from pregon.instituto.monitor.almacen import Guardada
from pregon.instituto.monitor.modelo import Dictamen, Vista
from pregon.instituto.opera.alarmas import catalogo
from pregon.instituto.opera.programa import Corte, periodos
from pregon.instituto.registro.modelo import Inscrito, Paso
from pregon.instituto.tablero.cuadro import Casa, Pliego
from pregon.instituto.tablero.diferencia import Cambio, diferencia
from pregon.instituto.tablero.formas import adelgaza, de_cambio, de_cuadro
from pregon.instituto.tablero.marcha import rango
from pregon.instituto.tablero.modelo import gravedad
from tests.instituto.tablero.muestra import cuadro
from tests.instituto.tablero.noches import INICIO, PASO

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.instituto.monitor.modelo import Causa, Veredicto
    from pregon.instituto.registro.estados import Estado
    from pregon.instituto.tablero.modelo import Cuadro

FIRMA = timedelta(seconds=20)
DENTRO = INICIO + timedelta(minutes=2)


# A night that is told piece by piece.


def casa() -> Casa:
    return Casa(
        serie="0a1b2c3d",
        instituto="Instituto de Ensayo",
        convocatoria="ensayo-2027",
        titulo="Ensayo",
        ambiente="simulacro",
        inicio=INICIO,
        fin=INICIO + timedelta(hours=4),
        tolerancia=timedelta(minutes=5),
        margen=timedelta(seconds=120),
        intervalo=PASO,
        cada_s=60,
        puntos=("instituto", "universidad"),
        nodos={"uno": frozenset({"a", "b"}), "dos": frozenset({"a"})},
        alarmas=catalogo(),
    )


class Convocatoria:
    """As much of a call as its slots are made of."""

    inicio = INICIO
    fin_actualizacion = INICIO + timedelta(hours=4)
    intervalo_min = 10


class Relato:
    """A board that is told things as the workspace would."""

    def __init__(self) -> None:
        self.pliego = Pliego(casa())
        self.cortes: list[Corte] = []
        self.n = 0
        self.rondas = 0
        self.firma()

    def firma(self, slot: int | None = None, tras: timedelta = FIRMA, *, ultimo: bool = False) -> None:
        if slot is not None:
            hora = INICIO + PASO * slot
            number = len(self.cortes) + 1
            self.cortes.append(Corte(number, hora, hora + tras, f"{number:064d}", ultimo=ultimo))
        slots = periodos(Convocatoria(), self.cortes)  # type: ignore[arg-type]
        self.pliego.firmas(slots, self.cortes, sellado=self.cortes[-1].firmado if self.cortes else None)

    def inscribe(self, *names: str) -> None:
        """All of them active since before the night."""
        self.pliego.registro([inscrito(name) for name in names])

    def ronda(self, hora: datetime, *told: Dictamen, puntos: tuple[str, ...] = ("instituto", "universidad")) -> None:
        self.rondas += 1
        views = tuple(Vista(punto, hora, con_red=True) for punto in puntos)
        self.pliego.ronda(Guardada(self.rondas, hora, views, (), told))

    def suceso(self, hora: datetime, tipo: str, **dato: Any) -> Event:
        self.n += 1
        event = Event(self.n, hora, tipo, dato)
        self.pliego.evento(event)
        return event

    def a_las(self, hora: datetime) -> Cuadro:
        return self.pliego.cuadro(hora, version=1)


def inscrito(name: str, estado: Estado = "activo", desde: datetime = INICIO - PASO) -> Inscrito:
    """One in the registry: active since before the night, and in another state since ``desde``."""

    def step(a: Estado, hora: datetime) -> Paso:
        return Paso(de=None, a=a, hora=hora, quien="operador", operador="Irene", motivo="")

    before = () if estado == "activo" else (step("activo", INICIO - 2 * PASO),)
    return Inscrito(
        n=1,
        id=name,
        nombre=f"Difusora {name}",
        url=f"https://{name}.ejemplo.mx/",
        estado=estado,
        historia=(*before, step(estado, desde)),
    )


def de(difusor: str, hora: datetime, veredicto: Veredicto, causa: Causa, corte: int | None) -> Dictamen:
    return Dictamen(difusor=difusor, hora=hora, veredicto=veredicto, causa=causa, corte=corte)


def test_a_cut_is_visible_when_it_is_seen_or_every_node_says_so() -> None:
    relato = Relato()
    relato.inscribe("uno", "dos", "tres")
    relato.firma(0)
    signed = INICIO + FIRMA
    relato.suceso(signed + timedelta(seconds=9), "acuse", difusor="uno", nodo="a", corte=1, evento="visible", n=1)
    relato.suceso(signed + timedelta(seconds=4), "acuse", difusor="dos", nodo="a", corte=1, evento="publicado", n=1)
    relato.ronda(signed + timedelta(seconds=50), de("dos", signed + timedelta(seconds=50), "al_dia", "ninguna", 1))
    board = relato.a_las(signed + timedelta(seconds=60))
    seconds = {one.id: one.segundos[0] for one in board.difusores}
    assert seconds == {"uno": None, "dos": 50, "tres": None}, "one of two nodes, and an acuse of another event"
    relato.suceso(signed + timedelta(seconds=70), "acuse", difusor="uno", nodo="b", corte=1, evento="visible", n=1)
    # What is seen later than it was said changes nothing; what is seen before, does.
    relato.ronda(signed + timedelta(seconds=90), de("uno", signed + timedelta(seconds=90), "al_dia", "ninguna", 1))
    relato.suceso(signed + timedelta(seconds=91), "acuse", difusor="dos", nodo="a", corte=1, evento="visible", n=2)
    (column,) = relato.a_las(signed + timedelta(seconds=100)).cortes
    assert (column.visibles, column.de, column.curva) == (2, 3, ((50, 1), (70, 2)))
    assert (column.p50_s, column.p95_s) == (70.0, None)
    altered = signed + timedelta(seconds=120)
    relato.ronda(altered, de("tres", altered, "alterado", "difusor", 1))
    (column,) = relato.a_las(altered).cortes
    assert column.visibles == 2, "who alters a cut does not show it"


def test_rank_is_of_all_who_owe_it() -> None:
    took = list(range(1, 96))
    assert (rango(took, 100, 50), rango(took, 100, 95), rango(took, 100, 96)) == (50.0, 95.0, None)
    assert rango([], 0, 50) is None


def test_a_suspended_difusor_is_that_only_since_then() -> None:
    relato = Relato()
    for slot in range(3):
        relato.firma(slot)
        hora = INICIO + PASO * slot + timedelta(minutes=2)
        relato.pliego.registro([inscrito("uno", "suspendido" if slot else "activo", INICIO + PASO if slot else INICIO)])
        relato.ronda(hora, de("uno", hora, "al_dia", "ninguna", None if slot else 1))
    assert [one.celdas for one in relato.a_las(INICIO + 3 * PASO - FIRMA).difusores] == ["DAA"]
    relato.pliego.registro([inscrito("uno", "concluido", INICIO + 2 * PASO), inscrito("dos", "solicitado", INICIO)])
    (row,) = relato.a_las(INICIO + 3 * PASO - FIRMA).difusores
    assert row.id == "uno", "who only asked to be registered is not on the board"
    seen = INICIO + 3 * PASO - FIRMA
    relato.ronda(seen, de("dos", seen, "al_dia", "ninguna", 3))
    assert {one.id: one.celdas for one in relato.a_las(seen).difusores} == {"uno": "D--", "dos": "---"}


def test_the_institute_s_own_delay_is_its_own() -> None:
    relato = Relato()
    relato.inscribe("uno", "dos")
    relato.firma(0)
    seen = INICIO + timedelta(minutes=9)
    relato.ronda(seen, *(de(name, seen, "al_dia", "ninguna", 1) for name in ("uno", "dos")))
    due = INICIO + PASO
    assert relato.a_las(due + timedelta(seconds=119)).noche.debe_desde is None
    board = relato.a_las(due + timedelta(seconds=121))
    assert board.noche.debe_desde == due
    assert board.noche.atraso_s(board.hora) == 121
    assert [one.id for one in board.por_decidir] == ["corte/debido"]
    late = relato.a_las(due + PASO)
    assert (late.cortes[1].perdido, late.cortes[1].de) == (True, 0)
    assert [one.celdas[1] for one in late.difusores] == ["I", "I"]
    assert late.noche.debe_desde is None, "what was lost is owed no more"
    relato.firma(2, tras=timedelta(seconds=200))
    assert relato.a_las(due + PASO + timedelta(seconds=201)).cortes[2].retraso_s == 200
    assert relato.a_las(due + PASO + timedelta(seconds=201)).cortes[0].retraso_s is None


def test_after_the_closing_cut_nothing_is_owed() -> None:
    relato = Relato()
    relato.inscribe("uno")
    relato.firma(0)
    relato.firma(1, ultimo=True)
    board = relato.a_las(INICIO + PASO * 6)
    assert (board.noche.fase, board.noche.proximo, board.noche.debe_desde) == ("cerrada", None, None)
    assert [one.ultimo for one in board.cortes] == [False, True]
    assert board.por_decidir == ()


def test_what_asks_for_a_person_comes_and_goes() -> None:
    relato = Relato()
    relato.inscribe("uno", "dos")
    relato.firma(0)
    hora = INICIO + timedelta(minutes=2)
    order = {"id": "O0001", "difusor": "uno", "accion": "suspender"}
    why = {"porque": "tres seguidas", "clausula": "GRO-3.3a", "evidencia": [], "caduca": True}
    relato.suceso(hora, "orden_propuesta", **order, **why, periodo=0, cuenta=3)
    warning = {"id": "A0001", "difusor": "dos"}
    words = {"titulo": "t", "texto": "t", "evidencia": [], "canales": ["correo"], "directos": ["correo"]}
    relato.suceso(hora, "advertencia", fase="redactada", **warning, **words, periodo=0, cuenta=1)
    relato.suceso(hora, "advertencia", fase="enviando", **warning, canal="correo")
    relato.suceso(hora, "advertencia", fase="en_duda", **warning, canal="correo")
    relato.suceso(hora, "alarma", codigo="ENTREGA", severidad="aviso", texto="dos nodos")
    relato.suceso(hora, "acuse_rechazado", difusor="dos", nodo="a", codigo="FIRMA", que_paso="no es su llave")
    relato.ronda(hora, de("uno", hora, "alterado", "difusor", 1), puntos=("instituto",))
    board = relato.a_las(hora + timedelta(seconds=5))
    assert [one.id for one in board.por_decidir] == [
        "difusor/uno",
        "orden/O0001",
        "advertencia/A0001",
        "alarma/ENTREGA",
        "nodo/dos/a",
        "punto/universidad",
    ]
    assert [one.codigo for one in board.alarmas] == ["ENTREGA"]
    assert {one.id: (one.fallas, one.advertencias, one.orden) for one in board.difusores} == {
        "uno": (0, 0, "O0001"),
        "dos": (0, 1, None),
    }
    relato.suceso(hora, "orden_descartada", **order, operador="Irene", motivo="no procede")
    relato.suceso(hora, "advertencia", fase="aceptada", **warning, canal="correo")
    relato.suceso(hora, "alarma_resuelta", codigo="ENTREGA")
    relato.suceso(hora, "acuse", difusor="dos", nodo="a", corte=1, evento="verificado", n=1)
    relato.ronda(hora + timedelta(seconds=60), de("uno", hora + timedelta(seconds=60), "al_dia", "ninguna", 1))
    assert relato.a_las(hora + timedelta(seconds=65)).por_decidir == ()


def test_a_night_without_rounds_or_signs_of_life_is_told() -> None:
    relato = Relato()
    relato.inscribe("uno")
    relato.firma(0)
    hora = INICIO + timedelta(minutes=2)
    relato.ronda(hora, de("uno", hora, "al_dia", "ninguna", 1))
    assert relato.a_las(hora + timedelta(minutes=5)).por_decidir == ()
    quiet = relato.a_las(hora + timedelta(minutes=5, seconds=1))
    assert [one.id for one in quiet.por_decidir] == ["servicio/rondas"], "and not that each point is silent"
    assert {one.nombre: one.calla for one in quiet.puntos} == {"instituto": True, "universidad": True}
    dead = relato.a_las(INICIO + FIRMA + PASO + timedelta(seconds=121))
    assert {"servicio/rondas", "servicio/vida", "corte/debido"} == {one.id for one in dead.por_decidir}


def test_worst_first() -> None:
    board = cuadro(40, 20)
    assert [one.celdas[-1] for one in board.difusores[:6]] == ["X", "S", "R", "N", "Q", "-"]
    assert board.difusores[-1].estado == "suspendido", "who shows what was ordered asks for nobody"
    shaken = random.Random(3).sample(board.difusores, len(board.difusores))
    assert tuple(sorted(shaken, key=gravedad)) == board.difusores


def test_an_event_that_was_changed_by_hand_stops_nothing() -> None:
    relato = Relato()
    relato.inscribe("uno")
    relato.firma(0)
    with pytest.raises((KeyError, TypeError, ValueError)):
        relato.suceso(DENTRO, "dictamen", difusor="uno")
    relato.suceso(DENTRO, "nota", texto="sigue")
    assert [one.tipo for one in relato.a_las(DENTRO).eventos] == ["nota", "dictamen"], "it is told as it is"


# What changed.


def aplica(before: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """What a page makes of the JSON that it has and a change: what ``formas.de_cambio`` says, and no more."""
    made = dict(before)
    for key in ("serie", "version", "hora", "noche", "por_decidir", "puntos", "alarmas", "faltan"):
        if key in change:
            made[key] = change[key]
    columns = {one["i"]: one for one in before["cortes"]} | {one["i"]: one for one in change.get("cortes", [])}
    made["cortes"] = [columns[index] for index in sorted(columns)]
    rows = {one["id"]: dict(one) for one in before["difusores"]}
    for one in change.get("difusores", []):
        row = rows.setdefault(one["id"], {"celdas": "", "segundos": []})
        row.update({key: value for key, value in one.items() if key not in ("celdas", "segundos")})
        cells, seconds = list(row["celdas"]), list(row["segundos"])
        for index in sorted(map(int, one.get("celdas", {}))):
            cells[index : index + 1] = one["celdas"][str(index)]
            seconds[index : index + 1] = [one["segundos"][str(index)]]
        row["celdas"], row["segundos"] = "".join(cells), seconds
    for ident in change.get("quitados", []):
        del rows[ident]
    order = change.get("orden") or [one["id"] for one in before["difusores"]]
    made["difusores"] = [rows[ident] for ident in order]
    made["eventos"] = [*change.get("eventos", []), *before["eventos"]][: len(before["eventos"]) or None]
    return made


def test_changes_applied_one_after_another_give_the_whole() -> None:
    """For any pair of boards, also of more columns, other rows, another order."""
    boards = [
        cuadro(30, 12, version=1),
        cuadro(30, 12, version=2, semilla=5),
        replace(cuadro(30, 13, version=3, semilla=5), faltan=("Lo firmado no se puede leer",)),
        cuadro(28, 14, version=4, semilla=9),
        cuadro(31, 14, version=5, semilla=9),
    ]
    seen = de_cuadro(boards[0])
    for before, after in itertools.pairwise(boards):
        change = diferencia(before, after)
        assert isinstance(change, Cambio)
        assert (change.antes, change.version) == (before.version, after.version)
        seen = aplica(seen, de_cambio(change))
        due = de_cuadro(after)
        for row in (*seen["difusores"], *due["difusores"]):
            row["segundos"] = list(row["segundos"])
        assert {**seen, "eventos": None} == {**due, "eventos": None}


def test_the_hour_alone_is_no_change() -> None:
    board = cuadro(5, 5)
    assert diferencia(board, replace(board, version=2, hora=board.hora + timedelta(seconds=9))) is None
    event = replace(board.eventos[0], n=board.eventos[0].n + 1)
    change = diferencia(board, replace(board, version=2, eventos=(event, *board.eventos[:-1])))
    assert change is not None
    assert change.eventos == (event,)
    assert set(de_cambio(change)) == {"formato", "serie", "antes", "version", "hora", "eventos"}


def test_taken_in_by_pieces_or_at_once_the_board_is_the_same() -> None:
    """What the fold remembers between two questions spares work and changes nothing."""
    asked, at_once = Relato(), Relato()
    dice = random.Random(7)
    for relato in (asked, at_once):
        relato.inscribe("uno", "dos")
    hora = INICIO
    verdicts: list[tuple[Veredicto, Causa]] = [
        ("al_dia", "ninguna"),
        ("atrasado", "difusor"),
        ("alterado", "difusor"),
        ("inaccesible", "sin_determinar"),
    ]
    for slot in range(10):
        for relato in (asked, at_once):
            if slot != 4:
                relato.firma(slot)
        for minute in (1, 4, 8):
            hora = INICIO + PASO * slot + timedelta(minutes=minute)
            told = [
                de(name, hora, *dice.choice(verdicts), len(asked.cortes) - dice.randint(0, 1))
                for name in ("uno", "dos")
            ]
            asked.ronda(hora, *told)
            at_once.ronda(hora, *told)
            asked.a_las(hora)
        for relato in (asked, at_once):
            relato.suceso(hora, "acuse", difusor="dos", nodo="a", corte=max(1, slot - 3), evento="visible", n=slot)
        asked.a_las(hora)
    assert asked.a_las(hora) == at_once.a_las(hora)


def test_a_curve_is_thinned_without_its_ends() -> None:
    curve = tuple((seconds, seconds) for seconds in range(100))
    thin = adelgaza(curve, 16)
    assert (thin[0], thin[-1], len(thin)) == (curve[0], curve[-1], 16)
    assert list(thin) == sorted(set(thin))
    assert adelgaza(curve[:5], 16) == curve[:5]
