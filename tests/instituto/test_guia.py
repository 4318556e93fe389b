"""What the pages of text say: the call's own values, the words of our glossary, and nothing of views left out."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.instituto.leeme import COLUMNAS
from tests.instituto.conftest import INICIO, Night, unpack
from tests.instituto.html import Element, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("guia")

DOCS = Path(__file__).resolve().parents[2] / "docs"
FAQ, GLOSARIO, BASE = (f"{name}/index.html" for name in ("preguntas-frecuentes", "glosario", "base-de-datos"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guia")
    night = Night(folder, ManualClock(INICIO - timedelta(hours=4)))
    return unpack(night.cut(night.create()), folder / "sitio")


def page(site: Path, route: str) -> Element:
    return parse((site / route).read_bytes())


def questions(page: Element) -> Iterator[tuple[str, str]]:
    for section in page.one("main").all("section", id=None):
        if "pregunta" in section.attrs.get("class", ""):
            yield section.attrs["id"], section.text


def test_every_question_has_an_answer_an_address_and_a_line_in_the_summary(site: Path) -> None:
    shown = page(site, FAQ)
    found = dict(questions(shown))
    assert list(found) == [link.attrs["href"][1:] for link in shown.one("nav", class_="hoja sumario").all("a")]
    for anchor, text in found.items():
        heading = shown.one("section", id=anchor).one("h2").one("a", href=f"#{anchor}").text
        assert heading.startswith("¿")
        assert len(text) > len(heading) + 80, anchor
    for anchor, words in {
        "que-no-es": "carecen de efectos jurídicos",
        "coaliciones": "artículo 311",
        "suma": "99.9999",
        "bajan": "se corrige",
        "participacion": "no tiene lista nominal propia",
        "observaciones": "Excede lista nominal",
        "seccion": "credencial para votar",
        "extranjero": "desde el extranjero",
        "actas": "Contabilizadas",
    }.items():
        assert words in found[anchor], anchor
    assert "por distrito" not in found["coaliciones"]
    assert "se suman en cada distrito y se reparten" in found["coaliciones"]


def test_hours_and_interval_are_those_of_the_call(tmp_path: Path) -> None:
    night = Night(tmp_path, ManualClock(INICIO - timedelta(hours=4)))
    space = night.create()
    call = space.convocatoria.model_copy(
        update={"intervalo_min": 17, "fin_actualizacion": INICIO + timedelta(hours=21), "permanencia_hasta": None}
    )
    site = unpack(night.cut(replace(space, convocatoria=call)), tmp_path / "sitio")
    found = dict(questions(page(site, FAQ)))
    assert "el 6 de junio de 2021, 20:00 h (UTC−5), Tiempo del Centro" in found["horario"]
    assert "hasta el 7 de junio de 2021, 17:00 h (UTC−5)" in found["horario"]
    assert "hasta que el instituto indique otra cosa" in found["horario"]
    assert "uno cada 17 minutos" in found["corte"]
    assert "del corte 1: 6 de junio de 2021, 22:40 h" in found["corte"]
    assert "anunciado para las 22:57 h" in found["corte"]


def test_the_closing_cut_announces_no_other(tmp_path: Path) -> None:
    night = Night(tmp_path, ManualClock(INICIO - timedelta(hours=4)))
    site = unpack(night.cut(night.create(), ultimo=True), tmp_path / "sitio")
    found = dict(questions(page(site, FAQ)))
    assert "ya no habrá otro" in found["corte"]
    assert "anunciado" not in found["corte"]
    assert "al menos hasta el 1 de julio de 2021" in found["horario"]
    assert "Gubernatura, con casillas especiales" in found["participacion"]


def test_both_glossaries_say_the_same(site: Path) -> None:
    ours = dict(re.findall(r"^\| \*\*(.+?)\*\*.*?\| (.+?) \|$", (DOCS / "glosario.md").read_text(), re.MULTILINE))
    lists = page(site, GLOSARIO).one("main").one("dl")
    terms = lists.all("dt")
    meanings = [item.text for item in lists.all("dd")]
    assert len(terms) == len(meanings) >= 25
    words = [term.text for term in terms]
    assert words == sorted(words, key=_alphabet)
    shared = 0
    for term, meaning in zip(words, meanings, strict=True):
        if term in ours:
            shared += 1
            told = ours[term].replace("`", "")
            assert told == meaning or told.startswith(meaning.removesuffix(".") + "."), term
    assert shared >= 15
    for place in terms:
        place.one("a", href=f"#{place.attrs['id']}")


def _alphabet(word: str) -> str:
    return word.lower().translate(str.maketrans("áéíóúñ", "aeioun"))


def test_the_database_page_tells_it_all_and_its_orders_give_the_hash(site: Path, tmp_path: Path) -> None:
    shown = page(site, BASE)
    text = shown.one("main").text
    for words in ("dd/mm/aaaa hh:mm", "Extraer todo", "Desde texto/CSV", "renglón por renglón", "Windows", "macOS"):
        assert words in text, words
    assert [item.text for item in shown.one("dl", class_="definiciones columnas-csv").all("dt")] == list(COLUMNAS)
    image = tmp_path / "acta.jpg"
    image.write_bytes(b"la imagen de un acta")
    (order,) = (item.text for item in shown.all("pre", aria_label="Huella en Linux"))
    program, name = order.split()
    assert program == "sha256sum"
    found = subprocess.run(
        [shutil.which(program) or program, name], cwd=tmp_path, capture_output=True, check=True, text=True
    )
    assert found.stdout.split()[0] == hashlib.sha256(image.read_bytes()).hexdigest()


def test_text_names_no_view_that_the_call_leaves_out(tmp_path: Path) -> None:
    night = Night(tmp_path, ManualClock(INICIO - timedelta(hours=4)))
    space = night.create()
    views = ("partidos", "preguntas-frecuentes", "glosario")
    site = unpack(
        night.cut(replace(space, convocatoria=space.convocatoria.model_copy(update={"vistas": views}))),
        tmp_path / "sitio",
    )
    text = page(site, FAQ).text
    for words in ("Consulta tu casilla", "Qué cambió en este corte", "base de datos", "consultar su casilla"):
        assert words not in text, words
    assert sorted(path.parent.name for path in site.glob("*/index.html")) == [
        "dip",
        "glosario",
        "gub",
        "preguntas-frecuentes",
    ]


def test_the_footer_says_what_the_law_says_on_every_page(site: Path) -> None:
    for path in site.rglob("*.html"):
        foot = parse(path.read_bytes()).one("footer").text
        assert "no puede modificarse" in foot
        assert "Ley Federal del Derecho de Autor" in foot
        assert (
            "Alterar su contenido puede ser un delito." in foot
        )  # whether it is a federal one depends on the election


def test_every_page_says_that_it_is_no_proof_of_itself_where_there_is_a_verifier(site: Path, tmp_path: Path) -> None:
    address = "https://www.iee.example.mx/prep/verificador/?v=1&amp=2"
    night = Night(tmp_path, ManualClock(INICIO - timedelta(hours=4)))
    space = night.create()
    space = replace(space, convocatoria=space.convocatoria.model_copy(update={"verificador_url": address}))
    linked = unpack(night.cut(space), tmp_path / "sitio")
    for path in linked.rglob("*.html"):
        foot = parse(path.read_bytes()).one("footer")
        link = foot.one("a", data_verificador=None)
        assert (link.attrs["href"], link.attrs["target"], link.attrs["rel"]) == (
            address,
            "_blank",
            "noopener noreferrer",
        )
        assert "Ninguna página es prueba de sí misma" in foot.text
        other = site / path.relative_to(linked)
        assert "verificador" not in other.read_text()
        assert path.stat().st_size - other.stat().st_size < 1_200  # the question and the foot
    answer = page(linked, FAQ).one("section", id="comprobar")
    assert answer.one("a", data_verificador=None).attrs["href"] == address
    assert "quien cambiara las cifras podría cambiar también la página" in answer.text
