"""What a program reads of a command: with ``--json``, stderr is one object and nothing else (design §5)."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pregon.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path


def _pregon(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "pregon", *words], capture_output=True, text=True, check=False)


def test_a_pass_that_fails_says_so_in_one_object(tmp_path: Path) -> None:
    """Without a handler Python writes warnings on stderr too, before the object."""
    house, folder = tmp_path / "instituto", tmp_path / "difusor"
    assert _pregon("instituto", "inicia", str(house), "--convocatoria", "ine-2021").returncode == 0
    root, nobody = str(house / "root.json"), "https://127.0.0.1:9/repositorio"
    made = _pregon("difusor", "inicia", str(folder), "--convocatoria", "ine-2021", "--raiz", root, "--origen", nobody)
    assert made.returncode == 0, made.stderr
    told = _pregon("difusor", "recibe", str(folder), "--una-vez", "--json")
    assert (told.returncode, told.stdout) == (69, "")
    assert {"codigo", "que_paso", "intacto", "que_hacer", "clase"} == set(json.loads(told.stderr))


def test_papers_without_an_application_say_how_to_write_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "solicitud.toml"
    with pytest.raises(SystemExit) as ended:
        app(["formatos", "--convocatoria", "mor-2024", "--solicitud", str(path), "--en", str(tmp_path / "papeles")])
    assert ended.value.code == 66
    assert f"pregon formatos --plantilla --convocatoria mor-2024 > {path}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            "mor-2024",
            (
                "a más tardar el miércoles 22 de mayo de 2024, 20:00 h (UTC-6)",  # MOR-I-1
                "se envían a correspondencia@impepac.mx",  # MOR-I-1, MOR-A3-3
            ),
        ),
        ("gro-2021", ("a más tardar el lunes 3 de mayo de 2021\n",)),  # GRO-1.4
        ("ine-2021", ("Logotipo: logotipo.svg, a más tardar el viernes 30 de abril de 2021\n",)),  # INE-I-f-2
    ],
)
def test_papers_say_until_when_and_where_to_send_them(
    call: str, said: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        app(["formatos", "--plantilla", "--convocatoria", call])
    asked = tmp_path / "solicitud.toml"
    (tmp_path / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>')
    asked.write_text(capsys.readouterr().out.replace('logo = ""', 'logo = "logo.svg"'), encoding="utf-8")
    papers = str(tmp_path / "papeles")
    with pytest.raises(SystemExit) as ended:
        app(["formatos", "--convocatoria", call, "--solicitud", str(asked), "--en", papers, "--forma", "docx"])
    shown = capsys.readouterr()
    assert ended.value.code == 0, shown.err
    for words in said:
        assert words in shown.out


def test_an_application_offers_only_who_the_call_admits(capsys: pytest.CaptureFixture[str]) -> None:
    """MOR-0.1 and MEX-0.1 do not name civil-society organisations."""
    kinds = {}
    for call in ("mor-2024", "gro-2021"):
        with pytest.raises(SystemExit):
            app(["formatos", "--plantilla", "--convocatoria", call])
        kinds[call] = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("tipo"))
    assert kinds["mor-2024"].endswith("# academia o medios")
    assert kinds["gro-2021"].endswith("# academia, osc o medios")
