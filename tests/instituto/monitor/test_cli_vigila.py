"""``pregon instituto vigila``, ``observa`` and ``disponibilidad``: what they say, and how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from typer.testing import CliRunner, Result

from pregon.base.clock import SimulatedClock
from pregon.base.red import free_port
from pregon.cli.instituto import app
from tests.instituto.monitor.conftest import FIRMADOS
from tests.instituto.monitor.portales import Sitio, abierto

if TYPE_CHECKING:
    from pathlib import Path

    from tests.instituto.monitor.conftest import Instituto


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def at_night(instituto: Instituto) -> Path:
    """The workspace with a simulated clock that reads two minutes after the third cut."""
    folder = instituto.workspace.folder
    clock = SimulatedClock.start(FIRMADOS[3] + timedelta(minutes=2), 1.0)
    (folder / "reloj.json").write_bytes(clock.dump())
    with (folder / "instituto.toml").open("a") as file:
        file.write('reloj_simulado = "reloj.json"\n')
    return folder


def watch(folder: Path, **portals: str) -> None:
    with (folder / "instituto.toml").open("a") as file:
        file.write("\n[monitor]\nrespuesta_s = 2.0\nconexion_s = 1.0\n")
        for name, url in portals.items():
            file.write(f'[[monitor.portal]]\ndifusor = "{name}"\nurls = ["{url}"]\n')


def test_one_round_says_it_in_words_and_in_json_and_ends_with_70_where_somebody_fails(instituto: Instituto) -> None:
    folder = at_night(instituto)
    with abierto(Sitio(instituto.publicados[3])) as good, abierto(Sitio(instituto.publicados[3])) as other:
        watch(folder, bien=good.url, malo=other.url)
        whole = run("vigila", str(folder), "--una-vez", "--json")
        other.alterados["index.html"] = b"<h1>otra cosa</h1>"
        bad = run("vigila", str(folder), "--una-vez")
    assert (whole.exit_code, whole.stderr) == (0, "")
    told = json.loads(whole.stdout)
    assert [(one["difusor"], one["veredicto"], one["corte"]) for one in told["difusores"]] == [
        ("bien", "al_dia", 3),
        ("malo", "al_dia", 3),
    ]
    assert told["ronda"] == 1
    assert bad.exit_code == 70
    assert "malo: ALTERADO, corte 0003 (CONTENIDO); causa: el difusor." in bad.stdout
    assert "bien: al día, corte 0003." in bad.stdout
    month = run("disponibilidad", str(folder), "--mes", "2021-06", "--json")
    assert month.exit_code == 0
    rows = {one["difusor"]: one for one in json.loads(month.stdout)["difusores"]}
    assert rows["bien"]["arriba_s"] == rows["malo"]["arriba_s"] == 120
    assert rows["bien"]["al_dia_s"] == 120
    assert rows["malo"]["al_dia_s"] == 60
    text = run("disponibilidad", str(folder), "--mes", "2021-06")
    assert "bien: contestó 100.0000 % de lo que se observó" in text.stdout
    assert run("disponibilidad", str(folder), "--mes", "junio").exit_code == 2


def test_without_portals_it_says_what_to_do_and_looks_at_nobody(instituto: Instituto) -> None:
    folder = at_night(instituto)
    ended = run("vigila", str(folder), "--una-vez", "--json")
    assert ended.exit_code == 66
    assert "[[monitor.portal]]" in json.loads(ended.stderr)["que_hacer"]
    assert not (folder / "observaciones").exists()


def test_it_goes_on_round_after_round_until_it_is_told_to_end(instituto: Instituto) -> None:
    folder = at_night(instituto)
    with abierto(Sitio(instituto.publicados[3])) as site:
        watch(folder, uno=site.url)
        text = (folder / "instituto.toml").read_text().replace("[monitor]\n", "[monitor]\ncada_s = 1\n")
        (folder / "instituto.toml").write_text(text)
        process = subprocess.Popen(
            [sys.executable, "-m", "pregon", "instituto", "vigila", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout is not None
        lines: list[str] = []
        deadline = time.monotonic() + 30
        while not any(line.startswith("Ronda 2") for line in lines) and time.monotonic() < deadline:
            lines.append(process.stdout.readline())
        process.terminate()
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == 0, stderr
    assert [line[:7] for line in lines if line.startswith("Ronda")] == ["Ronda 1", "Ronda 2"]


def test_another_machine_is_made_a_point_looks_and_leaves_what_it_saw_signed(
    instituto: Instituto, tmp_path: Path
) -> None:
    point = tmp_path / "punto"
    made = run(
        "observa", str(point), "--inicia", "--punto", "norte", "--convocatoria", "ensayo-2021", "--instituto",
        "iedemo", "--ambiente", "simulacro",
    )  # fmt: skip
    assert made.exit_code == 0, made.stderr
    assert (point / "punto.pem").stat().st_mode & 0o777 == 0o600
    empty = run("observa", str(point), "--una-vez")
    assert empty.exit_code == 78
    assert "[[portal]]" in empty.stderr
    again = run("observa", str(point), "--inicia", "--punto", "sur", "--convocatoria", "x", "--instituto", "y")
    assert again.exit_code == 78
    assert 'punto = "norte"' in (point / "observa.toml").read_text()
    assert run("observa", str(tmp_path / "otro"), "--inicia").exit_code == 2
    with abierto(Sitio(instituto.publicados[3])) as site:
        with (point / "observa.toml").open("a") as file:
            file.write(f'[[portal]]\ndifusor = "uno"\nurls = ["{site.url}"]\n')
            dead = f"http://127.0.0.1:{free_port('127.0.0.1')}/"
            file.write(f'[[portal]]\ndifusor = "dos"\nurls = ["{dead}"]\n')
        seen = run("observa", str(point), "--una-vez")
    assert seen.exit_code == 0, seen.stderr
    assert "Se alcanzaron 1 de 2 portales; 000001------mirada.json." in seen.stdout
    assert [path.name for path in (point / "salida").iterdir()] == ["000001------mirada.json"]
