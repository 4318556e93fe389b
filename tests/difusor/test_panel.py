"""The status panel on a real server: what it shows, to whom, how soon, and that the night never waits for it."""

from __future__ import annotations

import dataclasses
import gc
import json
import logging
import sqlite3
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base.errors import PregonError
from pregon.cli.difusor import app
from pregon.convocatoria.perfiles import load
from pregon.difusor.historia.pronostico import Pronostico
from pregon.difusor.panel.ajustes import AjustesPanel
from pregon.difusor.panel.cuentas import MIRA, cuentas_de
from pregon.difusor.panel.foto import Dato, toma
from pregon.difusor.panel.palabras import ESTADOS, evento, hace, tamano
from pregon.difusor.panel.servicio import atendiendo
from pregon.difusor.vigilancia.catalogo import catalogo
from tests.instituto.navegador import axe_faults, chromium, watch
from tests.trust.conftest import INICIO
from tests.web.conftest import BARATO, CLAVE, visitando
from tests.web.test_acceso import events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.difusor.workspace import Workspace
    from tests.difusor.conftest import Escena
    from tests.web.conftest import Visita


def configured(escena: Escena, **panel: Any) -> Workspace:
    settings = escena.workspace.settings.model_copy(update={"panel": AjustesPanel.model_validate(panel)})
    return dataclasses.replace(escena.workspace, settings=settings)


@contextmanager
def attended(escena: Escena, **panel: Any) -> Iterator[str]:
    """The panel of a difusor, with the account «ana»."""
    workspace = configured(escena, **{"puerto": 0, **panel})
    cuentas_de(workspace, BARATO).pone("ana", CLAVE, (MIRA,), ahora=escena.clock.now(), disk=escena.disk)
    with atendiendo(workspace, escena.state(), escena.clock, escena.disk, costo=BARATO) as url:
        assert url is not None
        yield url


@contextmanager
def signed_in(escena: Escena) -> Iterator[tuple[str, Visita]]:
    with attended(escena) as url, visitando(url) as visita:
        assert visita.entra().status_code == 303
        yield url, visita


def test_it_is_off_unless_it_is_configured(escena: Escena) -> None:
    with atendiendo(escena.workspace, escena.state(), escena.clock, escena.disk) as url:
        assert url is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"direccion": "192.0.2.1", "puerto": 8443},
        {"direccion": "192.0.2.1", "puerto": 8443, "certificado": "c.pem", "clave": "c.key"},
        {"puerto": 8443, "certificado": "c.pem"},
        {"puerto": 8443, "url": "http://panel.ejemplo.mx"},
        {"puerto": 8443, "otra": 1},
    ],
)
def test_settings_that_would_show_it_in_the_clear_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        AjustesPanel.model_validate(wrong)


def test_nothing_is_shown_to_who_is_not_signed_in(escena: Escena) -> None:
    escena.cut(1)
    escena.receiver().run_once()
    with attended(escena) as url, visitando(url) as visita:
        for ruta in ("", "flujo"):
            answer = visita.client.get(url + ruta)
            assert (answer.status_code, answer.headers["location"]) == (303, "/entrar")
            assert "Corte" not in answer.text
        assert visita.entra(clave="otra clave larga").status_code == 401
        assert visita.client.get(url).status_code == 303
    tipos = [(event.tipo, event.dato) for event in escena.state().events()]
    assert ("panel_rechazo", {"cuenta": "ana", "direccion": "127.0.0.1", "por": "clave"}) in tipos


def test_it_says_what_the_public_sees_and_what_comes(escena: Escena) -> None:
    with signed_in(escena) as (url, visita):
        text = visita.client.get(url).text
        assert "En espera" in text
        assert "20:00" in text  # the start, in local time
        receiver = escena.receiver()
        escena.cut(1)
        receiver.run_once()
        text = visita.client.get(url).text
        for part in (
            "Publicado",
            "Corte 1",
            "20:20",
            "20:40",
            "Faltan 20 min.",
            "Firmado por el instituto.",
            "Disco libre",
        ):
            assert part in text, part
        escena.clock.instant += timedelta(minutes=30)
        escena.repository.folder.rename(escena.folder / "ido")
        receiver.run_once()
        text = visita.client.get(url).text
        for part in ("Atrasado", "Lleva 10 min de retraso.", "(RED)", "pregunte al instituto si su servidor responde"):
            assert part in text, part
        assert visita.client.get(url).headers["cache-control"] == "no-store"


