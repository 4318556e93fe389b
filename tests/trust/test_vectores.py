"""Pregón's verifier and ``verifica.py`` give the same verdict on every vector, and it is the one of the index."""

from __future__ import annotations

import ast
import importlib.util
import json
import random
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import ManualClock
from pregon.base.procesos import start
from pregon.sonda.comprobacion import Pedido, examine
from tests.trust.conftest import snapshot_of
from tests.vectors import genera

if TYPE_CHECKING:
    from types import ModuleType

VECTORES = genera.HERE
INDICE: list[dict[str, Any]] = json.loads((VECTORES / "indice.json").read_bytes())["vectores"]
PROGRAMA = Path(__file__).resolve().parents[2] / "verifica.py"


@pytest.fixture(scope="module")
def verifica() -> ModuleType:
    """The one file, loaded as the program that it is."""
    spec = importlib.util.spec_from_file_location("verifica", PROGRAMA)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def path_of(vector: dict[str, Any], key: str) -> str | None:
    return None if vector[key] is None else str(VECTORES / vector[key])


@pytest.mark.parametrize("vector", INDICE, ids=lambda vector: vector["id"])
def test_pregon_gives_the_verdict_of_the_index(vector: dict[str, Any]) -> None:
    before = snapshot_of(VECTORES / vector["id"])
    found = examine(
        str(VECTORES / vector["objetivo"]),
        Pedido(
            raiz=(VECTORES / vector["raiz"]).read_bytes(),
            repositorio=path_of(vector, "repositorio"),
            antes=path_of(vector, "antes"),
        ),
        clock=ManualClock(datetime.fromisoformat(vector["hora"]), simulado=False),
    )
    report = found.as_dict()
    assert report["codigo"] == vector["codigo"], report["error"] or report["fallas"]
    assert report["prueba"] == ("firma" if vector["codigo"] == "OK" else "ninguna")
    if vector["codigo"] == "OK":
        assert report["corte"] == vector["corte"]
    assert snapshot_of(VECTORES / vector["id"]) == before


@pytest.mark.parametrize("vector", INDICE, ids=lambda vector: vector["id"])
def test_the_one_file_gives_the_verdict_of_the_index(verifica: ModuleType, vector: dict[str, Any]) -> None:
    root = (VECTORES / vector["raiz"]).read_bytes()
    now = datetime.fromisoformat(vector["hora"])
    verifier = verifica.Verifier(root, now, path_of(vector, "repositorio"), path_of(vector, "antes"))
    report = verifier.examine(str(VECTORES / vector["objetivo"]))
    assert report["codigo"] == vector["codigo"], report
    assert report["prueba"] == ("firma" if vector["codigo"] == "OK" else "ninguna")
    assert report.get("corte") == vector["corte"] or vector["codigo"] != "OK"


@pytest.mark.parametrize("seed", range(40))
def test_both_give_one_verdict_on_a_vector_damaged_at_random(verifica: ModuleType, tmp_path: Path, seed: int) -> None:
    """One file of a good vector changed, cut or gone: whatever it is called, both call it the same."""
    chance = random.Random(seed)
    name = chance.choice(["valido", "rotacion", "continua", "carpeta"])
    vector = next(one for one in INDICE if one["id"] == name)
    shutil.copytree(VECTORES / vector["id"], tmp_path / vector["id"])
    path = chance.choice(sorted(path for path in tmp_path.rglob("*") if path.is_file()))
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data))
    match chance.choice(["bit", "cut", "gone", "more", "twice"]):
        case "bit":
            data[place] ^= 1 << chance.randrange(8)
        case "cut":
            del data[place:]
        case "more":
            data += b" "
        case "twice":
            data[place:place] = data[max(0, place - 5) : place]
        case _:
            path.unlink()
    if path.exists():
        path.write_bytes(data)
    root = (VECTORES / vector["raiz"]).read_bytes()
    now = datetime.fromisoformat(vector["hora"])
    target, repository, before = (
        None if vector[key] is None else str(tmp_path / vector[key]) for key in ("objetivo", "repositorio", "antes")
    )
    assert target is not None
    ours = examine(
        target,
        Pedido(raiz=root, repositorio=repository, antes=before),
        clock=ManualClock(now, simulado=False),
    )
    theirs = verifica.Verifier(root, now, repository, before).examine(target)
    assert ours.codigo == theirs["codigo"], (path, theirs)


