"""The disk that forgets: what was synced stays, whatever the dice; what was not may be lost; nothing is invented."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pregon.base import procesos
from tests.red.discos import APAGONES, Traza
from tests.red.llamadas import ESCRIBEN, negado, orden_con_falla, orden_grabada

LIMIT_S = 30.0
SEEDS = range(12)
WRITE = """
import os, sys
folder = sys.argv[1]
os.chdir(folder)
def put(name, data, *, sync):
    descriptor = os.open(folder + "/" + name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(descriptor, data)
    if sync:
        os.fsync(descriptor)
    os.close(descriptor)
def sync_folder(name):
    descriptor = os.open(folder + "/" + name, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)
"""


def recorded(tmp_path: Path, code: str) -> tuple[Traza, Path]:
    """Run ``code`` on a folder with ``viejo`` (and a second name of it); its trace, and the folder."""
    folder, before = tmp_path / "disco", tmp_path / "antes"
    (folder / "sub").mkdir(parents=True)
    (folder / "viejo").write_bytes(b"de antes")
    os.link(folder / "viejo", folder / "sub" / "mismo")
    subprocess.run(["cp", "-a", folder, before], check=True, timeout=LIMIT_S)
    order = orden_grabada([sys.executable, "-c", WRITE + code, folder], tmp_path / "traza.txt")
    subprocess.run(order, check=True, timeout=LIMIT_S)
    return Traza(tmp_path / "traza.txt", raiz=folder, antes=before), folder


def left(trace: Traza, tmp_path: Path, moment: int = sys.maxsize) -> list[dict[str, bytes]]:
    """Everything that a power cut then may leave, over ways and seeds."""
    found = []
    for kind in APAGONES:
        for seed in SEEDS:
            folder = tmp_path / f"{kind}-{seed}"
            trace.tras_apagon(moment, kind, seed, folder)
            found.append(
                {
                    str(path.relative_to(folder)): path.read_bytes()
                    for path in sorted(folder.rglob("*"))
                    if path.is_file() and not path.is_symlink()
                }
            )
    return found


def test_what_is_forgotten_is_what_was_not_synced(tmp_path: Path) -> None:
    code = """
put("firme", b"f" * 3000, sync=True)
sync_folder("")
put("suelto", b"s" * 3000, sync=False)
"""
    trace, _ = recorded(tmp_path, code)
    every = left(trace, tmp_path)
    assert all(one["firme"] == b"f" * 3000 and one["viejo"] == one["sub/mismo"] == b"de antes" for one in every)
    seen = {one.get("suelto") for one in every}
    assert {None, b"", b"s" * 3000, bytes(3000)} <= seen
    assert any(one is not None and 0 < len(one) < 3000 for one in seen)


def test_name_without_a_sync_of_its_folder_may_be_undone(tmp_path: Path) -> None:
    code = """
put("nuevo.parcial", b"nuevo", sync=True)
os.rename(folder + "/nuevo.parcial", folder + "/viejo")
"""
    trace, _ = recorded(tmp_path, code)
    seen = {one["viejo"] for one in left(trace, tmp_path)}
    assert seen == {b"de antes", b"nuevo"}
    trace, _ = recorded(tmp_path / "otro", code + 'sync_folder("")\n')
    assert {one["viejo"] for one in left(trace, tmp_path / "otro")} == {b"nuevo"}


def test_rename_of_a_file_that_was_not_synced_may_leave_it_empty(tmp_path: Path) -> None:
    """The famous one: the name is on disk and the content is not."""
    code = """
put("nuevo.parcial", b"nuevo", sync=False)
os.rename(folder + "/nuevo.parcial", folder + "/viejo")
sync_folder("")
"""
    trace, _ = recorded(tmp_path, code)
    assert {b"", b"nuevo"} <= {one["viejo"] for one in left(trace, tmp_path)}


def test_syncfs_makes_everything_before_it_durable_and_nothing_after(tmp_path: Path) -> None:
    code = """
import ctypes, threading
thread = threading.Thread(target=put, args=("de-hilo", b"h" * 900), kwargs={"sync": False})
thread.start(); thread.join()
os.mkdir(folder + "/carpeta")
os.symlink("viejo", folder + "/enlace")
os.link(folder + "/viejo", folder + "/carpeta/tercero")
os.unlink(folder + "/sub/mismo")
descriptor = os.open(folder, os.O_RDONLY)
assert ctypes.CDLL(None).syncfs(descriptor) == 0
put("despues", b"d", sync=False)
"""
    trace, folder = recorded(tmp_path, code)
    every = left(trace, tmp_path)
    for one in every:
        assert one.pop("despues", b"") in (b"", b"d", b"\0")
        assert one == {"de-hilo": b"h" * 900, "carpeta/tercero": b"de antes", "viejo": b"de antes"}
    subprocess.run(["diff", "-r", "--no-dereference", tmp_path / "todo-0", folder], check=True, timeout=LIMIT_S)
    assert (tmp_path / "nada-0" / "enlace").readlink() == Path("viejo")
    assert (tmp_path / "nada-0" / "viejo").samefile(tmp_path / "nada-0" / "carpeta" / "tercero")


def test_moment_is_before_what_came_after_it(tmp_path: Path) -> None:
    code = """
put("a", b"a", sync=True); sync_folder("")
put("b", b"b", sync=True); sync_folder("")
"""
    trace, _ = recorded(tmp_path, code)
    first = trace.puntos[3]  # just after the first sync of the folder
    assert {frozenset(one) for one in left(trace, tmp_path, first)} == {frozenset({"a", "viejo", "sub/mismo"})}


def test_database_in_wal_mode_keeps_what_it_committed(tmp_path: Path) -> None:
    """SQLite goes through it too, and with ``synchronous = OFF`` it is caught."""
    code = """
import sqlite3
base = sqlite3.connect(folder + "/e.sqlite", isolation_level=None)
base.execute("PRAGMA journal_mode = WAL"); base.execute("PRAGMA synchronous = " + MODE)
base.execute("CREATE TABLE t (n)")
base.execute("INSERT INTO t VALUES (1)")
os._exit(0)
"""
    read = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT n FROM t').fetchall())"
    kept: dict[str, set[str]] = {}
    for mode in ("FULL", "OFF"):
        trace, _ = recorded(tmp_path / mode, f"MODE = {mode!r}\n{code}")
        for kind in APAGONES:
            folder = tmp_path / mode / "tras" / kind
            folder.parent.mkdir(exist_ok=True)
            trace.tras_apagon(sys.maxsize, kind, 1, folder)
            done = subprocess.run(
                [sys.executable, "-c", read, folder / "e.sqlite"], check=False, timeout=LIMIT_S, capture_output=True
            )
            kept.setdefault(mode, set()).add(done.stdout.decode().strip())
    assert kept["FULL"] == {"[(1,)]"}
    assert kept["OFF"] != {"[(1,)]"}


@pytest.mark.parametrize("siempre", [False, True])
def test_call_that_fails_once_or_from_then_on(tmp_path: Path, *, siempre: bool) -> None:
    code = (
        "import os, sys\n"
        "for n in range(4):\n"
        "    try:\n        os.mkdir(f'{sys.argv[1]}/{n}')\n"
        "    except OSError as exc:\n        print(exc.errno)\n"
    )
    order = orden_con_falla(
        [sys.executable, "-c", code, tmp_path], tmp_path / "traza", llamada="mkdir", error="ENOSPC", desde=2,
        hasta=None if siempre else 2,
    )  # fmt: skip
    done = subprocess.run(order, check=True, timeout=LIMIT_S, capture_output=True)
    failed = 3 if siempre else 1
    assert done.stdout.split() == [str(errno.ENOSPC).encode()] * failed
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 4 - failed


def test_running_process_is_refused_for_a_while(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\n"
        "while True:\n"
        "    try:\n        os.mkdir(sys.argv[1] + '/a'); os.rmdir(sys.argv[1] + '/a')\n"
        "        os.close(os.open(sys.argv[1] + '/hecho', os.O_CREAT | os.O_WRONLY))\n"
        "    except OSError:\n        pass\n"
        "    time.sleep(0.01)\n"
    )
    assert "mkdir" in ESCRIBEN
    done = tmp_path / "hecho"
    with procesos.running([sys.executable, "-c", code, tmp_path], output=tmp_path / "salida.txt") as process:
        procesos.wait_until(done.exists, process, timeout=LIMIT_S, what="uno")
        with negado(process.pid, "EROFS", tmp_path / "negado.txt"):
            done.unlink()
            time.sleep(0.2)
            assert not done.exists()
        procesos.wait_until(done.exists, process, timeout=LIMIT_S, what="otro")
    assert "EROFS" in (tmp_path / "negado.txt").read_text()
