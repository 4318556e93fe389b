"""The stand-by on a real PostgreSQL: who may sign, what passes to the other machine, and what difusores see of it."""

from __future__ import annotations

import hashlib
import shutil
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import make_url

from pregon.base import cadena
from pregon.base.errors import DanadoError, EntradaError, InstanciaError, PregonError
from pregon.base.state import StateDatabase
from pregon.instituto import avisos
from pregon.instituto.bitacora import sellos
from pregon.instituto.entrega.vista import vistas
from pregon.instituto.firma import sign_cut
from pregon.instituto.relevo import releva, replica, turno
from pregon.instituto.relevo.arriendo import arriendo
from pregon.instituto.workspace import open_workspace
from pregon.paquete.manifest import parse_manifest
from tests.instituto.conftest import tree_digest
from tests.instituto.relevo.conftest import corta, hora

if TYPE_CHECKING:
    from pregon.instituto.relevo.releva import Relevo
    from pregon.instituto.workspace import Workspace
    from tests.instituto.relevo.conftest import Pareja
    from tests.instituto_sql.servidores import Base

RETRASO = avisos.Orden("se retrasa", "Ana")


def pasa(space: Workspace, *, aunque_viva: bool = False) -> Relevo:
    return releva.releva(space, operador="Ana", motivo="la otra no responde", aunque_viva=aunque_viva)


def test_the_other_machine_takes_over_and_the_numbers_go_on(pareja: Pareja) -> None:
    difusor = pareja.difusor()
    a = pareja.abre("a")
    assert difusor.mira(a.repositorio) == 1
    assert corta(a, 1) == 2
    avisos.announce_delay(a, RETRASO, texto="El corte se retrasa.")
    assert difusor.mira(a.repositorio) == 2
    pareja.calla()
    b = pareja.abre("b")
    passed = pasa(b)
    assert (passed.antes is not None and passed.antes.maquina, passed.ahora.maquina, passed.corte) == ("a", "b", 2)
    assert passed.ahora.epoca == 2
    mine, theirs = tree_digest(b.repositorio), tree_digest(a.repositorio)
    assert {ruta: theirs[ruta] for ruta in mine} == mine
    assert {ruta for ruta in theirs if ruta.startswith("targets/")} <= set(mine)
    assert difusor.mira(b.repositorio) == 2
    assert corta(b, 2, "41") == 3
    notice = avisos.announce_delay(b, RETRASO, texto="El corte se retrasa otra vez.")
    assert notice.n == 2
    assert difusor.mira(b.repositorio) == 3
    # And back, with what the first left behind.
    pareja.calla()
    again = pareja.abre("a")
    assert pasa(again).ahora.epoca == 3
    assert corta(again, 3, "42") == 4
    assert difusor.mira(again.repositorio) == 4
    assert [number for number, _ in difusor.visto] == [1, 2, 3, 4]
    assert all(len(contents) == 1 for contents in pareja.firmados().values())
    assert all(len(texts) == 1 for texts in pareja.documentos().values())


def test_the_machine_without_the_turn_neither_signs_nor_delivers(pareja: Pareja) -> None:
    a, b = pareja.abre("a"), pareja.abre("b")
    corta(a, 1)
    pareja.calla()  # not even while nobody gives signs of life: only an order of a person moves the night
    before = tree_digest(a.repositorio), pareja.sql("SELECT * FROM vigente"), pareja.sql("SELECT * FROM turno")
    for refused in (
        lambda: corta(b, 2),
        lambda: avisos.announce_delay(b, RETRASO, texto="El corte se retrasa."),
        lambda: vistas(b).__enter__(),
    ):
        with pytest.raises(InstanciaError) as refusal:
            refused()
        assert "«a»" in refusal.value.que_paso
    assert not b.repositorio.exists()
    assert before == (
        tree_digest(a.repositorio),
        pareja.sql("SELECT * FROM vigente"),
        pareja.sql("SELECT * FROM turno"),
    )


def test_a_living_machine_is_relieved_only_by_saying_so(pareja: Pareja) -> None:
    a, b = pareja.abre("a"), pareja.abre("b")
    corta(a, 1)
    with pytest.raises(InstanciaError, match="dio señales de vida"):
        pasa(b)
    assert pareja.sql("SELECT maquina, epoca FROM turno") == [("a", 1)]
    assert not b.repositorio.exists()
    assert pasa(b, aunque_viva=True).ahora.epoca == 2
    events = [event.dato for event in b.state().events(limit=10_000) if event.tipo == releva.EVENTO]
    assert [(e["de"], e["a"], e["epoca"], e["operador"], e["aunque_viva"]) for e in events] == [
        ("a", "b", 2, "Ana", True)
    ]


