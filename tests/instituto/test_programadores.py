"""The page for programmers and ``docs/datos.md``: they say what the schemas say, and their examples are true."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.instituto import contrato
from pregon.instituto.portal.programadores import documents, sample
from tests.instituto.conftest import unpack
from tests.instituto.html import Element, parse

if TYPE_CHECKING:
    from tests.instituto.conftest import Night, Published

DOC = Path(__file__).resolve().parents[2] / "docs" / "datos.md"
PAGE = "para-programadores/index.html"


def test_the_page_explains_every_key_of_every_schema_once(night: Night, tmp_path: Path) -> None:
    site = unpack(night.cut(night.create()), tmp_path / "sitio")
    page = parse((site / PAGE).read_bytes())
    for name in contrato.NOMBRES:
        own, *others = contrato.tables(contrato.schema(name))
        section = page.one("section", id=name)
        assert rows(section.all("table")[0]) == [key.nombre for key in own.claves]
        assert own.texto in section.text
        assert section.all("a", href=f"../{contrato.CARPETA}{name}.json")
        for table in others:
            told = [item for item in page.all("table") if rows(item) == [key.nombre for key in table.claves]]
            assert len(told) == 1, table.titulo
    meanings = [key.texto for item in documents({}) for table in item.tablas for key in table.claves]
    assert len(meanings) > 100
    for meaning in meanings:
        assert " ".join(meaning.split()) in page.text
    for other in ("index.html", "base-de-datos/index.html", "gub/index.html"):
        assert "Datos para programadores" in parse((site / other).read_bytes()).one("footer").text
    assert parse((site / "base-de-datos/index.html").read_bytes()).all("a", href="../para-programadores/index.html")


def rows(table: Element) -> list[str]:
    return [line.attrs["data-clave"] for line in table.all("tr", data_clave=None)]


@pytest.mark.datos
def test_the_addresses_of_the_examples_are_in_the_package_and_the_samples_are_of_this_cut(campeche: Published) -> None:
    page = parse((campeche.folder / PAGE).read_bytes())
    code = [item.text for item in page.all("pre")]
    asked = {route for text in code for route in re.findall(r'\$PORTAL/([^"]+)"', text)}
    assert {"corte.json", "SHA256SUMS", "datos/0001/gub/indice.json", "datos/0001/gub/distrito/001.json"} == asked
    assert all((campeche.folder / route).is_file() for route in asked)
    assert all(shlex.split(text, comments=True) for text in code[:3])
    corte = page.one("section", id="corte").one("pre").text
    assert '"hora_corte": "2021-06-07T13:20:00-05:00"' in corte
    unit = json.loads((campeche.folder / "datos/0001/gub/distrito/001.json").read_bytes())
    assert f'"total_votos": {unit["total_votos"]}' in page.one("section", id="unidad").one("pre").text


def test_a_sample_is_cut_short_and_says_so() -> None:
    assert sample({"a": 1, "b": 2, "c": 3, "d": 4}) == '{\n  "a": 1,\n  "b": 2,\n  "c": 3,\n  …\n}'
    assert sample([{"x": "ñ"}, {"x": "o"}]) == '[\n  {\n    "x": "ñ"\n  },\n  …\n]'
    assert sample([1, 2, 3, 4, 5, 6, 7]) == "[1, 2, 3, 4, 5, 6, …]"
    assert (sample(None), sample([]), sample({}), sample("ñ")) == ("null", "[]", "{}", '"ñ"')


def test_the_document_of_the_repository_says_what_the_schemas_say() -> None:
    text = DOC.read_text()
    told = dict(re.findall(r"<!-- esquema (\w+) -->\n(.*?)<!-- fin -->", text, flags=re.DOTALL))
    assert tuple(told) == contrato.NOMBRES
    for name, shown in told.items():
        assert shown == markdown(name), f"docs/datos.md, {name}: put this there\n{markdown(name)}"


def markdown(name: str) -> str:
    """What ``docs/datos.md`` says of one kind of file: its own keys."""
    own = contrato.tables(contrato.schema(name))[0]
    lines = [f"{own.texto}\n", "| Clave | Tipo | Significado |", "|---|---|---|"]
    lines += [f"| `{key.nombre}` | {key.tipo} | {key.texto} |" for key in own.claves]
    return "\n".join(lines) + "\n"
