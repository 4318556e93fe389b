"""The reading of a night from a workspace as its rooms wrote it: all of it, what is new, and what cannot be read."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pregon.instituto.opera.alarmas import Alarmas
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.estados import Mandato
from pregon.instituto.tablero import lector as modulo
from pregon.instituto.tablero.lector import Lector
from pregon.instituto.workspace import open_workspace
from tests.instituto.conftest import tree_digest
from tests.instituto.relevo.conftest import comparte
from tests.instituto.tablero import noches
from tests.instituto.tablero.noches import INICIO, PASO, guion, nombre, segundos
from tests.instituto_sql.servidores import as_operator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.instituto.tablero.diferencia import Cambio
    from pregon.instituto.tablero.modelo import Cuadro
    from tests.instituto.tablero.noches import Noche
    from tests.instituto_sql.servidores import Base

ORDENA = Mandato(quien="operador", operador="Irene Soto", motivo="lo pidió", evidencia=("oficio 3",))


@pytest.fixture
def reloj(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look is one of those that also try again what failed."""
    monkeypatch.setattr(modulo, "REPITE_S", 0.0)


def leida(noche: Noche) -> Lector:
    made = Lector(noche.workspace, environment={})
    made.lee()
    return made


def lo_mismo(one: Cuadro, other: Cuadro) -> bool:
    return replace(one, serie="", version=0) == replace(other, serie="", version=0)


def celdas(board: Cuadro) -> dict[tuple[str, int], str]:
    return {(row.id, index): letter for row in board.difusores for index, letter in enumerate(row.celdas)}


def test_every_cell_of_a_night_is_what_happened(noche_chica: Noche) -> None:
    board = leida(noche_chica).cuadro
    assert board.faltan == ()
    assert celdas(board) == noche_chica.letras
    assert [one.n for one in board.cortes] == [noche_chica.corte(slot) for slot in range(noche_chica.slots)]
    assert [one.perdido for one in board.cortes] == [slot in noche_chica.perdidos for slot in range(noche_chica.slots)]
    assert board.cortes[0].firmado == noche_chica.firmado(0)
    assert [one.id for one in board.difusores[:3]] == [nombre(1), nombre(2), nombre(3)]
    assert [one.id for one in board.por_decidir] == [f"difusor/{nombre(1)}"]
    # Each acuse says so some seconds after the signature, before any round.
    row = board.difusor(nombre(0))
    assert row is not None
    assert [row.segundos[slot] for slot in range(3)] == [segundos(0, slot) for slot in range(3)]


def test_what_is_new_gives_what_a_fresh_reading_gives_and_nothing_is_written(noche_chica: Noche, reloj: None) -> None:
    """Also across the end of an hour, when the rounds of the one before go into one file."""
    reader, told = leida(noche_chica), []
    space = noche_chica.workspace
    for slot in range(noche_chica.slots, noche_chica.slots + 8):
        noche_chica.manda(slot)
        told.append(reader.lee())
        for minute in (2, 6):
            hora = INICIO + PASO * slot + timedelta(minutes=minute)
            noche_chica.mira(hora, slot, {place: guion(place, slot, slot + 2) for place in range(8)})
            told.append(reader.lee())
    Registro(space).pasa(nombre(3), "suspendido", ORDENA)
    space.state().record("alarma", codigo="ENTREGA", severidad="aviso", texto="un nodo")
    told.append(reader.lee())
    before = tree_digest(space.folder)
    assert lo_mismo(reader.cuadro, leida(noche_chica).cuadro)
    assert tree_digest(space.folder) == before
    assert all(change is not None for change in told)
    assert [change.version for change in told if change is not None] == list(range(2, 2 + len(told)))
    assert reader.cuadro.alarmas[0].que_hacer != ""
    row = reader.cuadro.difusor(nombre(3))
    assert row is not None
    assert row.estado == "suspendido"
    assert reader.lee() is None, "nothing came"


def test_a_cut_seen_before_its_event_is_put_right(noche_chica: Noche, reloj: None) -> None:
    reader, slot = leida(noche_chica), noche_chica.slots
    due = INICIO + PASO * slot
    noche_chica.clock.instant = noche_chica.firmado(slot)
    number = noche_chica.corte(slot) or 0
    sha256 = noches._sign(noche_chica.workspace, number, due)
    reader.lee()
    assert reader.cuadro.cortes[-1].firmado == due, "what its manifest says"
    noche_chica.workspace.state().record("corte", corte=number, manifiesto_sha256=sha256, segundos=3.0)
    reader.lee()
    assert reader.cuadro.cortes[-1].firmado == noche_chica.firmado(slot)


def _sin_firma(folder: Path) -> Path:
    return folder / "repositorio" / "metadata" / "timestamp.json"


def _ronda(folder: Path) -> Path:
    return max((folder / "observaciones").glob("*/*.json"))


