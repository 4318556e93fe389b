"""The commands of ``docs/operacion/registro.md``, one after another, as they are written; and what it says it names."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.convocatoria.solicitud.modelo import Ficha
from pregon.instituto.registro import lista, sello, soporte
from tests.instituto.registro.fichas import datos, run
from tests.instituto.registro.test_confidencial import to_toml
from tests.instituto.registro.test_logo import SVG

if TYPE_CHECKING:
    import pytest

    from tests.instituto.registro.fichas import Casa

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "operacion" / "registro.md").read_text(encoding="utf-8")


def test_the_rehearsal_runs_as_it_is_written(gro: Casa, monkeypatch: pytest.MonkeyPatch) -> None:
    place = gro.folder.parent
    monkeypatch.chdir(place)
    (place / "ficha.toml").write_text(to_toml(datos(gro.espacio.convocatoria)))
    gro.folder.rename(place / "instituto")
    (place / "instituto" / sello.ARCHIVO).unlink()
    (place / "logo.svg").write_bytes(SVG)
    [block] = re.findall(r"## Ensayo.*?```sh\n(.*?)```", TEXT, re.DOTALL)
    shown = {}
    for line in block.splitlines():
        words = shlex.split(line)
        assert words[:2] == ["pregon", "instituto"], line
        result = run(*words[2:])
        assert result.exit_code == 0, f"{line}\n{result.output}"
        shown[line] = result.output
    listed = json.loads((place / "publica" / "difusores.json").read_bytes())["difusores"]
    assert [(one["id"], one["estado"], one["url"]) for one in listed] == [("diario-uno", "interrumpido", None)]
    last = shown[block.splitlines()[-1]]
    assert "diario-uno" in last
    assert "admitido" in last
    assert "Efraín Tlapanco" in next(text for line, text in shown.items() if "contactos" in line).splitlines()[1]


def test_what_the_document_names_exists() -> None:
    parts = re.findall(r"^\| ((?:`[^`]+` ?)+)\|", TEXT, re.MULTILINE)
    names = {name.strip("[]") for cell in parts for name in re.findall(r"`([^`]+)`", cell)}
    assert names == set(Ficha.model_fields) - {"transporte", "respuestas"}
    assert set(re.findall(r"`([A-Z]{8,})`", TEXT)) == set(soporte.CLASES)
    for word in (sello.VARIABLE, sello.ARCHIVO, lista.FORMATO, lista.PAGINA, lista.DATOS, lista.ESTILO, "[respuestas]"):
        assert word in TEXT, word
