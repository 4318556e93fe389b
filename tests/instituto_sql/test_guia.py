"""The example of the guide is a mapping that Pregón takes."""

from __future__ import annotations

import re
from pathlib import Path

from pregon.base.settings import parse_toml
from pregon.instituto.settings import AjustesInstituto

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operacion" / "fuentes-sql.md"


def test_the_example_of_the_guide_is_valid() -> None:
    found = re.search(r"```toml\n(?P<text>.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found is not None
    text = 'convocatoria = "convocatoria.toml"\n' + found["text"]
    (source,) = parse_toml(text.encode(), AjustesInstituto, where="guía").fuente
    assert source.encabezados[source.lugar_votos] == "PAN"
    assert source.marcas["-1"] == "ILEGIBLE"
    assert source.candidaturas is not None
