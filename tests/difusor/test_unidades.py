"""``configura systemd``: what systemd itself thinks of the units, and the same order run with the same bounds.

PID 1 here need not be systemd, so the units are linted and graded by its own tools and their ``ExecStart`` runs under a
small supervisor, with the nearest bounds: another user without any capability, a system that is only to read but for
``ReadWritePaths``, no new privileges, no memory that is both written and run, and no system call out of the filter.
"""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import SystemClock
from pregon.base.red import free_port
from pregon.base.unidades import UNIDADES, escapada
from pregon.difusor.configura.systemd import TERMINA_S, WATCHDOG_S
from pregon.difusor.night import real_clock
from pregon.difusor.servidor.direccion import public_url
from pregon.difusor.unpack import MANO_BYTES
from pregon.difusor.workspace import open_workspace
from pregon.instituto import workspace
from pregon.sonda.probe import probe
from tests.difusor.conftest import files_of, without_twins
from tests.difusor.maquina import SRC, Maquina
from tests.difusor.supervisor import Supervisado
from tests.difusor.test_opera import noche
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from tests.difusor.conftest import Escena, EscenaFactory

RAIZ = Path(__file__).resolve().parents[2]
EXPOSICION = {"opera": 1.3, "sirve": 1.5}
"""Most that ``systemd-analyze security`` may say, of 10; a unit without bounds has 9.6."""


def corre(*command: str | Path, check: bool = True) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pregon(*arguments: str | Path, estado: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pregon", "difusor", *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == estado, done.stdout + done.stderr
    return done.stdout if estado == 0 else done.stderr


def ajusta(escena: Escena, text: str) -> None:
    toml = escena.workspace.folder / "difusor.toml"
    toml.write_text(toml.read_text().replace("puerto = 0", text))


def valor(unit: str, key: str) -> str:
    """The only value of ``key`` in the text of a unit."""
    (found,) = re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE)
    return str(found)


def allowed(unit: str) -> set[str]:
    """The system calls that the unit's filters leave, as this systemd understands their groups."""
    groups: dict[str, set[str]] = {}

    def members(word: str) -> set[str]:
        if not word.startswith("@"):
            return {word}
        if word not in groups:
            lines = corre("systemd-analyze", "syscall-filter", word).splitlines()[1:]
            names = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
            groups[word] = set().union(*(members(name) for name in names))
        return groups[word]

    left: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        words = set().union(*(members(word) for word in line.lstrip("~").split()))
        left = left - words if line.startswith("~") else left | words
    return left


def test_units_are_right_for_systemd_and_grade_low(escena: Escena, tmp_path: Path) -> None:
    ajusta(escena, "puerto = 80")
    out = tmp_path / "unidades"
    answer = pregon("configura", "systemd", escena.workspace.folder, "--programa", "/bin/true", "--salida", out)
    name = f"pregon-difusor@{escapada(str(escena.workspace.folder))}.service"
    assert name in answer
    assert escapada(str(escena.workspace.folder)) == corre("systemd-escape", "--path", escena.workspace.folder).strip()
    (out / name).write_text((out / "pregon-difusor@.service").read_text())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"./{name}", "./pregon-sirve.service", "./pregon.slice"],
        cwd=out, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    told = [line for line in done.stderr.splitlines() if "pregon" in line]
    assert not told, told
    for unit, limit in ((name, EXPOSICION["opera"]), ("pregon-sirve.service", EXPOSICION["sirve"])):
        # --threshold takes tenths: the order itself fails above it.
        corre("systemd-analyze", "security", "--offline=true", f"--threshold={int(limit * 10)}", out / unit)
    opera, sirve = ((out / unit).read_text() for unit in (name, "pregon-sirve.service"))
    assert valor(opera, "CapabilityBoundingSet") == ""
    assert valor(sirve, "AmbientCapabilities") == "CAP_NET_BIND_SERVICE"
    assert "AmbientCapabilities" not in opera
    assert valor(opera, "WatchdogSec") == str(WATCHDOG_S)
    assert valor(opera, "TimeoutStopSec") == str(TERMINA_S)


