"""Another version of the program on the same folder, forward and back; and a state database that is damaged or lost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base import esquema, state
from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.base.errors import DanadoError, InstanciaError, UsoError, VersionError
from pregon.base.locks import alone, exclusive
from pregon.base.state import StateDatabase
from pregon.cli.difusor import app
from pregon.difusor import pointer
from pregon.difusor.historia.rescate import open_sound_state
from pregon.difusor.libro import Libro
from pregon.difusor.night import open_receiver, receive_once
from pregon.difusor.report import estado
from tests.difusor.conftest import Escena, EscenaFactory, without_twins
from tests.trust.conftest import INICIO, INTERVALO, OFICIAL, other

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pregon.difusor.aceptado import Aceptado

VIEJO = """
CREATE TABLE IF NOT EXISTS valor (clave TEXT PRIMARY KEY, dato TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS evento (
  n INTEGER PRIMARY KEY AUTOINCREMENT, hora TEXT NOT NULL, tipo TEXT NOT NULL, dato TEXT NOT NULL) STRICT;
"""
"""What the program of schema 0 ran at each opening, letter by letter. It never looked at ``user_version``."""


class Anterior:
    """The state database as the program of schema 0 used it, in its own SQL."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as connection:
            connection.executescript(VIEJO)

    def get(self, key: str) -> Any:
        with self._open() as connection:
            row = connection.execute("SELECT dato FROM valor WHERE clave = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, **values: Any) -> None:
        with self._open() as connection:
            connection.executemany(
                "INSERT INTO valor VALUES (?, ?) ON CONFLICT (clave) DO UPDATE SET dato = excluded.dato",
                [(key, json.dumps(value, ensure_ascii=False)) for key, value in values.items()],
            )

    def record(self, hora: str, kind: str, **data: Any) -> None:
        with self._open() as connection:
            connection.execute(
                "INSERT INTO evento (hora, tipo, dato) VALUES (?, ?, ?)",
                (hora, kind, json.dumps(data, ensure_ascii=False, sort_keys=True)),
            )

    def accept(self, cut: dict[str, Any]) -> None:
        """``Libro.aceptar`` of then: the whole list again."""
        self.put(cortes=[*(self.get("cortes") or []), cut])

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self._path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            with connection:
                yield connection


def back_to_old(escena: Escena) -> None:
    """Leave in the workspace the state that the program of schema 0 would have after the same night."""
    now, old = escena.workspace.estado, escena.folder / "viejo.sqlite"
    previous = Anterior(old)
    for cut in escena.libro.cortes():
        previous.accept(cut.to_json())
    with contextlib.closing(sqlite3.connect(now)) as connection:
        values = connection.execute("SELECT clave, dato FROM valor").fetchall()
        events = connection.execute("SELECT hora, tipo, dato FROM evento ORDER BY n").fetchall()
    for key, text in values:
        previous.put(**{key: json.loads(text)})
    for hora, kind, text in events:
        previous.record(hora, kind, **json.loads(text))
    clean(now)
    old.rename(now)


def as_json(cuts: Sequence[Aceptado]) -> list[Any]:
    return [json.loads(json.dumps(cut.to_json())) for cut in cuts]


def clean(path: Path) -> None:
    for side in ("", *state.LATERALES):
        path.with_name(path.name + side).unlink(missing_ok=True)


def dump(path: Path) -> list[str]:
    """Everything in the database, as SQL."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [f"version {esquema.version_of(connection)}", *connection.iterdump()]


def version(path: Path) -> int:
    return state.version(path)


@pytest.fixture
def tmp_path(fast: Path) -> Path:
    """Many cuts, and none of them must outlive the machine: in memory."""
    return fast


@pytest.fixture
def noche(escena: Escena) -> Escena:
    """Two cuts published."""
    for corte in (1, 2):
        escena.cut(corte)
        escena.receiver().run_once()
    assert pointer.read(escena.workspace) == "0002"
    return escena


def cli(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


# The file alone.


def test_a_cut_is_one_row_and_the_others_are_not_written_again(noche: Escena) -> None:
    with contextlib.closing(sqlite3.connect(noche.workspace.estado)) as connection:
        rows = connection.execute("SELECT serie, n FROM renglon ORDER BY n").fetchall()
        assert rows == [("cortes", 1), ("cortes", 2)]
        connection.execute(
            "CREATE TRIGGER testigo BEFORE UPDATE ON renglon BEGIN SELECT RAISE(ABORT, 'se reescribió'); END"
        )
        connection.execute("CREATE TRIGGER borra BEFORE DELETE ON renglon BEGIN SELECT RAISE(ABORT, 'se borró'); END")
        connection.commit()
    noche.cut(3)
    assert noche.receiver().run_once().novedad == 3
    assert [cut.corte for cut in noche.libro.cortes()] == [1, 2, 3]


def test_forward_and_back_give_the_same_file(noche: Escena) -> None:
    path, cuts, newest = noche.workspace.estado, noche.libro.cortes(), esquema.VERSION
    assert state.migrate(path, 0) == (newest, 0)
    old = dump(path)
    assert old[0] == "version 0"
    assert not any("renglon" in line or "eslabon" in line for line in old)
    assert Anterior(path).get("cortes") == as_json(cuts)
    dumps = []
    for version in range(1, newest + 1):
        assert state.migrate(path, version) == (version - 1, version)
        dumps.append(dump(path))
    assert noche.libro.cortes() == cuts
    for version in range(newest - 1, 0, -1):
        assert state.migrate(path, version) == (version + 1, version)
        assert dump(path) == dumps[version - 1]
    assert state.migrate(path, 0) == (1, 0)
    assert dump(path) == old
    assert state.migrate(path, newest) == (0, newest)
    assert dump(path) == dumps[-1]
    state.migrate(path, 0)
    assert state.migrate(path, 0) == (0, 0)


def test_the_copy_beside_is_the_file_of_before_and_only_the_last(noche: Escena) -> None:
    path = noche.workspace.estado
    copy = path.with_name(path.name + state.ANTES)
    assert not copy.exists()  # Nothing was migrated: it was made so.
    new = dump(path)
    state.migrate(path, 0)
    assert dump(copy) == new
    old = dump(path)
    state.migrate(path, esquema.VERSION)
    assert dump(copy) == old
    assert sorted(found.name for found in path.parent.glob("estado.sqlite*")) == ["estado.sqlite", copy.name]


@pytest.mark.parametrize("target", [-1, esquema.VERSION + 1])
def test_a_version_that_nobody_knows_is_not_gone_to(noche: Escena, target: int) -> None:
    before = dump(noche.workspace.estado)
    with pytest.raises(UsoError):
        state.migrate(noche.workspace.estado, target)
    assert dump(noche.workspace.estado) == before


def test_a_newer_version_is_refused_with_the_command_and_nothing_changes(noche: Escena) -> None:
    path = noche.workspace.estado
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {esquema.VERSION + 1}")
        connection.execute("CREATE TABLE del_futuro (x)")
        connection.commit()
    content, public = path.read_bytes(), noche.public()
    with pytest.raises(VersionError) as refused:
        noche.state()
    assert f"pregon difusor migra {noche.workspace.folder} --a {esquema.VERSION}" in refused.value.que_hacer
    assert "más nuevo" in refused.value.que_paso
    for order in (("recibe", noche.workspace.folder, "--una-vez"), ("estado", noche.workspace.folder)):
        status, _, err = cli(*order)
        assert (status, "Error VERSION" in err) == (78, True)
    with pytest.raises(VersionError):
        state.migrate(path, 0)
    with pytest.raises(VersionError):
        open_sound_state(noche.workspace, noche.clock, Disk())
    assert path.read_bytes() == content
    assert noche.public() == public
    assert sorted(found.name for found in path.parent.glob("estado.sqlite*")) == ["estado.sqlite"]


def test_killed_in_the_middle_of_a_migration_leaves_one_schema_or_the_other(noche: Escena) -> None:
    path = noche.workspace.estado
    back_to_old(noche)
    old = dump(path)
    for statement in range(len(esquema.CERO) + sum(len(step.adelante) for step in esquema.PASOS)):
        child = os.fork()
        if child == 0:
            with contextlib.closing(sqlite3.connect(path)) as connection:
                connection.isolation_level = None
                seen = 0

                def count(text: str, at: int = statement) -> None:
                    nonlocal seen
                    seen += not text.startswith(("BEGIN", "PRAGMA", "--"))
                    if seen > at:
                        os.kill(os.getpid(), signal.SIGKILL)

                connection.set_trace_callback(count)
                esquema.move(connection, esquema.VERSION)
            os._exit(70)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        assert dump(path) == old
    assert [cut.corte for cut in noche.libro.cortes()] == [1, 2]


def test_the_institute_s_state_of_before_opens_too(tmp_path: Path) -> None:
    """The same database, without cuts: its values and its journal stay."""
    path = tmp_path / "estado.sqlite"
    old = Anterior(path)
    old.put(cierre={"corte": 9})
    old.record(INICIO.isoformat(), "firmado", corte=9)
    opened = StateDatabase(path, ManualClock(INICIO))
    assert opened.get("cierre") == {"corte": 9}
    assert [(event.tipo, event.dato) for event in opened.events()] == [("firmado", {"corte": 9})]
    assert list(opened.rows("cortes")) == []
    state.migrate(path, 0)
    assert Anterior(path).get("cortes") is None


# The upgrade between two cuts, and back.


def test_upgrade_between_two_cuts_and_back(noche: Escena) -> None:
    public = noche.public()
    back_to_old(noche)
    noche.clock.instant += timedelta(minutes=5)
    noche.receiver().run_once()  # The new program starts: it serves the same.
    assert version(noche.workspace.estado) == esquema.VERSION
    assert noche.public() == public
    assert noche.libro.publicado == 2
    noche.cut(3)
    assert noche.receiver().run_once().novedad == 3
    assert without_twins(noche.public())["corte.json"] == noche.manifest_hashes(3)["corte.json"]
    cuts = as_json(noche.libro.cortes())
    status, out, err = cli("migra", noche.workspace.folder, "--a", "0")
    assert (status, err) == (0, "")
    assert f"de la versión {esquema.VERSION} a la 0" in out
    # What the older program expects: its own tables alone, and the cuts in the one value that it reads.
    previous = Anterior(noche.workspace.estado)
    assert previous.get("cortes") == cuts
    assert previous.get("publicado")["corte"] == 3
    previous.put(publicado={"corte": 3, "hora": noche.clock.instant.isoformat()})
    # It received one more, and this program comes back: nothing of that is lost.
    public = noche.public()
    cuts[-1]["recibido"] = noche.clock.instant.isoformat()
    previous.put(cortes=cuts)
    assert as_json(noche.libro.cortes()) == cuts
    assert noche.public() == public


def test_an_older_program_at_work_is_not_migrated_under_its_feet(noche: Escena) -> None:
    back_to_old(noche)
    before, public = dump(noche.workspace.estado), noche.public()
    ready, tell = os.pipe()
    child = os.fork()  # The older program is another process.
    if child == 0:
        with exclusive(noche.workspace.candado):
            os.write(tell, b"1")
            signal.pause()
        os._exit(0)
    try:
        assert os.read(ready, 1) == b"1"
        for order in (("estado", noche.workspace.folder), ("migra", noche.workspace.folder)):
            status, _, err = cli(*order)
            assert (status, "Error INSTANCIA" in err) == (75, True)
        with pytest.raises(InstanciaError):
            noche.state()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(tell)
    assert dump(noche.workspace.estado) == before
    assert noche.public() == public
    status, out, _ = cli("migra", noche.workspace.folder, "--json")
    assert (status, json.loads(out)) == (0, {"antes": 0, "version": esquema.VERSION, "programa": esquema.VERSION})
    assert [cut.corte for cut in noche.libro.cortes()] == [1, 2]


def test_alone_knows_its_own_lock(tmp_path: Path) -> None:
    lock = tmp_path / "opera.lock"
    with exclusive(lock), alone(lock):
        pass
    with alone(lock), pytest.raises(InstanciaError), exclusive(lock):
        pass


def test_migra_before_the_first_start_and_twice(escena: Escena) -> None:
    status, _, err = cli("migra", escena.workspace.folder)
    assert (status, "Error ENTRADA" in err) == (66, True)
    assert not escena.workspace.estado.exists()
    escena.receiver()
    assert f"ya está en la versión {esquema.VERSION}" in cli("migra", escena.workspace.folder)[1]


# Damaged or lost.


def corrupt_header(path: Path) -> None:
    path.write_bytes(b"esto no es una base" + path.read_bytes()[19:])


def corrupt_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(bytes(data))


def corrupt_value(path: Path) -> None:
    """A page that SQLite finds sound, and a text in it that is not what was written."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE renglon SET dato = replace(dato, '}', '?')")
        connection.commit()


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [corrupt_header, corrupt_pages, corrupt_value, cut_short])
def test_a_damaged_database_is_set_aside_and_made_again(noche: Escena, damage: Any) -> None:
    workspace, public, cuts = noche.workspace, noche.public(), noche.libro.cortes()
    witness = noche.libro.testigo
    damage(workspace.estado)
    evidence = workspace.estado.read_bytes()
    if damage is corrupt_header:
        workspace.estado.with_name("estado.sqlite-wal").write_bytes(b"resto de una muerte")
    noche.clock.instant += timedelta(seconds=7)
    fresh = open_sound_state(workspace, noche.clock, Disk())
    receiver = open_receiver(workspace, clock=noche.clock, state=fresh, disk=Disk())
    outcome = receiver.run_once()
    assert (outcome.error, outcome.cambio, noche.public()) == (None, False, public)
    assert noche.libro.cortes() == cuts
    assert (noche.libro.publicado, noche.libro.testigo) == (2, witness)
    aside = min(workspace.folder.glob("estado.sqlite.danado-*"))
    assert aside.name == f"estado.sqlite.danado-{noche.clock.instant:%Y%m%dT%H%M%SZ}"
    assert aside.read_bytes() == evidence
    assert aside.with_name(aside.name + "-wal").exists() is (damage is corrupt_header)
    [event] = [event for event in fresh.events() if event.tipo == "estado_apartado"]
    assert event.dato["archivo"] == aside.name
    warnings = estado(workspace, noche.libro, noche.clock.now())["avisos"]
    assert [aside.name in found["texto"] for found in warnings if found["codigo"] == "ESTADO"] == [True]
    noche.cut(3)
    assert receiver.run_once().novedad == 3
    assert pointer.read(workspace) == "0003"


