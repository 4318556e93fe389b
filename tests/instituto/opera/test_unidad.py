"""The unit of the institute's night: what systemd itself thinks of it, and that it says what the program does."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pregon.base.errors import UsoError
from pregon.cli.instituto.opera import app
from pregon.instituto.opera.servicio import CORTE_FIN_S, ENTREGA_FIN_S
from pregon.instituto.opera.unidad import NOMBRE, TABLERO, TERMINA_S, unidad
from tests.instituto.opera.mesa import mesa_de

if TYPE_CHECKING:
    from pathlib import Path

EXPOSICION = 1.4
"""Most that ``systemd-analyze security`` may say, of 10; a unit without bounds has 9.6."""


def test_the_unit_is_right_for_systemd_and_grades_low(tmp_path: Path) -> None:
    mesa = mesa_de(tmp_path)
    out = tmp_path / "unidades"
    done = CliRunner().invoke(app, ["unidad", str(mesa.carpeta), "--programa", "/bin/true", "--salida", str(out)])
    assert done.exit_code == 0, done.output
    made = unidad(mesa.espacio)
    assert made.servicio in done.output
    (out / made.servicio).write_text((out / NOMBRE).read_text())
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"./{made.servicio}"],
        cwd=out, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    assert not [line for line in checked.stderr.splitlines() if "pregon" in line]
    graded = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={int(EXPOSICION * 10)}", out / made.servicio],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert graded.returncode == 0, graded.stdout[-400:]
    syntax = subprocess.run(["sh", "-n", out / "pasos.sh"], check=False, timeout=20)
    assert syntax.returncode == 0
    assert CORTE_FIN_S + ENTREGA_FIN_S < TERMINA_S, "systemd waits for the cut in hand"


def test_what_is_written_outside_is_allowed_and_odd_paths_are_refused(tmp_path: Path) -> None:
    mesa = mesa_de(tmp_path)
    mesa.ajusta(lista="/srv/www/difusores")
    text = unidad(mesa.espacio).archivo.texto
    assert "ReadWritePaths=%f /srv/www/difusores\n" in text
    mesa.ajusta(lista="/srv/www/con espacio")
    with pytest.raises(UsoError, match="signos"):
        unidad(mesa.espacio)


def test_the_board_has_a_unit_of_its_own_where_it_is_attended(tmp_path: Path) -> None:
    mesa = mesa_de(tmp_path)
    assert unidad(mesa.espacio).tablero is None
    path = mesa.carpeta / "instituto.toml"
    path.write_text(path.read_text() + "[tablero]\npuerto = 8443\n")
    out = tmp_path / "unidades"
    done = CliRunner().invoke(app, ["unidad", str(mesa.carpeta), "--programa", "/bin/true", "--salida", str(out)])
    assert done.exit_code == 0, done.output
    assert sorted(one.name for one in out.iterdir()) == ["pasos.sh", NOMBRE, TABLERO]
    name = f"pregon-tablero@{unidad(mesa.espacio).servicio.partition('@')[2]}"
    assert f"systemctl enable --now '{name}'" in (out / "pasos.sh").read_text()
    text = (out / TABLERO).read_text()
    assert "instituto tablero %f\n" in text
    assert "WatchdogSec=300\nWatchdogSignal=SIGABRT\n" in text
    (out / name).write_text(text)
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"./{name}"],
        cwd=out, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    assert not [line for line in checked.stderr.splitlines() if "pregon" in line]
    graded = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={int(EXPOSICION * 10)}", out / name],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert graded.returncode == 0, graded.stdout[-400:]