def test_without_a_low_port_nobody_has_a_capability(escena: Escena) -> None:
    ajusta(escena, "puerto = 8080")
    files = {
        one["nombre"]: one
        for one in json.loads(pregon("configura", "systemd", escena.workspace.folder, "--json"))["archivos"]
    }
    assert set(files) == {"pregon-difusor@.service", "pregon-sirve.service", "pregon.slice"}
    for name in ("pregon-difusor@.service", "pregon-sirve.service"):
        assert valor(files[name]["texto"], "CapabilityBoundingSet") == ""
        assert files[name]["destino"] == f"{UNIDADES}/{name}"
    assert "AmbientCapabilities" not in files["pregon-sirve.service"]["texto"]


def test_what_a_unit_cannot_hold_is_refused(escena: Escena, tmp_path: Path) -> None:
    odd = tmp_path / "con espacio"
    escena.workspace.folder.rename(odd)
    out = tmp_path / "nada"
    assert "signos que no admiten" in pregon("configura", "systemd", odd, "--salida", out, estado=2)
    plain = odd.rename(tmp_path / "difusor")
    assert "dos veces" in pregon("configura", "systemd", plain, plain, "--salida", out, estado=2)
    assert not out.exists()


_ENCIERRA = """
set -eu
for carpeta in $1; do mount --bind "$carpeta" "$carpeta"; done
mount -o remount,bind,ro /
for carpeta in $1; do mount -o remount,bind,rw "$carpeta"; done
shift
exec setpriv --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all "$@"
"""
_SIN_MEMORIA_QUE_SE_ESCRIBE_Y_EJECUTA = (
    "import ctypes, os, sys; assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0, 'PR_SET_MDWE'; "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


def encerrada(unit: str, folder: Path, traces: Path) -> list[str | Path]:
    """The unit's ExecStart with the nearest bounds: its user is root, and root without capabilities is like any.

    The names of its system calls are left in ``traces`` when it ends.
    """
    order = shlex.split(valor(unit, "ExecStart").replace("%f", str(folder)))
    (writable,) = re.findall(r"^ReadWritePaths=(.*)$", unit, re.MULTILINE)
    rooms = f"{writable.replace('%f', str(folder))} {traces}"
    strace = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "signal=none",
        "-c",
        "-S",
        "name",
        "-U",
        "name",
        "-o",
        str(traces / "nombres"),
    ]
    return [
        "unshare", "--mount", "--propagation", "private", "sh", "-c", _ENCIERRA, "sh", rooms,
        *strace, sys.executable, "-c", _SIN_MEMORIA_QUE_SE_ESCRIBE_Y_EJECUTA, *order,
    ]  # fmt: skip


def termina(servicio: Supervisado) -> int:
    """SIGTERM to the service itself, which strace started; the exit status that strace passes on."""
    own = Path(f"/proc/{servicio.proceso.pid}/task/{servicio.proceso.pid}/children").read_text().split()
    os.kill(int(own[0]), signal.SIGTERM)
    return servicio.proceso.wait(TERMINA_S)


def llamadas(traces: Path) -> set[str]:
    lines = (traces / "nombres").read_text().split()
    return {name for name in lines if name not in ("syscall", "total") and not name.startswith("-")}