@pytest.mark.parametrize("empty", [False, True], ids=["absent", "empty"])
def test_a_database_that_is_gone_is_noticed(noche: Escena, empty: bool) -> None:  # noqa: FBT001
    workspace, public = noche.workspace, noche.public()
    clean(workspace.estado)
    if empty:
        workspace.estado.touch()
    assert receive_once_by(noche).novedad is None
    assert noche.public() == public
    assert [cut.corte for cut in noche.libro.cortes()] == [1, 2]
    assert noche.libro.apartado is not None
    assert "no está, o está vacío" in noche.libro.apartado["motivo"]


def receive_once_by(escena: Escena) -> Any:
    fresh = open_sound_state(escena.workspace, escena.clock, Disk())
    return open_receiver(escena.workspace, clock=escena.clock, state=fresh, disk=Disk()).run_once()


def test_a_first_start_is_no_alarm(escena: Escena) -> None:
    receive_once_by(escena)
    assert escena.libro.apartado is None
    assert not list(escena.workspace.folder.glob("estado.sqlite.danado-*"))


def test_a_state_lost_before_the_start_opens_nothing(escena: Escena) -> None:
    """GRO-1.1a: the package of before the start waits; without memory, and with nobody to trust, it still waits."""
    escena.sign(1, hora_corte=INICIO, firmado=INICIO - timedelta(minutes=30))
    escena.receiver().run_once()
    assert pointer.read(escena.workspace) == pointer.ESPERA
    corrupt_header(escena.workspace.estado)
    escena.clock.instant = INICIO + timedelta(minutes=1)  # By this clock alone, which nobody confirms.
    receive_once_by(escena)
    assert [cut.corte for cut in escena.libro.cortes()] == [1]
    assert pointer.read(escena.workspace) == pointer.ESPERA
    assert escena.libro.publicado is None