def test_next_deadline_is_there_until_the_night_begins(escena: Escena) -> None:
    """DGO-I-4a, DGO-I-5: what is due next, and how many more; near ones stand out. At 20:00 it makes room."""
    call = load("dgo-2024")
    workspace = dataclasses.replace(escena.workspace, convocatoria=call)

    def line(*when: int) -> Dato | None:
        now = datetime(*when, tzinfo=call.zona)  # type: ignore[misc,arg-type] # year, month, day, hour
        moment = toma(
            workspace,
            escena.libro,
            now,
            eventos=tuple,
            alarmas=tuple,
            pronostico=lambda: Pronostico(0, 0, 0, 0, 0, "ninguna"),
        )
        assert moment.faltan == ()
        return next((each for each in moment.datos if each.clave == "plazo"), None)

    first = line(2024, 5, 1, 12)
    assert first == Dato(
        "plazo",
        "Plazo siguiente",
        "A más tardar el sábado 18 de mayo de 2024",
        "Solicitud o aviso al instituto. Después, 1 más.",
    )
    near = line(2024, 5, 18, 23)
    assert (near and near.valor, near and near.tono) == (first.valor, "ojo")
    last = line(2024, 5, 19, 0)
    assert (last and last.valor, last and last.detalle) == (
        "A más tardar el martes 21 de mayo de 2024",
        "Infraestructura operando.",
    )
    assert line(2024, 5, 22, 0) is None
    report = dataclasses.replace(workspace, convocatoria=load("ine-2021"))
    workspace = report
    assert line(2021, 6, 6, 19) is not None  # INE-VII-b, the report
    assert line(2021, 6, 6, 20) is None


def test_each_alarm_in_force_says_what_to_do(escena: Escena) -> None:
    since = (INICIO + timedelta(minutes=3)).isoformat()
    escena.state().put(
        alarmas=[
            {"codigo": "MEMORIA", "severidad": "aviso", "texto": "Quedan 90 MB. Detenga lo demás.", "desde": since,
             "detalle": {}},
            {"codigo": "PORTAL_VIEJO", "severidad": "alarma", "texto": "Vacíe <la caché>.", "desde": since,
             "detalle": {}},
        ]
    )  # fmt: skip
    with signed_in(escena) as (url, visita):
        text = visita.client.get(url).text
        assert text.index(catalogo()["PORTAL_VIEJO"].titulo) < text.index(catalogo()["MEMORIA"].titulo)
        assert "Vacíe &lt;la caché&gt;." in text
        assert "desde 20:03" in text
        assert "Sin alarmas" not in text
        escena.state().put(alarmas=[])
        assert "Sin alarmas." in visita.client.get(url).text


def test_a_change_reaches_an_open_page_within_a_second(escena: Escena) -> None:
    receiver = escena.receiver()
    with signed_in(escena) as (url, visita), visita.client.stream("GET", url + "flujo") as answer:
        arrived = events(answer)
        assert "En espera" in next(arrived)
        escena.cut(1)
        receiver.run_once()
        ended = time.monotonic()
        assert any("Corte 1" in each and "Publicado" in each for each in arrived)
        assert time.monotonic() - ended <= 1.0