def test_a_machine_that_was_relieved_in_the_middle_of_a_signature_signs_nothing_more(pareja: Pareja) -> None:
    a, b = pareja.abre("a"), pareja.abre("b")
    difusor = pareja.difusor()
    corta(a, 1)
    with a.signing() as repository:
        assert pasa(b, aunque_viva=True).ahora.maquina == "b"
        before = tree_digest(a.repositorio), pareja.sql("SELECT * FROM vigente"), pareja.sql("SELECT * FROM numero")
        now = pareja.night.clock.now()
        for refused in (
            lambda: repository.resign_timestamp(now=now, expires=hora(9)),
            lambda: sign_cut(a, repository, parse_manifest(repository.last_manifest() or b"")),
        ):
            with pytest.raises(InstanciaError):
                refused()
    after = tree_digest(a.repositorio), pareja.sql("SELECT * FROM vigente"), pareja.sql("SELECT * FROM numero")
    assert after == before
    corta(b, 2, "41")
    assert difusor.mira(b.repositorio) == 3


def test_a_service_renews_its_turn_and_stops_when_another_machine_takes_it(pareja: Pareja) -> None:
    text = (pareja.a / "instituto.toml").read_text()
    (pareja.a / "instituto.toml").write_text(text + "arriendo_s = 5\n")
    a, b, stop = pareja.abre("a"), pareja.abre("b"), threading.Event()
    corta(a, 1)
    renewed = pareja.sql("SELECT vence FROM turno")

    def night() -> None:
        with arriendo(a, stop):
            pareja.calla()
            assert not stop.wait(2.5), "its lease ran out and nobody took the turn: it goes on"
            assert pareja.sql("SELECT vence FROM turno") > renewed
            assert pasa(b, aunque_viva=True).ahora.maquina == "b"
            assert stop.wait(5)

    with pytest.raises(InstanciaError):
        night()
    assert stop.is_set()
    with pytest.raises(InstanciaError):
        night()  # a machine without the turn does not even begin