@pytest.mark.parametrize(
    ("cual", "donde", "basura", "dice"),
    [
        ("lo firmado", _sin_firma, b"{", "Lo firmado no se puede leer"),
        ("la base", lambda folder: folder / "estado.sqlite", b"no es una base" * 400, "La bitácora no se puede leer"),
    ],
    ids=["signatures", "state"],
)
def test_what_cannot_be_read_is_told_and_the_last_known_stays(
    noche_chica: Noche, reloj: None, cual: str, donde: Any, basura: bytes, dice: str
) -> None:
    del cual
    reader = leida(noche_chica)
    known = reader.cuadro
    path = donde(noche_chica.workspace.folder)
    good = path.read_bytes()
    path.write_bytes(basura)
    change = reader.lee()
    assert change is not None
    assert any(one.startswith(dice) for one in reader.cuadro.faltan)
    assert celdas(reader.cuadro) == celdas(known)
    assert reader.cuadro.cortes == known.cortes
    version = reader.cuadro.version
    assert reader.lee() is None
    assert reader.cuadro.version == version, "said once"
    path.write_bytes(good)
    reader.lee()
    assert reader.cuadro.faltan == ()
    assert lo_mismo(reader.cuadro, known)


def test_a_damaged_round_hides_no_other_source(noche_chica: Noche, reloj: None) -> None:
    reader, slot = leida(noche_chica), noche_chica.slots
    noche_chica.manda(slot)
    noche_chica.mira(INICIO + PASO * slot + timedelta(minutes=1), slot, {})
    path = _ronda(noche_chica.workspace.folder)
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    reader.lee()
    assert [one.split(" no se puede")[0] for one in reader.cuadro.faltan] == ["Las observaciones"]
    assert reader.cuadro.noche.corte == noche_chica.corte(slot)
    assert {row.celdas[-1] for row in reader.cuadro.difusores} == {"E"}
    path.write_bytes(good)
    reader.lee()
    assert reader.cuadro.faltan == ()
    assert {row.celdas[-1] for row in reader.cuadro.difusores} == {"D"}


def test_a_state_that_was_restored_is_read_from_its_beginning(noche_chica: Noche, tmp_path: Path) -> None:
    space = noche_chica.workspace
    path = space.folder / "estado.sqlite"
    old = path.read_bytes()
    for number in range(5):
        space.state().record("nota", texto=f"nota {number}")
    reader = leida(noche_chica)
    path.write_bytes(old)
    space.state().record("nota", texto="después de restaurar")
    reader.lee()
    assert lo_mismo(reader.cuadro, leida(noche_chica).cuadro)
    assert reader.bitacora(tipo="nota").eventos[0].texto == "después de restaurar"


def test_events_that_somebody_changed_are_told_as_they_are(noche_chica: Noche) -> None:
    state = noche_chica.workspace.state()
    state.record("periodo", difusor=nombre(1), periodo="tres")
    state.record("dictamen", difusor=nombre(1))
    state.record("acuse", difusor=7)
    state.record("corte", otra=1)
    reader = leida(noche_chica)
    assert celdas(reader.cuadro) == noche_chica.letras
    assert [one.tipo for one in reader.bitacora().eventos[:4]] == ["corte", "acuse", "dictamen", "periodo"]


def test_who_waits_for_the_database_says_so_and_shows_the_rest(
    noche_chica: Noche, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modulo, "CALLADO_S", 0.4)
    told: list[Cambio] = []
    arrived = threading.Event()

    def hears(_: Cuadro, __: Cuadro, change: Cambio) -> None:
        told.append(change)
        if any("No se lee nada nuevo" in one for one in change.faltan or ()):
            arrived.set()

    reader = Lector(noche_chica.workspace, environment={}, cambia=hears)
    reader.empieza()
    try:
        assert reader.listo.wait(20)
        known = celdas(reader.cuadro)
        with closing(sqlite3.connect(noche_chica.workspace.folder / "estado.sqlite", isolation_level=None)) as held:
            held.execute("PRAGMA locking_mode = EXCLUSIVE")
            held.execute("BEGIN EXCLUSIVE")
            assert arrived.wait(10)
            assert celdas(reader.cuadro) == known
            assert reader.bitacora(tipo="corte").eventos, "pages are served meanwhile"
            assert reader.detalle(nombre(1)) is not None
            held.execute("ROLLBACK")
        ended = time.monotonic() + 10
        while reader.cuadro.faltan and time.monotonic() < ended:
            time.sleep(0.05)
        assert reader.cuadro.faltan == ()
    finally:
        reader.termina()
    versions = [one.version for one in told]
    assert versions == list(range(1, len(versions) + 1))


def test_alarms_of_a_service_that_died_end_with_the_next_one(noche_chica: Noche, reloj: None) -> None:
    space = noche_chica.workspace
    first = Alarmas(space, lambda _: None)
    first.pon("ENTREGA", "un nodo no recibe")
    first.pon("VIGILANCIA", "no se mira a nadie")
    first.quita("VIGILANCIA")
    reader = leida(noche_chica)
    assert [one.codigo for one in reader.cuadro.alarmas] == ["ENTREGA"]
    second = Alarmas(space, lambda _: None)
    second.quita("VIGILANCIA")
    reader.lee()
    assert [one.codigo for one in reader.cuadro.alarmas] == ["ENTREGA"], "nobody said yet that it is over"
    second.quita("ENTREGA")
    second.quita("ENTREGA")
    reader.lee()
    assert reader.cuadro.alarmas == ()
    assert [one.tipo for one in space.state().events(after=reader._after - 1)] == ["alarma_resuelta"]


