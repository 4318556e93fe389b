"""The API as a program finds it: by its own document, with a tool that looks for whatever does not agree with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pregon.instituto.tablero.acciones import CLAVES
from tests.instituto.proceso.casa import RADIO
from tests.instituto.tablero.consejo import Consejo, reunido
from tests.instituto.tablero.test_acciones import NUMERO

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.xdist_group("tablero-api")

BREVE = """
[phases.coverage]
unexpected-methods = ["DELETE", "QUERY"]

[[operations]]
include-path-regex = "^/api/acciones/(advierte|descarta|entrega|reactiva)$"
phases.coverage.enabled = false
"""
"""For a short search: of actions with the same fields, the limits of one; of methods that there are not, two."""


@pytest.fixture(scope="module")
def consejo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consejo]:
    with reunido(tmp_path_factory.mktemp("consejo"), fallan=3, por_minuto=1_000_000) as made:
        yield made


def looked_for(consejo: Consejo, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What schemathesis finds in the attended API."""
    titular = consejo.persona("titular")
    document = folder / "openapi.json"
    document.write_text(titular.pide("api/openapi.json").text)
    (cookie,) = [f"{name}={value}" for name, value in titular.visita.client.cookies.items()]
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("st")), "run", str(document), "--url", consejo.url,
            "-H", f"Origin: {consejo.url.rstrip('/')}", "--generation-database", "none", *options,
        ],
        cwd=folder, capture_output=True, text=True, timeout=1800, check=False,
        env={
            **os.environ, "TABLERO_GALLETA": cookie, "TABLERO_FICHA": titular.ficha, "NO_COLOR": "1",
            "SCHEMATHESIS_HOOKS": "ganchos_api", "PYTHONPATH": str(Path(__file__).parent),
        },
    )  # fmt: skip


def test_the_document_is_of_whoever_is_signed_in(consejo: Consejo) -> None:
    observador = consejo.persona("observador")
    document = observador.lee("api/openapi.json")
    assert document["openapi"] == "3.1.0"
    assert document["components"]["securitySchemes"]["sesion"]["name"] in observador.visita.client.cookies
    nobody = consejo.nadie()
    for path in ("openapi.json", "tablero", "sesion", f"difusores/{RADIO}", "bitacora", "tramites", "otra"):
        answer = nobody.client.get(f"{consejo.url}api/{path}")
        assert (answer.status_code, answer.json()["que_paso"]) == (401, "Hace falta entrar con su cuenta."), path
        assert RADIO not in answer.text


def test_it_says_what_the_pages_say(consejo: Consejo) -> None:
    person = consejo.persona("observador")
    assert person.lee("api/tablero")["difusores"] == person.lee("tablero.json")["difusores"]
    found = person.lee(f"api/difusores/{RADIO}")
    assert (found["difusor"]["id"], [one["id"] for one in found["ordenes"]]) == (RADIO, ["O0001"])
    assert found["advertencias"][0]["envios"]
    assert person.lee(f"api/bitacora?difusor={RADIO}&tipo=orden_propuesta")["eventos"][0]["difusor"] == RADIO
    page = person.lee("api/bitacora?tipo=periodo")
    assert page["eventos"] == person.lee("api/bitacora?tipo=periodo&antes=1000000")["eventos"] != []
    for query in ("corte=x", "antes=0", "tono=azul", "difusor=A", "nada=1", "corte=1&corte=x"):
        answer = person.pide(f"api/bitacora?{query}")
        assert (answer.status_code, list(answer.json()["campos"])) == (422, [query.rpartition("&")[2].split("=")[0]])


def test_a_request_is_taken_once_and_followed(consejo: Consejo) -> None:
    person = consejo.persona("operador")
    form = {"ficha": person.ficha, "numero": NUMERO, "motivo": "Llamé: ya lo arreglan.", "difusor": RADIO}
    answer = person.visita.manda("api/acciones/anota", form)
    assert (answer.status_code, answer.headers["location"]) == (200, f"/api/tramites/{NUMERO}")
    assert answer.json() == person.lee(f"api/tramites/{NUMERO}")
    assert answer.json()["fase"] == "hecha"
    before = consejo.huella()
    again = person.visita.manda("api/acciones/anota", form)
    assert (again.status_code, again.json()["codigo"]) == (409, "REPETIDA")
    assert consejo.huella() == before


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "tablero", "GET, HEAD"), ("DELETE", "tramites/x", "GET, HEAD"), ("GET", "acciones/anota", "POST"),
        ("PATCH", "acciones/suspende", "POST"), ("PUT", "nada", "GET, HEAD, POST"),
    ],
)  # fmt: skip
def test_other_methods_are_refused_and_journalled(consejo: Consejo, method: str, path: str, allow: str) -> None:
    person = consejo.persona("titular")
    before = consejo.huella()
    answer = person.visita.client.request(method, f"{consejo.url}api/{path}", headers={"origin": consejo.url})
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert consejo.sucesos("tablero_ajeno")[-1]["que"] == f"{method} /api/{path}"
    assert consejo.huella() == before


# Last: whoever asks for so much fills the journal's room for refusals.


def test_nothing_is_found_that_the_document_does_not_say(consejo: Consejo, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(BREVE)
    found = looked_for(consejo, tmp_path, "--phases", "coverage,fuzzing", "--max-examples", "3", "--seed", "12")
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
    assert f"Tested: {7 + len(CLAVES)}" in found.stdout, found.stdout[-2000:]
    # It was not refused at the door: requests were taken, and ended.
    assert len(consejo.sucesos("tablero_accion")) > 20


@pytest.mark.aguante
def test_nothing_is_found_in_a_long_search(consejo: Consejo, tmp_path: Path) -> None:
    found = looked_for(consejo, tmp_path, "--max-examples", "100")
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