def test_it_only_reads(escena: Escena) -> None:
    escena.cut(1)
    escena.receiver().run_once()
    before = (escena.public(), escena.libro.cortes(), escena.libro.intento)
    with signed_in(escena) as (url, visita):
        page = visita.client.get(url).text
        assert page.count("<form") == 1
        assert 'action="/salir"' in page
        ficha = page.split('name="ficha" value="')[1].split('"')[0]
        for ruta in ("", "flujo", "corte"):
            assert visita.manda(ruta, {"ficha": ficha}).status_code in (404, 405)
        assert visita.manda("salir", {"ficha": ficha}).status_code == 303
    assert (escena.public(), escena.libro.cortes(), escena.libro.intento) == before


def test_a_locked_database_costs_the_page_nothing_but_its_news(escena: Escena) -> None:
    escena.cut(1)
    escena.receiver().run_once()
    with signed_in(escena) as (url, visita):
        assert "Publicado" in visita.client.get(url).text
        held = sqlite3.connect(escena.workspace.estado, isolation_level=None)
        held.execute("PRAGMA locking_mode = EXCLUSIVE")
        held.execute("BEGIN EXCLUSIVE")
        held.execute("INSERT INTO valor VALUES ('x', '1')")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite3.connect(escena.workspace.estado, timeout=0).execute("SELECT * FROM valor")
        started = time.monotonic()
        text = visita.client.get(url).text
        assert time.monotonic() - started < 5
        assert "Publicado" in text
        assert "Corte 1" in text
        held.execute("ROLLBACK")
        held.close()


def test_a_damaged_database_is_told_and_the_page_stays(escena: Escena, caplog: pytest.LogCaptureFixture) -> None:
    escena.cut(1)
    escena.receiver().run_once()
    with signed_in(escena) as (url, visita), caplog.at_level(logging.CRITICAL):
        assert "Publicado" in visita.client.get(url).text
        data = bytearray(escena.workspace.estado.read_bytes())
        data[: len(data)] = b"\xa5" * len(data)
        escena.workspace.estado.write_bytes(data)
        text = visita.client.get(url).text
        assert "Sin datos" in text
        assert "No se pudo leer" in text
        assert "El sitio público no depende de esto." in text
        assert visita.client.get(url).status_code == 200
    assert escena.public()  # and it does not


def test_an_old_moment_says_that_it_is_old(escena: Escena, monkeypatch: pytest.MonkeyPatch) -> None:
    from pregon.difusor.panel import lector, sitio

    monkeypatch.setattr(lector, "ESPERA_S", 0.05)
    monkeypatch.setattr(sitio, "VIEJA_S", 0.0)
    with signed_in(escena) as (url, visita):
        assert "Lo que ve es de hace un momento" in visita.client.get(url).text


def test_what_keeps_it_from_opening_is_told_and_the_night_goes_on(
    escena: Escena, caplog: pytest.LogCaptureFixture
) -> None:
    with attended(escena) as url:
        port = int(url.rstrip("/").rpartition(":")[2])
        state = escena.state()
        done = False
        with (
            caplog.at_level(logging.CRITICAL),
            atendiendo(configured(escena, puerto=port), state, escena.clock, escena.disk) as second,
        ):
            done = second is None
        assert done
    last = state.events()[-1]
    assert (last.tipo, last.dato["donde"]) == ("falla", "el panel")
    assert str(port) in last.dato["que_paso"]
    with pytest.raises(KeyError), attended(escena):
        raise KeyError("de quien recibe")  # what the night raises is its own


def handles_open() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_it_leaves_no_thread_nor_handle(escena: Escena) -> None:
    def once() -> None:
        with signed_in(escena) as (url, visita), visita.client.stream("GET", url + "flujo") as answer:
            next(events(answer))

    once()
    gc.collect()  # And what the tests before this one did: only then can both counts be compared.
    threads, handles = threading.active_count(), handles_open()
    for _ in range(3):
        once()
    gc.collect()  # What the client left open is let go.
    assert threading.active_count() <= threads
    assert handles_open() <= handles


def run(*arguments: object, **options: Any) -> Any:
    return CliRunner().invoke(app, ["panel", *(str(argument) for argument in arguments)], **options)


