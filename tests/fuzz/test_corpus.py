"""What ``make fuzz`` keeps, given again to its targets without atheris; and the targets' own eyes."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest
from fuzz.__main__ import CORPUS, HALLAZGO
from fuzz.archivo import leido
from fuzz.objetivo import Hallazgo, Objetivo, carpeta, rechazo

from fuzz import csv, limites, manifiesto, metadatos, siete
from fuzz import zip as zips
from pregon.base.clock import ManualClock
from pregon.base.errors import ArchivoError
from pregon.sonda.comprobacion import Pedido, examine
from tests.vectors.archivos.genera import cases
from tests.vectors.fabrica import put

if TYPE_CHECKING:
    from pathlib import Path

OBJETIVOS = {module.OBJETIVO.nombre: module.OBJETIVO for module in (zips, siete, manifiesto, metadatos, csv)}
MAX_CORPUS = 400 << 10
FINDINGS = {
    "csv": {"nombres-con-otro-separador", "partido-otro-separador"},
    "manifiesto": {"hondo", "instante-sin-utc", "medio-caracter"},
    "metadatos": {"firmado-sin-utc", "sin-lista-de-cortes"},
    "siete": set(),
    "zip": {"version-del-formato"},
}
"""Inputs that once broke something."""


def kept(name: str) -> list[Path]:
    return sorted((CORPUS / name).iterdir())


def test_every_target_is_run_and_keeps_a_small_corpus_with_its_findings() -> None:
    assert set(OBJETIVOS) == set(limites.OBJETIVOS) == {folder.name for folder in CORPUS.iterdir()}
    sizes = [path.stat().st_size for name in OBJETIVOS for path in kept(name)]
    assert sum(sizes) < MAX_CORPUS
    assert max(sizes) <= limites.GUARDADO_BYTES
    for name in OBJETIVOS:
        assert len(kept(name)) >= 20
        found = {path.name.removeprefix(HALLAZGO) for path in kept(name) if path.name.startswith(HALLAZGO)}
        assert found == FINDINGS[name]


@pytest.mark.parametrize("target", OBJETIVOS.values(), ids=lambda target: target.nombre)
def test_no_kept_input_breaks_its_target(target: Objetivo) -> None:
    for path in kept(target.nombre):
        try:
            target.prueba(path.read_bytes())
        except Exception as exc:
            exc.add_note(f"con {path}")
            raise


@pytest.mark.parametrize("extension", ["zip", "7z"])
def test_repaired_archive_is_admitted_again(extension: str) -> None:
    """What makes the search useful: a changed byte of a content does not end at the CRC."""
    repaired = zips.reparado if extension == "zip" else siete.reparado
    caso = next(caso for caso in cases() if caso.extension == extension and caso.razon == "CRC")
    for data in (caso.gemelo, caso.hostil):
        with carpeta() as folder:
            found = leido(folder, repaired(data))
        assert found is not None
        assert all(found.values())
    assert repaired(caso.gemelo) == caso.gemelo
    with carpeta() as folder:
        assert leido(folder, caso.hostil) is None
    assert not folder.exists()


def test_refusal_without_its_sentences_is_a_finding() -> None:
    with pytest.raises(Hallazgo):
        rechazo(ArchivoError("No se admite.", intacto="", que_hacer="Pida otro."))
    rechazo(ArchivoError("No se admite.", intacto="Nada.", que_hacer="Pida otro."))


def test_two_verifiers_say_the_same_of_the_kept_metadata(tmp_path: Path) -> None:
    """Pregón and ``verifica.py``, which share no code, say the same of everything that was found."""
    spec = importlib.util.spec_from_file_location("verifica", CORPUS.parents[1] / "verifica.py")
    assert spec is not None
    assert spec.loader is not None
    verifica = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(verifica)
    root, clock = metadatos.repositorio()["metadata/1.root.json"], ManualClock(metadatos.AHORA, simulado=False)
    verdicts = []
    for path in kept("metadatos"):
        files = metadatos.puesto(path.read_bytes())
        if files is None:
            continue
        folder = tmp_path / path.name
        for ruta, data in files.items():
            put(folder / ruta, data)
        found = verifica.Verifier(root, metadatos.AHORA, None, None).examine(str(folder))["codigo"]
        ours = examine(str(folder), Pedido(raiz=root, repositorio=None, antes=None), clock=clock).as_dict()["codigo"]
        assert found == ours, path.name
        verdicts.append(found)
    assert {"OK", "FIRMA", "HASH", "CADENA"} <= {*verdicts}