def test_the_order_of_each_unit_runs_within_its_bounds(escena_factory: EscenaFactory, tmp_path: Path) -> None:
    escena = noche(escena_factory)
    # A package that is worth a second process (docs/adr/0014): what it asks of the system is within the bounds too.
    noise = random.Random(14)
    large = {f"datos/0002/gub/{n:03d}.json": noise.randbytes(MANO_BYTES // 80) for n in range(100)}
    escena.cut(2, {**files_of(2, INICIO + 2 * INTERVALO, ambiente="simulacro"), **large})
    folder = escena.workspace.folder
    ajusta(escena, f"puerto = {free_port('127.0.0.1')}")
    program = tmp_path / "pregon"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={SRC} exec {sys.executable} -m pregon "$@"\n')
    program.chmod(0o755)
    answer = json.loads(pregon("configura", "systemd", folder, "--programa", program, "--json"))
    opera, sirve = (answer["archivos"][n]["texto"] for n in (0, 1))
    rooms = [tmp_path / name for name in ("opera", "sirve")]
    for room in rooms:
        room.mkdir()
    with (
        # TMPDIR: what PrivateTmp gives; TUF and the web server use it.
        Supervisado(
            encerrada(opera, folder, rooms[0]),
            rooms[0],
            watchdog_s=WATCHDOG_S,
            environment={"TMPDIR": str(rooms[0])},
        ) as uno,
        Supervisado(encerrada(sirve, folder, rooms[1]), rooms[1], environment={"TMPDIR": str(rooms[1])}) as otro,
    ):
        uno.espera("STATUS", "corte 2")
        assert uno.cuantos("WATCHDOG") == 1
        assert "Sirve http" in otro.espera("READY")["STATUS"], "it is sirve that says so, not the web server"
        url = public_url(open_workspace(folder))
        assert url is not None
        answer_ = probe(url + "manifiesto.json", clock=real_clock())
        assert (answer_.status, answer_.sha256) == (200, escena.manifest_hashes(2)["manifiesto.json"])
        assert termina(uno) == 0
        assert probe(url, clock=real_clock()).status == 200, "who serves does not end with who receives"
        assert termina(otro) == 0
    for unit, room in ((opera, rooms[0]), (sirve, rooms[1])):
        assert llamadas(room) - allowed(unit) <= INOFENSIVAS
        assert {"openat", "close"} <= llamadas(room)
    assert "memfd_create" in llamadas(rooms[0]), "the service did use its second process"
    assert without_twins(escena.public()) == escena.manifest_hashes(2)


INOFENSIVAS = frozenset({"fchown"})
"""System calls out of the filter whose EPERM changes nothing: SQLite gives its journal to the owner of the database,
and asks only where it runs as root, as here."""


GUIDE = RAIZ / "docs" / "operacion" / "instalacion.md"


def ordenes(title: str) -> list[str]:
    """The shell lines of one section of the guide."""
    guide = GUIDE.read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", guide, re.DOTALL | re.MULTILINE)
    return [line for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL) for line in block.splitlines()]


def python_for_all(machine: Maquina) -> None:
    """Where this Python lies in a home that only its owner enters, others reach it too, on that machine alone."""
    for program in {sys.base_prefix, sys.prefix, str(SRC)}:
        for top in reversed(Path(program).parents):
            if not top.stat().st_mode & 0o001:
                inside = Path(program).relative_to(top).parts[0]
                machine.ejecuta(
                    "sh", "-ec",
                    'mkdir /mnt/casa; mount --bind "$1/$2" /mnt/casa; mount -t tmpfs -o mode=755 casa "$1"; '
                    'mkdir "$1/$2"; mount --move /mnt/casa "$1/$2"; rmdir /mnt/casa', "sh", top, inside,
                )  # fmt: skip
                break


def test_the_guide_from_an_empty_folder_to_two_services(tmp_path: Path) -> None:
    """Steps 3 to 5 on a machine of our own, whose systemd is not running: its units are installed all the same."""
    institute = workspace.create(tmp_path / "instituto", "dgo-2024", ambiente="oficial", clock=SystemClock())
    with Maquina(tmp_path) as machine:
        python_for_all(machine)
        machine.ejecuta("userdel", "pregon")  # The guide's own steps make it.
        (machine.ruta("/srv") / "root.json").write_bytes((institute.folder / workspace.RAIZ).read_bytes())
        program = machine.ruta("/srv") / "pregon-programa"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pregon "$@"\n')
        program.chmod(0o755)
        told = ""
        for line in (*ordenes(r"3\. [^\n]*"), *ordenes(r"4\. [^\n]*"), *ordenes(r"5\. [^\n]*")):
            # Here there is no /usr/local/bin/pregon.
            text = re.sub(r"\bpregon difusor", "/srv/pregon-programa difusor", line)
            text = text.replace(" --salida", " --programa /srv/pregon-programa --salida")
            told += machine.ejecuta("sh", "-ec", f"export SYSTEMD_OFFLINE=1; {text}", folder="/srv")
        account = machine.ejecuta("id", "-u", "pregon").strip()
        own = machine.ruta("/srv/pregon")
        owners = {path.lstat().st_uid for path in (own, *own.rglob("*"))}
        assert owners == {int(account)}
        assert machine.ejecuta("getent", "passwd", "pregon").rstrip().endswith("/usr/sbin/nologin")
        wanted = machine.ruta("/etc/systemd/system/multi-user.target.wants")
        assert {path.name for path in wanted.iterdir()} >= {"pregon-difusor@srv-pregon.service", "pregon-sirve.service"}
        text = machine.ruta("/etc/systemd/system/pregon-sirve.service").read_text()
        assert valor(text, "User") == "pregon"
        assert valor(text, "ExecStart") == "/srv/pregon-programa difusor sirve /srv/pregon"
        assert "dgo-2024 (oficial): espera" in told
        # And again: it may be repeated.
        before = machine.huella("/etc/systemd", "/srv/pregon")
        machine.ejecuta("sh", "-ec", "SYSTEMD_OFFLINE=1 sh para-systemd/pasos.sh", folder="/srv")
        after = machine.huella("/etc/systemd", "/srv/pregon")
        assert {name: told.split()[:2] for name, told in after.items()} == {
            name: told.split()[:2] for name, told in before.items()
        }


def test_only_a_whole_version_is_used_and_the_link_changes_at_once(tmp_path: Path) -> None:
    for name, whole in (("0.1.0", True), ("0.2.0", True), ("rota", False)):
        (tmp_path / name).mkdir()
        if whole:
            (tmp_path / name / ".completa").touch()

    def version(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [str(RAIZ / "scripts" / "version.sh"), *words], env={**os.environ, "DESTINO": str(tmp_path)},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    assert version("usa", "0.1.0")[0] == 0
    assert version("usa", "0.2.0")[0] == 0
    assert str((tmp_path / "actual").readlink()) == "0.2.0"
    for words, status in ((("usa", "rota"), 66), (("usa", "0.3.0"), 66), (("pone", "0.1.0"), 73), (("usa", "../x"), 2)):
        assert version(*words)[0] == status
    assert str((tmp_path / "actual").readlink()) == "0.2.0"
    assert "0.2.0  ← en uso" in version("lista")[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.1.0", "0.2.0", "actual", "rota"]


@pytest.mark.aguante
def test_a_version_is_installed_with_the_locked_packages(tmp_path: Path) -> None:
    script = str(RAIZ / "scripts" / "version.sh")
    environment = {**os.environ, "DESTINO": str(tmp_path), "PYTHON": sys.executable}
    environment.pop("PYTHONPATH", None)
    subprocess.run([script, "pone", "prueba"], env=environment, timeout=600, check=True)
    subprocess.run([script, "usa", "prueba"], env=environment, timeout=60, check=True)
    program = tmp_path / "actual" / "bin" / "pregon"
    assert "Uso: " in corre(program, "difusor", "opera", "--help")
    locked = (RAIZ / "requirements" / "difusor.txt").read_text()
    here = json.loads(corre(tmp_path / "actual/bin/pip", "list", "--format=json"))
    strange = [one["name"] for one in here if f"{re.sub(r'[-_.]+', '-', one['name'].lower())}==" not in locked]
    assert sorted(strange) == ["pip", "pregon", "setuptools"]
