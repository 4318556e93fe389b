"""``pregon convocatoria`` as people and scripts use it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pregon.cli.convocatoria import app
from pregon.convocatoria.perfiles import ids

if TYPE_CHECKING:
    from pathlib import Path


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(args))
    return result.exit_code, result.stdout, result.stderr


def test_lista_names_the_five() -> None:
    status, out, _ = run("lista", "--json")
    assert status == 0
    assert [item["id"] for item in json.loads(out)] == list(ids())
    assert "cada 10 min" in run("lista")[1]


def test_muestra_reads_as_people_read() -> None:
    status, out, _ = run("muestra", "gro-2021")
    assert status == 0
    assert "Inicio: domingo 6 de junio de 2021, 20:00 h (UTC-5)" in out
    assert "Un corte cada: 20 minutos" in out
    assert "3 actualizaciones seguidas sin recibir" in out


def test_muestra_says_what_the_text_does_not() -> None:
    assert "Permanece hasta: el texto no lo dice" in run("muestra", "mor-2024")[1]


@pytest.mark.parametrize(
    ("call", "lines"),
    [
        (
            "gro-2021",
            (
                "tarjeta de red redundante",  # GRO-2.4a
                "Si algo no se cumple: el instituto valida",  # GRO-2.6
                "Contenido: HTML, JSON y CSV (el texto no lo dice)",
                "Archivo: 7z\n",
                "Lista pública de difusores, desde: jueves 3 de junio",  # GRO-1.6a
            ),
        ),
        (
            "dgo-2024",
            (
                "disco de estado sólido",  # DGO-II-a.c
                "Ubuntu estable (recomendada, 22.04 LTS)",  # DGO-II-b
                "por rsync, puertos 873, 2873 y 22",
                "Salida: UDP 123",  # DGO-II-e
                "Lista pública de difusores, a más tardar: lunes 27 de mayo",  # DGO-III-3
                "09:00 a 17:00, hora local",  # DGO-VI
            ),
        ),
        ("mor-2024", ("privilegios de root",)),  # MOR-A1-1.5
        ("mex-2021", ("Reloj: cliente NTP, con pool.ntp.org", "Bitácora del sistema: syslog")),  # MEX-II-1e, 2c5
        (
            "ine-2021",
            (
                "enlace exclusivo de 50 Mbps",  # INE-II-a-iii-2a
                "irrevocable, salvo fuerza mayor o caso fortuito",  # INE-I-d-3
                "17:00 a 19:00, tiempo del centro",  # INE-VIII
            ),
        ),
    ],
)
def test_muestra_leaves_out_nothing_that_a_difusor_must_have(call: str, lines: tuple[str, ...]) -> None:
    out = run("muestra", call)[1]
    for line in lines:
        assert line in out


def test_muestra_works_for_every_profile() -> None:
    for name in ids():
        assert run("muestra", name)[0] == 0
        assert json.loads(run("muestra", name, "--json")[1])["id"] == name


def test_muestra_of_an_unknown_call_is_66_and_says_which_there_are() -> None:
    status, out, err = run("muestra", "gro-2027")
    assert (status, out) == (66, "")
    assert "gro-2021" in err


def test_valida_is_silent_about_nothing(tmp_path: Path) -> None:
    first, second = tmp_path / "uno.toml", tmp_path / "dos.toml"
    first.write_text('id = "x-1"\nintervalo_min = 0\n')
    second.write_text("color = 1\n")
    before = first.read_bytes(), second.read_bytes()
    status, out, err = run("valida", str(first), str(second), "gro-2021")
    assert status == 78
    assert out == "gro-2021: correcto\n"
    assert "intervalo_min: debe ser al menos 1" in err
    assert "color: clave desconocida" in err
    assert (first.read_bytes(), second.read_bytes()) == before


def test_valida_gives_scripts_every_problem(tmp_path: Path) -> None:
    wrong = tmp_path / "uno.toml"
    wrong.write_text('id = "x-1"\n')
    status, out, err = run("valida", str(wrong), "--json")
    assert status == 78
    report = json.loads(out)
    assert report[0]["ok"] is False
    assert "nombre: falta esta clave" in report[0]["problemas"]
    assert json.loads(err)["codigo"] == "AJUSTES"


def test_valida_of_a_missing_file_is_66(tmp_path: Path) -> None:
    assert run("valida", str(tmp_path / "no-hay.toml"))[0] == 66