def test_the_page_of_a_suspension_is_not_blanked_by_a_lost_state(noche: Escena) -> None:
    pointer.switch(noche.workspace, pointer.AVISO, Disk())
    clean(noche.workspace.estado)
    noche.clock.instant = INICIO + INTERVALO * 2
    receive_once_by(noche)
    assert pointer.read(noche.workspace) != pointer.ESPERA


def test_damage_while_the_difusor_works_does_not_end_the_night(escena_factory: EscenaFactory) -> None:
    """The loop sets it aside by itself, with what is public as it was, and receives the next cut."""
    import threading

    from pregon.base.clock import SimulatedClock
    from pregon.difusor.night import receive_until

    escena = escena_factory(
        identity=other(OFICIAL, ambiente="simulacro"), reloj='fuente = "simulado"\nsimulado = "reloj.json"'
    )
    clock = SimulatedClock.start(INICIO + INTERVALO * 2, 1.0)
    (escena.workspace.folder / "reloj.json").write_bytes(clock.dump())
    escena.cut(1)
    stop, seen = threading.Event(), threading.Condition()
    accepted: list[int] = []

    def tell(outcome: Any) -> None:
        with seen:
            if outcome.novedad is not None:
                accepted.append(outcome.novedad)
            seen.notify_all()

    thread = threading.Thread(
        target=receive_until, args=(escena.workspace, stop), kwargs={"disk": Disk(), "tell": tell}, daemon=True
    )
    thread.start()
    try:
        with seen:
            assert seen.wait_for(lambda: accepted == [1], timeout=20)
        public = escena.public()
        clean(escena.workspace.estado)
        escena.workspace.estado.write_bytes(b"basura" * 4000)
        escena.cut(2)
        with seen:
            assert seen.wait_for(lambda: accepted == [1, 2], timeout=20)
        assert set(public) != set(escena.public())
    finally:
        stop.set()
        thread.join(20)
    assert pointer.read(escena.workspace) == "0002"
    assert len(list(escena.workspace.folder.glob("estado.sqlite.danado-*"))) >= 1
    assert [cut.corte for cut in Libro(escena.workspace.open_state(clock)).cortes()] == [1, 2]


def test_a_reader_never_sets_anything_aside(noche: Escena) -> None:
    corrupt_header(noche.workspace.estado)
    content = noche.workspace.estado.read_bytes()
    status, _, err = cli("estado", noche.workspace.folder)
    assert (status, "Error DISCO" in err) == (74, True)
    with pytest.raises(DanadoError):
        noche.state()
    assert noche.workspace.estado.read_bytes() == content
    assert not list(noche.workspace.folder.glob("estado.sqlite.danado-*"))
    receive_once(noche.workspace, disk=Disk())
    assert len(list(noche.workspace.folder.glob("estado.sqlite.danado-*"))) == 1