def test_evidence_of_a_difusor(noche_chica: Noche) -> None:
    reader = leida(noche_chica)
    detail = reader.detalle(nombre(1))
    assert detail is not None
    assert detail.inscrito is not None
    assert detail.inscrito.estado == "activo"
    last = max(one.n for one in detail.observaciones)
    assert [one.n for one in detail.observaciones] == list(detail.citas[0][1])[::-1] == [last, last - 1]
    assert {one.punto for one in detail.observaciones} == set(noches.PUNTOS)
    assert [one.muestras[0].igual for one in detail.observaciones] == [False, False]
    assert {one.difusor for one in detail.eventos} == {nombre(1)}
    assert [one.hora for one in detail.eventos] == sorted((one.hora for one in detail.eventos), reverse=True)
    assert (detail.acuses[0].corte, detail.acuses[0].segundos) == (7, segundos(1, 8))
    assert reader.detalle("nadie") is None


def test_of_other_days_only_the_last_rounds_are_read(noche_chica: Noche) -> None:
    """Before the night, and through weeks of permanence; what the night itself was is read whole."""
    space, last = noche_chica.workspace, noche_chica.slots - 1
    end = space.convocatoria.fin_actualizacion
    for hora in (end + timedelta(hours=2), end + timedelta(hours=9), end + timedelta(hours=9, minutes=5)):
        noche_chica.mira(hora, last, dict.fromkeys(range(8), "S"))
    noche_chica.clock.instant += timedelta(seconds=30)
    path = min((space.folder / "observaciones").glob("20270608T04*"))
    path.write_bytes(b"de otro dia")
    late = leida(noche_chica)
    assert late.cuadro.faltan == (), "that of two hours after the end was not read"
    assert {row.veredicto for row in late.cuadro.difusores} == {"inaccesible"}
    since = {row.id: row.desde for row in late.cuadro.difusores}
    assert since.pop(nombre(2)) == INICIO + PASO * (last - 2) + timedelta(minutes=1), "it was silent already"
    assert set(since.values()) == {end + timedelta(hours=9)}
    night = {key: letter for key, letter in celdas(late.cuadro).items() if key[1] < last}
    assert night == {key: letter for key, letter in noche_chica.letras.items() if key[1] < last}


def test_pages_of_the_journal(noche_chica: Noche) -> None:
    reader = leida(noche_chica)
    everything = [event.n for event in noche_chica.workspace.state().events(limit=100_000)]
    seen: list[int] = []
    before: int | None = None
    while True:
        page = reader.bitacora(antes=before)
        seen += [one.n for one in page.eventos]
        before = page.antes
        if before is None:
            break
    assert seen == everything[::-1]
    mine = reader.bitacora(difusor=nombre(2), tipo="periodo", corte=3)
    assert [(one.difusor, one.tipo, one.corte) for one in mine.eventos] == [(nombre(2), "periodo", 3)]
    assert {one.tono for one in reader.bitacora(tono="mal").eventos} == {"mal"}
    assert "corte_perdido" in mine.tipos


# The second machine.


@pytest.fixture
def esquema(postgres: Base) -> Iterator[str]:
    yield "tablero_otra"
    postgres.run("DROP SCHEMA IF EXISTS tablero_otra CASCADE")


def test_on_the_second_machine_it_shows_what_the_journal_says(
    noche_chica: Noche, postgres: Base, esquema: str, tmp_path: Path
) -> None:
    """Rounds are files of the machine that watches; the journal is shared, and has the verdicts that changed."""
    a, b = noche_chica.workspace.folder, tmp_path / "b"
    url = as_operator(postgres.dueno)
    comparte(a, url, esquema, "a")
    first = open_workspace(a, clock=noche_chica.clock)
    first.state().record("nota", texto="en el servidor")
    shutil.copytree(a, b, ignore=shutil.ignore_patterns("observaciones", "estado.sqlite*"))
    (b / "instituto.toml").write_text((b / "instituto.toml").read_text().replace('maquina = "a"', 'maquina = "b"'))
    second = open_workspace(b, clock=noche_chica.clock)
    try:
        reader = Lector(second, environment={})
        reader.lee()
        board = reader.cuadro
        assert len(board.faltan) == 1
        assert "las rondas las guarda la otra máquina" in board.faltan[0]
        closed = {
            key: one for key, one in noche_chica.letras.items() if key[1] < noche_chica.slots - 1 and one in "DXSRI"
        }
        assert closed.items() <= celdas(board).items()
        assert [board.difusor(nombre(place)).celdas[-1] for place in (0, 1, 2, 3)] == ["D", "X", "S", "R"]  # type: ignore[union-attr]
        first.state().record("nota", texto="nuevo")
        assert (change := reader.lee()) is not None
        assert [one.texto for one in change.eventos] == ["nuevo"]
    finally:
        for space in (first, second):
            assert space.compartido is not None
            space.compartido.servidor.cierra()
