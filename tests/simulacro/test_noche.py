"""A whole night on this machine, through the command that people run."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pregon.base.procesos import start
from pregon.cli.simulacro.noche import TERMINANDO

CHECKS = {"TOTALES_IGUALES", "BYTES_IGUALES", "NADA_ANTES", "SIN_MEZCLA", "ULTIMO_PUBLICADO"}


def _simulacro(folder: Path, *options: str, timeout: float) -> tuple[int, str]:
    output = folder / "salida"
    process = start([sys.executable, "-m", "pregon", "simulacro", *options], output=output, folder=folder)
    try:
        return process.wait(timeout), output.read_text()
    finally:
        process.stop()


def _object(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text[text.index("\n{") :])
    return found


def _assert_whole(night: dict[str, Any], *, cuts: int, difusores: int) -> None:
    assert night["ok"] is True
    assert [cut["numero"] for cut in night["cortes"]] == list(range(1, cuts + 1))
    assert len(night["difusores"]) == difusores
    for difusor in night["difusores"]:
        assert [cut["numero"] for cut in difusor["cortes"]] == list(range(1, cuts + 1))
        assert all(cut["segundos_a_visible"] > 0 for cut in difusor["cortes"])
        codes = [check["codigo"] for cut in difusor["cortes"] for check in cut["comprobaciones"]]
        assert set(codes) == CHECKS
        assert codes.count("TOTALES_IGUALES") == cuts
        assert difusor["nota"] == 100


def test_synthetic_night_ends_with_every_difusor_on_the_last_cut(tmp_path: Path) -> None:
    status, text = _simulacro(
        tmp_path, "noche", "--cortes", "2", "--difusores", "2", "--acelerar", "2400", "--json", timeout=170
    )
    assert status == 0, text
    night = _object(text)
    _assert_whole(night, cuts=2, difusores=2)
    assert night["convocatoria"] == "gro-2021"
    assert night["ambiente"] == "simulacro"
    assert text.count("LISTO http://127.0.0.1:") == 2


@pytest.mark.datos
def test_real_night_of_campeche_shows_the_totals_of_its_actas(tmp_path: Path, datos: Path) -> None:
    """TOTALES_IGUALES compares each served ``entidad.json`` with the totals of its actas.

    The first cut and the last, of the next day; ``make aguante`` has the six of them.
    """
    some = tmp_path / "campeche"
    some.mkdir()
    for folder in (datos / "campeche-2021").iterdir():
        if folder.name.startswith(("20210606_2240", "20210607_2000")):
            (some / folder.name).symlink_to(folder, target_is_directory=True)
    status, text = _simulacro(
        tmp_path,
        *("--noche", str(some), "--difusores", "1", "--acelerar", "5000", "--json"),
        timeout=300,
    )
    assert status == 0, text
    night = _object(text)
    _assert_whole(night, cuts=2, difusores=1)
    hours = [cut["hora_corte"][5:16] for cut in night["cortes"]]
    assert hours == ["06-06T22:40", "06-07T20:00"]


@pytest.mark.aguante
@pytest.mark.datos
def test_real_night_at_the_pace_of_the_readme(tmp_path: Path, datos: Path) -> None:
    status, text = _simulacro(
        tmp_path,
        *("--noche", str(datos / "campeche-2021"), "--difusores", "3", "--acelerar", "600", "--json"),
        timeout=400,
    )
    assert status == 0, text
    night = _object(text)
    _assert_whole(night, cuts=6, difusores=3)
    assert [cut["hora_corte"][5:16] for cut in night["cortes"]] == [
        *("06-06T22:40", "06-06T23:20", "06-06T23:40", "06-07T13:20", "06-07T14:40", "06-07T20:00"),
    ]


_FOLDERS = ("--convocatoria", "todas", "--transporte", "ambos", "--acelerar", "1200", "--json")
"""By folder, as on a machine without servers; by each call's own carrier: ``test_portadores``."""


@pytest.mark.aguante
def test_every_convocatoria_has_its_night(tmp_path: Path) -> None:
    status, text = _simulacro(tmp_path, *_FOLDERS, timeout=600)
    assert status == 0, text
    nights = json.loads(text[text.index("\n[\n") :])
    assert {night["convocatoria"] for night in nights} == {"gro-2021", "dgo-2024", "mor-2024", "mex-2021", "ine-2021"}
    for night in nights:
        _assert_whole(night, cuts=6, difusores=2)


def test_a_night_whose_terminal_closes_leaves_nothing_running_and_nothing_on_disk(tmp_path: Path) -> None:
    """Neither does one who insists while it cleans up."""
    temporary, output = tmp_path / "tmp", tmp_path / "salida"
    temporary.mkdir()
    night = start(
        # Under ``nohup`` these tests would hand down that a closed terminal is not heeded, and it would be right.
        ["env", "--default-signal=HUP", sys.executable, "-m", "pregon", "simulacro", "--cortes", "2"],
        output=output,
        environment={"TMPDIR": str(temporary)},
    )
    try:
        until = time.monotonic() + 120
        while "paquete previo" not in output.read_text() and time.monotonic() < until:
            assert night.returncode() is None, output.read_text()
            time.sleep(0.05)
        children = {int(one) for one in Path(f"/proc/{night.pid}/task/{night.pid}/children").read_text().split()}
        assert len(children) == 5  # the institute, and two for each difusor
        os.kill(night.pid, signal.SIGHUP)
        while TERMINANDO not in output.read_text() and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(night.pid, signal.SIGTERM)
        assert night.wait(60) == 130, output.read_text()
    finally:
        night.stop()
    assert output.read_text().count(TERMINANDO) == 1
    assert [one for one in children if Path(f"/proc/{one}").exists()] == []
    assert list(temporary.iterdir()) == []


def test_unknown_carrier_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    status, text = _simulacro(tmp_path, "--transporte", "paloma", timeout=60)
    assert status == 2
    assert "paloma" in text
    assert [path.name for path in tmp_path.iterdir()] == ["salida"]


def test_authorisations_that_are_not_there_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    status, text = _simulacro(tmp_path, "--autorizaciones", str(tmp_path / "no-esta.json"), timeout=60)
    assert status == 66
    assert "no-esta.json" in text
    assert [path.name for path in tmp_path.iterdir()] == ["salida"]


@pytest.mark.datos
def test_with_authorisations_that_do_not_answer_for_a_header_no_cut_is_signed(tmp_path: Path, datos: Path) -> None:
    given = tmp_path / "autoriza.json"
    given.write_text("[]")
    night = ("--noche", str(datos / "campeche-2021"), "--cortes", "1", "--difusores", "1", "--acelerar", "2400")
    status, text = _simulacro(tmp_path, *night, "--autorizaciones", str(given), timeout=120)
    assert status == 70
    assert "ENCABEZADO_ORIGEN" in text
    assert "Traceback" not in text
