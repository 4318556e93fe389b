"""The board on a real server: who may look, what each page gives, and a stream that misses nothing."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.errors import AjustesError
from pregon.instituto.tablero.ajustes import AjustesTablero
from pregon.instituto.tablero.cuentas import cuentas_de
from pregon.instituto.tablero.formas import FORMATO, de_cuadro, texto
from pregon.instituto.tablero.servicio import atendiendo
from tests.instituto.tablero.conftest import atendida, copia
from tests.instituto.tablero.noches import INICIO, PASO, nombre
from tests.instituto.tablero.oyentes import escuchan
from tests.instituto.tablero.test_cuadro import aplica
from tests.web.conftest import BARATO, visitando
from tests.web.test_acceso import events

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

    from pregon.instituto.tablero.servicio import Atendido
    from tests.instituto.tablero.noches import Noche
    from tests.web.conftest import Visita

PAGINAS = ("", "?muro", "tablero.json", "flujo", "flujo.json", f"difusor/{nombre(1)}", "bitacora")
VENTANA_S = 10.0


@pytest.fixture(scope="module")
def sitio(_chica: Noche, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Noche, Atendido]]:
    night = copia(_chica, tmp_path_factory.mktemp("sitio"))
    with atendida(night) as attended:
        yield night, attended


@pytest.fixture
def ana(sitio: tuple[Noche, Atendido]) -> Iterator[Visita]:
    with visitando(sitio[1].url) as visita:
        assert visita.entra().status_code == 303
        yield visita


def pide(visita: Visita, ruta: str, **headers: str) -> httpx2.Response:
    return visita.client.get(visita.url + ruta, headers=headers)


def mensajes(answer: httpx2.Response) -> Iterator[tuple[str, str, Any]]:
    """Each numbered message of a stream: its name, its id and its JSON."""
    kind = ident = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            kind, ident = line[7:], ""
        elif line.startswith("id: "):
            ident = line[4:]
        elif line.startswith("data: ") and ident:
            yield kind, ident, json.loads(line[6:])


def test_without_a_port_it_is_not_attended(noche_chica: Noche) -> None:
    settings = noche_chica.workspace.settings.model_copy(update={"tablero": AjustesTablero()})
    off = replace(noche_chica.workspace, settings=settings)
    with pytest.raises(AjustesError, match="está apagado"), atendiendo(off, environment={}):
        pass
    with pytest.raises(ValueError, match="certificado"):
        AjustesTablero.model_validate({"direccion": "192.0.2.1", "puerto": 8443})


def test_nobody_without_a_session_sees_anything(sitio: tuple[Noche, Atendido]) -> None:
    with visitando(sitio[1].url) as visita:
        for ruta in PAGINAS:
            answer = pide(visita, ruta)
            assert (answer.status_code, answer.headers["location"]) == (303, "/entrar"), ruta
            assert "difusor" not in answer.text.lower()
            assert pide(visita, ruta, accept="application/json").status_code == 401


def test_each_page_for_the_three_roles(sitio: tuple[Noche, Atendido]) -> None:
    for person in ("ana", "beto", "carla"):
        with visitando(sitio[1].url) as visita:
            assert visita.entra(person).status_code == 303
            for ruta in PAGINAS:
                if ruta.startswith("flujo"):
                    assert visita.client.head(visita.url + ruta).status_code == 200
                    continue
                answer = pide(visita, ruta)
                assert answer.status_code == 200, (person, ruta, answer.text[:300])
                assert answer.headers["cache-control"] == "no-store"
                assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_json_is_the_board_and_travels_packed(sitio: tuple[Noche, Atendido], ana: Visita) -> None:
    answer = pide(ana, "tablero.json")
    assert answer.headers["content-encoding"] == "gzip"
    data = answer.json()
    assert data == json.loads(texto(de_cuadro(sitio[1].tablero.lector.cuadro)))
    assert (data["formato"], data["convocatoria"], data["noche"]["corte"]) == (FORMATO, "tablero-2027", 10)
    assert [len(one["celdas"]) for one in data["difusores"]] == [len(data["cortes"])] * 8
    assert "<" not in answer.text


def test_first_page_has_every_difusor_and_what_is_to_be_decided(ana: Visita) -> None:
    page = pide(ana, "").text
    for place in range(8):
        assert f"Difusora {place:03d}" in page
    assert "muestra algo que el instituto no firmó" in page
    assert "Se está leyendo" not in page


def test_a_difusor_s_page_cites_its_observations(sitio: tuple[Noche, Atendido], ana: Visita) -> None:
    detail = sitio[1].tablero.lector.detalle(nombre(1))
    assert detail is not None
    page = pide(ana, f"difusor/{nombre(1)}").text
    for one in detail.observaciones:
        assert re.search(rf"\b{one.n}\b", page), one.n
    for ruta in ("difusor/nadie", "difusor/..%2f..%2finstituto.toml", f"difusor/{'a' * 3000}"):
        assert pide(ana, ruta).status_code == 404
    for ruta in ("no-hay", "estatico", "difusor/a/b"):
        answer = pide(ana, ruta)
        assert (answer.status_code, "No hay ninguna página en esa dirección." in answer.text) == (404, True)


@pytest.mark.parametrize(
    "filtro",
    [
        "difusor=difusor-002",
        "tipo=corte",
        "tono=mal",
        "corte=3&tipo=periodo",
        "antes=9",
        "antes=-1&corte=x&tono=rojo&tipo=%3Cb%3E&difusor=%00",
        "antes=999999999999999999999",
    ],
)
def test_journal_by_filter(sitio: tuple[Noche, Atendido], ana: Visita, filtro: str) -> None:
    """What is no filter is no filter: the page is that of everything, and says nothing of what was typed."""
    answer = pide(ana, f"bitacora?{filtro}")
    assert answer.status_code == 200
    assert "<b>" not in answer.text.partition("<body")[2]


# The stream.


def test_who_comes_gets_the_whole_and_who_has_it_gets_nothing_twice(sitio: tuple[Noche, Atendido], ana: Visita) -> None:
    night, attended = sitio
    board = attended.tablero.lector.cuadro
    with ana.client.stream("GET", ana.url + "flujo.json") as answer:
        kind, ident, data = next(mensajes(answer))
        assert (kind, ident) == ("cuadro", f"{board.serie}.{data['version']}")
        assert data["difusores"] == json.loads(texto(de_cuadro(attended.tablero.lector.cuadro)))["difusores"]
    have = attended.tablero.lector.cuadro
    with ana.client.stream("GET", ana.url + f"flujo.json?serie={have.serie}&desde={have.version}") as answer:
        night.workspace.state().record("nota", texto="algo")
        started = time.monotonic()
        kind, ident, data = next(mensajes(answer))
        assert time.monotonic() - started < 1.0
        assert (kind, ident, data["antes"]) == ("cambio", f"{have.serie}.{have.version + 1}", have.version)
        assert [one["texto"] for one in data["eventos"]] == ["algo"]


def test_who_was_away_misses_nothing(sitio: tuple[Noche, Atendido], ana: Visita) -> None:
    night, attended = sitio
    with ana.client.stream("GET", ana.url + "flujo.json") as answer:
        _, ident, seen = next(mensajes(answer))
    for place in range(3):
        before = attended.tablero.lector.cuadro.version
        if place == 1:
            night.mira(night.clock.instant + timedelta(seconds=60), night.slots - 1, {4: "R", 6: "S"})
        else:
            night.workspace.state().record("nota", texto=f"ausente {place}")
        ended = time.monotonic() + VENTANA_S
        while attended.tablero.lector.cuadro.version == before and time.monotonic() < ended:
            time.sleep(0.02)
    last = attended.tablero.lector.cuadro
    with ana.client.stream("GET", ana.url + "flujo.json", headers={"last-event-id": ident}) as answer:
        for kind, _, data in mensajes(answer):
            assert kind == "cambio"
            assert data["antes"] == seen["version"], "none is missing and none comes twice"
            seen = aplica(seen, data)
            if seen["version"] >= last.version:
                break
    due = json.loads(texto(de_cuadro(last)))
    assert {**seen, "hora": 0} == {**due, "hora": 0}
    assert [one["texto"] for one in seen["eventos"][:2]] == ["ausente 2", "ausente 0"]
    for foreign in ("0badcafe.3", f"{last.serie}.{last.version + 50}", f"{last.serie}.x", "%%%", f"{last.serie}.-1"):
        with ana.client.stream("GET", ana.url + "flujo.json", headers={"last-event-id": foreign}) as answer:
            assert next(mensajes(answer))[0] == "cuadro", foreign


def test_parts_of_the_page_travel_by_the_same_numbers(sitio: tuple[Noche, Atendido], ana: Visita) -> None:
    night, attended = sitio
    have = attended.tablero.lector.cuadro
    with ana.client.stream("GET", ana.url + f"flujo?serie={have.serie}&desde={have.version}") as answer:
        night.workspace.state().record("alarma", codigo="ENTREGA", severidad="aviso", texto="un nodo callado")
        told = json.loads(next(events(answer, "partes")))
        assert (told["serie"], told["version"]) == (have.serie, have.version + 1)
        assert any("un nodo callado" in html for html in told["partes"].values())
        assert f"r-{nombre(0)}" not in told["partes"], "its row is as it was"
    night.workspace.state().record("alarma_resuelta", codigo="ENTREGA")


def test_a_stream_ends_with_its_account(sitio: tuple[Noche, Atendido]) -> None:
    night, attended = sitio
    accounts = cuentas_de(night.workspace, BARATO)
    accounts.pone("dora", "otra clave muy larga", ("observador",), ahora=night.clock.now(), disk=night.workspace.disk)
    with visitando(attended.url) as visita:
        assert visita.entra("dora", "otra clave muy larga").status_code == 303
        with visita.client.stream("GET", visita.url + "flujo.json") as answer:
            stream = mensajes(answer)
            next(stream)
            accounts.quita("dora", disk=night.workspace.disk)
            night.workspace.state().record("nota", texto="dora ya no está")
            assert list(stream) == [], "what is told after it is not told to it"


@pytest.mark.xdist_group("noche-grande")
def test_a_great_night_is_read_in_seconds_and_told_to_200_pages_in_less_than_one(noche_grande: Noche) -> None:
    night = noche_grande
    spent = time.process_time()
    with atendida(night) as attended, visitando(attended.url) as visita:
        assert time.process_time() - spent < 10
        board = attended.tablero.lector.cuadro
        assert (len(board.difusores), len(board.cortes)) == (100, 144)
        assert {
            (row.id, slot): letter for row in board.difusores for slot, letter in enumerate(row.celdas)
        } == night.letras
        assert visita.entra().status_code == 303
        packed = int(pide(visita, "tablero.json").headers["content-length"])
        assert packed < 60_000
        path = f"/flujo?serie={board.serie}&desde={attended.tablero.lector.cuadro.version}"
        with escuchan(visita, path, 199) as pages, escuchan(visita, "/flujo.json", 1) as whole:
            whole.espera(0, VENTANA_S)
            ended = time.monotonic() + VENTANA_S
            while attended.tablero.emisor.oyentes < 199 and time.monotonic() < ended:
                time.sleep(0.02)
            night.clock.instant = INICIO + PASO * 143 + timedelta(minutes=6)
            changes = (
                lambda: night.workspace.state().record("nota", texto="hola"),
                lambda: night.mira(night.clock.instant + timedelta(seconds=5), 143, dict.fromkeys(range(20, 60), "R")),
                lambda: night.mira(night.clock.instant + timedelta(seconds=60), 143, {}),
            )
            came = 0
            for change in changes:
                change()
                written = time.monotonic()
                lag = max(pages.espera(came, VENTANA_S)) - written
                assert lag < 1.0, f"{lag:.2f} s"
                # A change may be told in two: what came, and what the clock made of it a moment later.
                time.sleep(0.3)
                came = max(len(one) for one in pages.ids())
            assert len({tuple(one) for one in pages.ids()}) == 1, "everybody was told the same, in the same order"