def test_of_two_that_take_over_at_once_one_gets_it(pareja: Pareja) -> None:
    a, b = pareja.abre("a"), pareja.abre("b")
    corta(a, 1)
    pareja.calla()
    shared, ready = b.compartido, threading.Barrier(2)
    assert shared is not None
    got: list[str] = []

    def take(name: str) -> None:
        ready.wait()
        try:
            turno.pasa(shared.servidor, name, 60, aunque_viva=False)
            got.append(name)
        except InstanciaError:
            pass

    threads = [threading.Thread(target=take, args=(name,)) for name in ("b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pareja.sql("SELECT maquina, epoca FROM turno") == [(got[0], 2)]
    assert len(got) == 1


def test_the_journal_of_the_file_goes_on_in_the_server_with_its_chain(pareja: Pareja) -> None:
    old = StateDatabase(pareja.a / "estado.sqlite", pareja.night.clock)
    old.put(suelto={"ñ": [1, None]})
    old.put_row("cortes", 7, {"corte": 7})
    before, head = list(old.apuntes()), old.cabeza()
    assert before
    a = pareja.abre("a")
    state = a.state()
    assert list(state.apuntes()) == before
    assert (state.get("suelto"), state.last_row("cortes"), state.dados()) == ({"ñ": [1, None]}, {"corte": 7}, head.n)
    state.record("nota", texto="ya en el servidor")
    pareja.abre("b").state().record("nota", texto="de la otra máquina")
    after = list(state.apuntes())
    assert [apunte.n for apunte in after] == list(range(1, head.n + 3))
    assert cadena.sigue(cadena.Cabeza(), after) == state.cabeza()
    assert all(apunte.eslabon == cadena.sigue(cadena.Cabeza(), after[: apunte.n]).eslabon for apunte in after)
    assert list(old.apuntes()) == before


def test_seals_of_both_machines_find_a_journal_written_again_in_the_server(pareja: Pareja) -> None:
    """Every link done again, and the count: only what was signed before tells."""
    a = pareja.abre("a")
    corta(a, 1)
    first = sellos.sella(a, corte=2)
    pareja.calla()
    b = pareja.abre("b")
    pasa(b)
    second = sellos.sella(b, corte=2)
    assert (first.numero, second.numero, second.anterior) == (1, 2, first.sha256)
    assert sellos.revisa(a).ok
    assert sellos.revisa(b).ok
    last = cadena.GENESIS
    for n, *texts in pareja.sql("SELECT n, hora, tipo, dato FROM evento ORDER BY n"):
        if n == first.n:
            texts[1] = "nota"
        last = cadena.eslabon(last, n, *texts)
        pareja.sql("UPDATE evento SET tipo = %s, eslabon = %s WHERE n = %s", texts[1], last, n)
    for machine in (a, b):
        found = sellos.revisa(machine)
        assert not found.ok
        assert {each.codigo for each in found.fallas} == {"REESCRITA"}


def test_a_waiting_machine_keeps_a_copy_and_changes_nothing_of_the_turn(pareja: Pareja) -> None:
    a, b = pareja.abre("a"), pareja.abre("b")
    corta(a, 1)
    turn = pareja.sql("SELECT * FROM turno")
    assert releva.sigue(b) > 0
    first = tree_digest(b.repositorio)
    assert releva.sigue(b) == 0
    assert tree_digest(b.repositorio) == first
    corta(a, 2, "41")
    assert releva.sigue(b) > 0
    assert releva.sigue(a) == 0
    mine, theirs = tree_digest(b.repositorio), tree_digest(a.repositorio)
    assert mine["metadata/timestamp.json"] == theirs["metadata/timestamp.json"]
    assert pareja.difusor().mira(b.repositorio) == 3
    assert pareja.sql("SELECT maquina, epoca, desde FROM turno") == [turn[0][1:4]]


def test_what_was_altered_in_the_server_is_not_brought(pareja: Pareja) -> None:
    a, b = pareja.abre("a"), pareja.abre("b")
    corta(a, 1)
    pareja.sql("UPDATE trozo SET dato = dato || 'x'::bytea WHERE ruta LIKE 'targets/cortes/0002/%.zip'")
    with pytest.raises(DanadoError):
        releva.sigue(b)
    assert not (b.repositorio / "metadata" / "timestamp.json").exists()


def test_a_cut_that_only_the_server_vouches_for_is_not_signed(pareja: Pareja) -> None:
    """Whoever can write in the server puts there a cut of his own, as one that a dead machine had begun."""
    a, b = pareja.abre("a"), pareja.abre("b")
    corta(a, 1)
    releva.sigue(b)
    thief = pareja.night.folder / "ladron"
    shutil.copytree(pareja.a, thief)
    (thief / "instituto.toml").write_text((thief / "instituto.toml").read_text().split("[estado]")[0])
    made = open_workspace(thief, clock=pareja.night.clock)
    corta(made, 2, "votos inventados")
    folder = made.repositorio / "targets" / "cortes" / "0003"
    with pareja.abre("a").compartido.servidor.transaccion() as cursor:  # type: ignore[union-attr]
        for path in folder.iterdir():
            replica.guarda(cursor, f"targets/cortes/0003/{path.name}", path, 1)
    manifest = hashlib.sha256((folder / "manifiesto.json").read_bytes()).hexdigest()
    voucher = pareja.sql("SELECT vale FROM numero WHERE n = 2")[0][0]  # a good one, of another number
    for vale in (b"", b"{}", bytes(voucher)):
        pareja.sql("DELETE FROM numero WHERE n = 3")
        pareja.sql("INSERT INTO numero (clase, n, sha256, epoca, vale) VALUES ('corte', 3, %s, 1, %s)", manifest, vale)
        with pytest.raises(PregonError) as refusal:
            pasa(b, aunque_viva=True)
        assert refusal.value.codigo in ("FIRMA", "FORMATO")
    assert pareja.difusor().mira(b.repositorio) == 2
    assert ("cortes", 3) not in pareja.firmados()


def test_a_list_that_was_changed_in_the_server_is_not_continued(pareja: Pareja) -> None:
    a, b = pareja.abre("a"), pareja.abre("b")
    corta(a, 1)
    good = pareja.sql("SELECT dato FROM trozo WHERE ruta LIKE %s", "metadata/%.cortes.json")[0][0]
    bad = bytes(good).replace(b'"corte": 1', b'"corte": 9').replace(b'"corte":1', b'"corte":9')
    assert bad != bytes(good)
    pareja.sql("UPDATE trozo SET dato = %s WHERE ruta LIKE %s", bad, "metadata/%.cortes.json")
    pareja.sql(
        "UPDATE pieza SET sha256 = %s WHERE ruta LIKE %s", hashlib.sha256(bad).hexdigest(), "metadata/%.cortes.json"
    )
    with pytest.raises(PregonError) as refusal:
        pasa(b, aunque_viva=True)
    assert refusal.value.salida == 77
    assert not (b.repositorio / "metadata" / "timestamp.json").exists()


def test_a_server_restored_from_an_old_copy_stops_the_night_until_it_is_given_again(pareja: Pareja) -> None:
    a = pareja.abre("a")
    corta(a, 1)
    tables = ("turno", "pieza", "trozo", "numero", "rol", "vigente")
    for table in tables:
        pareja.sql(f"CREATE TABLE copia_{table} AS TABLE {table}")
    corta(a, 2, "41")
    for table in tables:
        pareja.sql(f"DELETE FROM {table}")
        pareja.sql(f"INSERT INTO {table} SELECT * FROM copia_{table}")
    before = tree_digest(a.repositorio)
    with pytest.raises(DanadoError, match="atrás de lo publicado"):
        corta(a, 3, "42")
    assert tree_digest(a.repositorio) == before
    releva.releva(a, operador="Ana", motivo="la base se restauró", siembra_de_nuevo=True)
    difusor = pareja.difusor()
    assert difusor.mira(a.repositorio) == 3
    assert corta(a, 3, "42") == 4
    assert difusor.mira(a.repositorio) == 4
    assert all(len(contents) == 1 for contents in pareja.firmados().values())


def test_an_empty_server_takes_nothing_from_a_machine_that_only_has_a_copy(pareja: Pareja) -> None:
    a, b = pareja.abre("a"), pareja.abre("b")
    corta(a, 1)
    releva.sigue(b)
    corta(a, 2, "41")
    for table in ("turno", "pieza", "trozo", "numero", "rol", "vigente"):
        pareja.sql(f"DELETE FROM {table}")
    before = tree_digest(b.repositorio)
    with pytest.raises(DanadoError, match="es una copia"):
        corta(b, 3, "42")
    assert tree_digest(b.repositorio) == before
    assert pareja.sql("SELECT count(*) FROM vigente") == [(0,)]
    pareja.sql("DELETE FROM turno")
    assert corta(a, 3, "43") == 4
    assert all(len(contents) == 1 for contents in pareja.firmados().values())


def test_without_the_server_nothing_is_signed_and_no_text_has_its_password(pareja: Pareja) -> None:
    a = pareja.abre("a")
    corta(a, 1)
    before = tree_digest(a.repositorio)
    good = (pareja.a / "estado.url").read_text()
    secret = good.split("@")[0].rsplit(":", 1)[1]
    for wrong, code in (
        (good.replace(secret, "otra%2Fclave"), "AJUSTES"),
        ("postgresql://dueno:otra%2Fclave@127.0.0.1:1/prep", "RED"),
        ("esto no es una dirección", "AJUSTES"),
    ):
        (pareja.a / "estado.url").write_text(wrong)
        with pytest.raises(PregonError) as refusal:
            corta(pareja.abre("a"), 2)
        assert refusal.value.codigo == code
        assert "otra/clave" not in str(refusal.value.as_dict())
        assert "otra%2Fclave" not in str(refusal.value.as_dict())
    assert tree_digest(a.repositorio) == before


def test_an_ordinary_account_is_enough(pareja: Pareja, postgres: Base) -> None:
    url = make_url(pareja.url).set(username="lisa", password="x")
    postgres.run("CREATE ROLE lisa LOGIN PASSWORD 'x'", f"CREATE SCHEMA {pareja.esquema} AUTHORIZATION lisa")
    for folder in (pareja.a, pareja.b):
        (folder / "estado.url").write_text(url.render_as_string(hide_password=False))
    a, b = pareja.abre("a"), pareja.abre("b")
    assert corta(a, 1) == 2
    with a.compartido.servidor.transaccion() as cursor:  # type: ignore[union-attr]
        # What the other has open in the server is ended, although it holds the turn.
        turno.exige(cursor, 1)
        assert pasa(b, aunque_viva=True).ahora.epoca == 2
        with pytest.raises(psycopg.OperationalError):
            cursor.execute("SELECT 1")
        cursor.connection.close()
    assert corta(b, 2, "41") == 3
    for space in pareja.abiertos:
        space.compartido.servidor.cierra()  # type: ignore[union-attr]
    postgres.run("DROP OWNED BY lisa CASCADE", "DROP ROLE lisa")


def test_the_state_of_another_ambiente_is_refused(pareja: Pareja) -> None:
    pareja.abre("a").state()
    text = (pareja.b / "instituto.toml").read_text()
    (pareja.b / "instituto.toml").write_text(text.replace('"oficial"', '"simulacro"'))
    with pytest.raises(PregonError) as refusal:
        pareja.abre("b").state()
    assert refusal.value.codigo == "AJUSTES"
    assert "oficial" in refusal.value.que_paso


def test_there_is_nothing_to_relieve_without_a_shared_state(pareja: Pareja) -> None:
    text = (pareja.a / "instituto.toml").read_text()
    (pareja.a / "instituto.toml").write_text(text.split("[estado]")[0])
    before = tree_digest(pareja.a)
    for order in (lambda: pasa(pareja.abre("a")), lambda: releva.sigue(pareja.abre("a"))):
        with pytest.raises(EntradaError, match=r"\[estado\]"):
            order()
    assert tree_digest(pareja.a) == before


def test_a_machine_with_nothing_is_not_the_first(pareja: Pareja) -> None:
    with pytest.raises(EntradaError):
        corta(pareja.abre("b"), 1)
    assert pareja.sql("SELECT count(*) FROM vigente") == [(0,)]