def test_a_link_to_a_folder_is_one_file_too_many(verifica: ModuleType, tmp_path: Path) -> None:
    """A server would show what is behind it, and nobody listed it."""
    vector = next(one for one in INDICE if one["id"] == "carpeta")
    shutil.copytree(VECTORES / vector["id"], tmp_path / "carpeta")
    (tmp_path / "ajena").mkdir()
    (tmp_path / "ajena" / "index.html").write_text("<h1>Otro resultado</h1>")
    (tmp_path / vector["objetivo"] / "mas").symlink_to(tmp_path / "ajena", target_is_directory=True)
    root, now = (VECTORES / vector["raiz"]).read_bytes(), datetime.fromisoformat(vector["hora"])
    target, repository = str(tmp_path / vector["objetivo"]), str(tmp_path / vector["repositorio"])
    asked = Pedido(raiz=root, repositorio=repository, antes=None)
    assert examine(target, asked, clock=ManualClock(now, simulado=False)).codigo == "ARCHIVO_MANIFIESTO"
    assert verifica.Verifier(root, now, repository, None).examine(target)["codigo"] == "ARCHIVO_MANIFIESTO"


def test_the_one_file_needs_only_the_standard_library_and_cryptography() -> None:
    tree = ast.parse(PROGRAMA.read_text(), feature_version=(3, 8))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {name.split(".")[0] for name in names} - sys.stdlib_module_names
    assert foreign == {"cryptography"}


def test_the_one_file_as_a_program(tmp_path: Path) -> None:
    """Its exit statuses, in words and in JSON, for a good vector, two bad ones and a wrong call."""
    statuses = {}
    for name in ("valido", "congelado", "contenido-de-mas", "carpeta-alterada"):
        vector = next(one for one in INDICE if one["id"] == name)
        words = [sys.executable, PROGRAMA, VECTORES / vector["objetivo"], "--raiz", VECTORES / vector["raiz"]]
        words += ["--hora", vector["hora"]]
        words += ["--repositorio", VECTORES / vector["repositorio"]] if vector["repositorio"] else []
        process = start(words, output=tmp_path / name)
        statuses[name] = process.wait(60)
        assert f"Veredicto: {vector['codigo']}" in (tmp_path / name).read_text()
    assert statuses == {"valido": 0, "congelado": 77, "contenido-de-mas": 76, "carpeta-alterada": 77}
    assert start([sys.executable, PROGRAMA, "nada"], output=tmp_path / "uso").wait(60) == 2
    assert "datos/0002/gub/entidad.json" in (tmp_path / "carpeta-alterada").read_text()


def test_the_vectors_are_what_their_script_makes(tmp_path: Path) -> None:
    genera.generate(tmp_path)
    made = snapshot_of(tmp_path)
    kept = {ruta: data for ruta, data in snapshot_of(VECTORES).items() if ruta != "LEEME.md"}
    assert made.keys() == kept.keys()
    assert [ruta for ruta in made if made[ruta] != kept[ruta]] == []


def test_every_code_of_the_document_has_a_bad_vector() -> None:
    wanted = {
        "FIRMA",
        "UMBRAL",
        "EXPIRADO",
        "RETROCESO",
        "EQUIVOCO",
        "CADENA",
        "AMBIENTE",
        "CONVOCATORIA",
        "HASH",
        "RED",
    }
    assert wanted <= {vector["codigo"] for vector in INDICE}
    assert sum(vector["codigo"] == "OK" for vector in INDICE) >= 15
