"""The two commands, as an operator types them: what they print, and what they refuse."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base import procesos
from pregon.cli.instituto import app
from tests.instituto.conftest import tree_digest
from tests.instituto.relevo.conftest import corta

if TYPE_CHECKING:
    from pathlib import Path

    from tests.instituto.relevo.conftest import Pareja


def manda(folder: Path, *words: str) -> tuple[int, Any]:
    """Run ``pregon instituto …  --json``; status, and what it said."""
    output = folder / "salida.txt"
    output.unlink(missing_ok=True)
    process = procesos.start((sys.executable, "-m", "pregon", "instituto", *words, "--json"), output=output)
    status = process.wait(60)
    assert status is not None
    return status, json.loads(output.read_text())


def test_releva_says_who_has_the_night_and_why_it_refuses(pareja: Pareja, tmp_path: Path) -> None:
    corta(pareja.abre("a"), 1)
    status, said = manda(tmp_path, "releva", str(pareja.b), "--motivo", "prueba")
    assert (status, said["codigo"]) == (75, "INSTANCIA")
    assert "--aunque-viva" in said["que_hacer"]
    assert not (pareja.b / "repositorio").exists()
    status, said = manda(tmp_path, "releva", str(pareja.b), "--motivo", "prueba", "--aunque-viva")
    assert status == 0
    brought = said.pop("traidos")
    assert said == {"antes": "a", "ahora": "b", "epoca": 2, "terminados": [], "corte": 2}
    assert brought == len(tree_digest(pareja.b / "repositorio")) - 1  # timestamp.json is no piece


@pytest.mark.parametrize("words", [(), ("--motivo", " "), ("--sigue", "--motivo", "prueba"), ("--sigue", "--siembra")])
def test_releva_is_told_why_or_only_copies(pareja: Pareja, words: tuple[str, ...]) -> None:
    before = tree_digest(pareja.b)
    result = CliRunner().invoke(app, ["releva", str(pareja.b), *words, "--json"])
    assert (result.exit_code, json.loads(result.stderr)["codigo"]) == (2, "USO")
    assert tree_digest(pareja.b) == before


def test_recupera_makes_even_the_settings(pareja: Pareja, tmp_path: Path) -> None:
    copy, new = tmp_path / "copia", tmp_path / "nueva"
    shutil.copytree(pareja.a / "repositorio", copy)
    shutil.copytree(pareja.a / "llaves", new / "llaves")
    order = ("recupera", str(new), "--desde", str(copy), "--raiz", str(pareja.a / "root.json"))
    status, said = manda(tmp_path, *order, "--convocatoria", str(pareja.a / "convocatoria.toml"))
    assert status == 0, said
    assert said == {
        "corte": 1, "cortes": 1, "avisos": 0, "origen": str(copy), "faltan": [], "rehecho": False, "rechazados": [],
    }  # fmt: skip
    assert (new / "root.json").read_bytes() == (pareja.a / "root.json").read_bytes()
