"""``pregon instituto tablero``: its accounts, the process itself, and that it may die without touching the night."""

from __future__ import annotations

import json
import signal
import socket
import stat
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from pregon.base import locks
from pregon.cli.instituto import app
from pregon.instituto.tablero.cuentas import ARCHIVO, cuentas_de
from tests.difusor.supervisor import Supervisado
from tests.instituto.conftest import Night, tree_digest
from tests.web.conftest import CLAVE, visitando

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.workspace import Workspace


@pytest.fixture
def espacio(night: Night) -> Workspace:
    return night.create()


def run(espacio: Workspace, *arguments: str) -> Result:
    return CliRunner(env={"CLAVE": CLAVE, "CORTA": "corta"}).invoke(
        app, ["tablero", str(espacio.folder), *arguments], catch_exceptions=False
    )


def test_accounts_are_made_changed_and_removed(espacio: Workspace) -> None:
    assert "nadie puede entrar" in run(espacio, "cuentas").output
    made = run(espacio, "cuenta", "irene", "--rol", "titular", "--clave-de", "env:CLAVE", "--json")
    assert json.loads(made.stdout) == {"cuenta": "irene", "papel": "titular", "nueva": True}
    assert run(espacio, "cuenta", "leo", "--rol", "observador", "--clave-de", "env:CLAVE").exit_code == 0
    known = cuentas_de(espacio).todas()
    assert {name: one.roles for name, one in known.items()} == {
        "irene": ("observador", "operador", "titular"), "leo": ("observador",),
    }  # fmt: skip
    path = espacio.llaves / ARCHIVO
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert CLAVE not in path.read_text()
    assert cuentas_de(espacio).verifica("irene", CLAVE) == known["irene"]
    less = run(espacio, "cuenta", "irene", "--rol", "operador", "--clave-de", "env:CLAVE")
    assert "cambiada: operador" in less.output
    listed = json.loads(run(espacio, "cuentas", "--json").stdout)["cuentas"]
    assert [(one["nombre"], one["papel"]) for one in listed] == [("irene", "operador"), ("leo", "observador")]
    since = datetime.fromisoformat(known["leo"].desde).astimezone(espacio.convocatoria.zona)
    assert f"leo  observador  contraseña del {since:%d/%m/%Y, %H:%M}\n" in run(espacio, "cuentas").output
    assert run(espacio, "quita", "leo").exit_code == 0
    assert list(cuentas_de(espacio).todas()) == ["irene"]
    told = [one.dato for one in espacio.state().events() if one.tipo == "tablero_cuenta"]
    assert [(one["cuenta"], one["paso"]) for one in told] == [
        ("irene", "creada"), ("leo", "creada"), ("irene", "cambiada"), ("leo", "quitada"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("cuenta", "irene", "--rol", "jefa", "--clave-de", "env:CLAVE"), "No existe el papel «jefa»"),
        (("cuenta", "irene", "--rol", "titular", "--clave-de", "env:CORTA"), "al menos 12 caracteres"),
        (("cuenta", "irene", "--rol", "titular", "--clave-de", "secreta-y-larga"), "línea de órdenes"),
        (("cuenta", "Irene", "--rol", "titular", "--clave-de", "env:CLAVE"), "no sirve como nombre"),
        (("quita", "nadie"), "No hay una cuenta «nadie»"),
        ((), "El tablero está apagado"),
    ],
    ids=lambda one: one[1] if isinstance(one, tuple) and one else None,
)
def test_what_is_refused_changes_no_account(espacio: Workspace, arguments: tuple[str, ...], says: str) -> None:
    before = tree_digest(espacio.llaves)
    done = run(espacio, *arguments)
    assert (done.exit_code > 0, says in done.output) == (True, True), done.output
    after = tree_digest(espacio.llaves)
    assert {name: data for name, data in after.items() if not name.endswith(".lock")} == before
    assert all(one.tipo != "tablero_cuenta" for one in espacio.state().events())


def test_the_process_is_attended_and_killed_without_touching_the_night(espacio: Workspace, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    path = espacio.folder / "instituto.toml"
    path.write_text(path.read_text() + f"[tablero]\npuerto = {port}\n")
    run(espacio, "cuenta", "irene", "--rol", "titular", "--clave-de", "env:CLAVE")
    command: list[str | Path] = [sys.executable, "-m", "pregon", "instituto", "tablero", espacio.folder]
    url = f"http://127.0.0.1:{port}/"
    before = tree_digest(espacio.repositorio)
    with Supervisado(command, tmp_path) as service:
        assert "tablero" in service.espera("READY")["STATUS"]
        # It holds nothing of the night's: whoever makes it may.
        with (
            locks.exclusive(espacio.folder / "opera.lock"),
            locks.exclusive(espacio.folder / "instituto.lock"),
            visitando(url) as visita,
        ):
            assert visita.entra("irene").status_code == 303
            assert visita.client.get(url + "api/tablero").status_code == 200
        service.manda(signal.SIGKILL)
        service.proceso.wait(10)
    with Supervisado(command, tmp_path, watchdog_s=4) as service:
        service.espera("READY")
        service.espera("WATCHDOG", "1", cuenta=3)  # The first is the start's own; the others are of who answers.
        assert service.termina(seconds=20) == 0
    assert tree_digest(espacio.repositorio) == before
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)