def test_the_command_makes_changes_and_removes_accounts(escena: Escena, tmp_path: Path) -> None:
    folder, path = escena.workspace.folder, escena.workspace.llave.parent / "panel.json"
    secret = tmp_path / "clave.txt"
    secret.write_text(CLAVE + "\n")
    secret.chmod(0o600)
    made = run(folder, "--cuenta", "ana", "--clave-de", f"archivo:{secret}")
    assert made.exit_code == 0, made.stderr
    assert "ana" in made.stdout
    assert path.stat().st_mode & 0o777 == 0o600
    assert cuentas_de(escena.workspace).verifica("ana", CLAVE) is not None
    assert (
        run(folder, "--cuenta", "ana", "--clave-de", "env:LA_CLAVE", env={"LA_CLAVE": "otra clave larga"}).exit_code
        == 0
    )
    assert cuentas_de(escena.workspace).verifica("ana", "otra clave larga") is not None
    before = path.read_bytes()
    secret.chmod(0o644)
    for wrong, status in (("una clave larga de verdad", 2), (f"archivo:{secret}", 78), ("env:NO_ESTA", 66), (None, 66)):
        refused = run(folder, "--cuenta", "eva", *(() if wrong is None else ("--clave-de", wrong)))
        assert refused.exit_code == status
        assert CLAVE not in refused.stdout + refused.stderr
        assert path.read_bytes() == before
    assert [each["nombre"] for each in json.loads(run(folder, "--json").stdout)["cuentas"]] == ["ana"]
    assert run(folder, "--quita", "ana").exit_code == 0
    assert "nadie puede entrar" in run(folder).stdout
    assert run(folder, "--quita", "ana").exit_code == 2


def test_words() -> None:
    assert (hace(10), hace(720), hace(11_100), hace(400_000)) == ("un momento", "12 min", "3 h 5 min", "4 días")
    assert (tamano(999), tamano(1_234_567), tamano(64_000_000_000)) == ("999 bytes", "1.2 MB", "64.0 GB")
    assert evento("nunca_visto", {"codigo": "HASH"})[0] == "Nunca visto"
    assert evento("publicado", {})[0] == "Corte — a la vista del público"
    assert len(ESTADOS) == 5
    assert datetime(2027, 6, 6, tzinfo=UTC) < INICIO


@pytest.mark.parametrize(("scheme", "width"), [("dark", 360), ("light", 1280)])
def test_a_person_reads_it_on_a_telephone_and_on_a_desk(escena: Escena, scheme: Any, width: int) -> None:
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    with attended(escena) as url, chromium() as browser:
        context = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)
        page = context.new_page()
        wrong = watch(page)
        page.goto(url)
        assert axe_faults(page) == []
        page.fill("#cuenta", "ana")
        page.fill("#clave", CLAVE)
        page.keyboard.press("Enter")
        page.wait_for_url(url)
        assert axe_faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        state = page.locator("[data-parte=estado]")
        assert state.inner_text().startswith("Publicado")
        box = state.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 400  # state, cut and hour without moving a finger
        escena.cut(2)
        receiver.run_once()
        page.locator("text=Corte 2 de las").wait_for(timeout=3000)  # by itself
        plain = browser.new_context(java_script_enabled=False, storage_state=context.storage_state())
        without = plain.new_page()
        without.goto(url)
        assert "Corte 2" in without.locator("[data-parte=estado]").inner_text()
        assert wrong == []
        page.click("text=Salir")
        page.wait_for_url(url + "entrar")
        page.go_back()
        assert "Corte" not in page.content()
        plain.close()
        context.close()


def test_the_panel_answers_while_the_state_database_is_gone(escena: Escena, caplog: pytest.LogCaptureFixture) -> None:
    with signed_in(escena) as (url, visita), caplog.at_level(logging.CRITICAL):
        assert visita.client.get(url).status_code == 200
        escena.workspace.estado.unlink()
        escena.workspace.estado.mkdir()
        try:
            assert "No se pudo leer" in visita.client.get(url).text
            with pytest.raises(PregonError):
                escena.state()
        finally:
            escena.workspace.estado.rmdir()
