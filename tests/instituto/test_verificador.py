"""The page «Compruebe un sitio» in a real browser, over a real difusor: what it proves, and that it says no more."""

from __future__ import annotations

import base64
import json
import shutil
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest
from typer.testing import CliRunner

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.base.errors import PregonError
from pregon.base.hashing import grupos, sha256_bytes
from pregon.base.red import free_port
from pregon.cli.instituto import app
from pregon.difusor.gemelos import TWINS
from pregon.instituto import verificador
from pregon.transport.local import FolderSource
from pregon.trust.comprueba import Examinador
from pregon.trust.keys import KeyRing, generate, ring_names
from tests.difusor.conftest import Escena, make_escena
from tests.instituto.conftest import INICIO, Night, unpack
from tests.instituto.navegador import axe_faults, serving
from tests.trust.test_vectores import INDICE, VECTORES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def ring() -> KeyRing:
    return KeyRing(tuple(generate(name) for name in ring_names()))


@pytest.fixture
def noche(tmp_path: Path, ring: KeyRing) -> Escena:
    """A difusor that shows the first cut, and the institute that signed it."""
    folder = tmp_path / "noche"
    folder.mkdir()
    escena = make_escena(folder, ring)
    escena.cut(1)
    escena.receiver().run_once()
    return escena


@contextmanager
def institute(escena: Escena, folder: Path, root: bytes | None = None) -> Iterator[str]:
    """The institute's host with the page; its metadata are the repository's as they are now."""
    verificador.write(folder, root or escena.repository.root_bytes(), repositorio=None, disk=Disk())
    shutil.copytree(escena.repository.folder / "metadata", folder / "repositorio" / "metadata")
    with serving(folder, policy=verificador.POLITICA) as url:
        yield url


@contextmanager
def opened(browser: Browser, url: str, now: float) -> Iterator[Page]:
    """The page on a small phone, at the hour of the scene; nothing may be refused by its own policy."""
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.append(m.text) if "Content Security Policy" in m.text else None)
    page.add_init_script(f"Date.now = () => {now};")
    page.goto(url)
    page.wait_for_selector("#comprueba:enabled")
    yield page
    assert wrong == []
    context.close()


def check(page: Page, site: str) -> str:
    """Type the address and wait for the verdict."""
    page.fill("#sitio", site)
    page.click("#comprueba")
    page.wait_for_selector("#resultado:visible", timeout=20_000)
    return page.inner_text("#veredicto")


def items(page: Page, name: str) -> list[str]:
    return page.locator(f"#{name} li").all_inner_texts()


def millis(escena: Escena) -> float:
    return escena.clock.instant.timestamp() * 1000


def another_server(escena: Escena, folder: Path) -> Path:
    """A copy of what the difusor publishes, for a server that is not ours."""
    shutil.copytree(escena.workspace.cortes / "0001", folder, symlinks=False)
    return folder


def test_a_difusor_is_proved_whole(noche: Escena, browser: Browser, tmp_path: Path) -> None:
    listed = noche.manifest_hashes(1)
    total = len(listed) - 1
    with (
        noche.served() as (site, _),
        institute(noche, tmp_path / "host") as url,
        opened(browser, url, millis(noche)) as page,
    ):
        assert check(page, site) == f"Coincide: los {total} archivos son los que el instituto firmó."
        assert page.locator("#huella").inner_text().split() == grupos(listed["manifiesto.json"]).split(" ")
        assert page.locator("#raiz").inner_text().split() == grupos(sha256_bytes(noche.repository.root_bytes())).split(
            " "
        )
        assert items(page, "fallas") == []
        signed, read = items(page, "probado")
        assert "firmado por el instituto" in signed
        assert read.startswith(f"{total} archivos son, byte por byte")
        assert [item.split(",")[0] for item in items(page, "no-probado")] == [
            "Que a otras personas",
            "Que no tenga además otras páginas.",
        ]
        # A phone of 320 pixels holds it, and nothing is unreadable for who cannot see it.
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert axe_faults(page) == []
        assert page.evaluate("document.activeElement.id") == "veredicto"


def test_a_page_altered_at_the_difusor_is_named_and_so_is_what_it_lost(
    noche: Escena, browser: Browser, tmp_path: Path
) -> None:
    release = noche.workspace.cortes / "0001"
    data = bytearray((release / "gub" / "index.html").read_bytes())
    data[40] ^= 1
    for suffix in ("", *TWINS):  # with the compressed ones, that a browser would get
        (release / f"gub/index.html{suffix}").unlink(missing_ok=True)
        (release / f"corte.json{suffix}").unlink(missing_ok=True)
    (release / "gub" / "index.html").write_bytes(data)
    with (
        noche.served() as (site, _),
        institute(noche, tmp_path / "host") as url,
        opened(browser, url, millis(noche)) as page,
    ):
        assert check(page, site).startswith("No coincide: 2 archivos")
        assert items(page, "fallas") == [
            "corte.json: falta: el sitio dice que no existe.",
            "gub/index.html: no es el que se firmó.",
        ]


def test_the_link_of_a_portal_says_which_site_to_check_and_sends_it_to_nobody(browser: Browser, tmp_path: Path) -> None:
    address = "https://www.iee.example.mx/prep/verificador/"
    night = Night(tmp_path, ManualClock(INICIO))
    space = night.create()
    space = replace(space, convocatoria=space.convocatoria.model_copy(update={"verificador_url": address}))
    unpack(night.cut(space), tmp_path / "raiz" / "prep")
    asked: list[str] = []
    with serving(tmp_path / "raiz") as url:
        for scripts in (True, False):
            context = browser.new_context(java_script_enabled=scripts)
            context.route(f"{address}**", lambda route: route.fulfill(body="<!doctype html><title>Instituto</title>"))
            context.on("request", lambda request: asked.append(request.url) if address in request.url else None)
            page = context.new_page()
            page.goto(f"{url}/prep/dip/distrito-001/index.html", wait_until="networkidle")
            assert page.get_attribute("a[data-verificador]", "href") == address
            with context.expect_page() as opened:
                page.click("a[data-verificador]")
            where, _, site = opened.value.url.partition("#sitio=")
            assert where == address
            assert unquote(site) == (f"{url}/prep/" if scripts else "")
            if scripts:
                page.goto(f"{url}/prep/preguntas-frecuentes/index.html")
                assert axe_faults(page) == []
            context.close()
    assert [text.partition("#")[0] for text in asked] == [address, address]


def test_what_a_server_does_not_let_be_read_is_not_called_proved(
    noche: Escena, browser: Browser, tmp_path: Path
) -> None:
    pages = sum(ruta.endswith(".html") for ruta in noche.manifest_hashes(1))
    copy = another_server(noche, tmp_path / "cerrado")
    with (
        noche.served() as (site, _),
        serving(copy) as closed,
        institute(noche, tmp_path / "host") as url,
        opened(browser, url, millis(noche)) as page,
    ):
        page.route(f"{site}**/*.html", lambda r: r.continue_(url=r.request.url.replace(site, f"{closed}/")))
        words = check(page, site)
        assert f"{pages} archivos de «páginas (.html)»: el sitio responde, pero no deja" in items(page, "no-probado")[0]
        assert items(page, "fallas") == []
        assert words.startswith("Lo que se pudo leer es lo que el instituto firmó")


def test_a_link_may_say_which_site_and_its_address_is_not_sent(noche: Escena, browser: Browser, tmp_path: Path) -> None:
    site = "https://prep.example.mx/"
    with institute(noche, tmp_path / "host") as url:
        for place in (f"{url}/#sitio={quote(site, safe='')}", f"{url}/?sitio={site}"):
            with opened(browser, place, millis(noche)) as page:
                assert page.input_value("#sitio") == site
                assert page.is_hidden("#resultado")  # nothing is asked for until the reader says so


def test_a_manifest_that_nobody_signed_is_refused(noche: Escena, browser: Browser, tmp_path: Path) -> None:
    copy = another_server(noche, tmp_path / "abierto")
    manifest = json.loads((copy / "manifiesto.json").read_bytes())
    (copy / "manifiesto.json").unlink()
    manifest["archivos"] = []
    (copy / "manifiesto.json").write_text(json.dumps(manifest))
    with (
        serving(copy, cors=True) as site,
        institute(noche, tmp_path / "host") as url,
        opened(browser, url, millis(noche)) as page,
    ):
        words = check(page, site)
        assert words.startswith("No está probado que sea del instituto.")
        assert "(HASH)" in words
        assert items(page, "probado") == []


def test_keys_of_another_root_are_refused(noche: Escena, browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "ajeno"
    folder.mkdir()
    strange = make_escena(folder, KeyRing(tuple(generate(name) for name in ring_names())))
    with (
        noche.served() as (site, _),
        institute(noche, tmp_path / "host", strange.repository.root_bytes()) as url,
        opened(browser, url, millis(noche)) as page,
    ):
        words = check(page, site)
        assert words.startswith("No está probado que sea del instituto.")
        assert "(FIRMA)" in words


def test_an_old_cut_says_so(noche: Escena, browser: Browser, tmp_path: Path) -> None:
    copy = another_server(noche, tmp_path / "abierto")
    noche.cut(2)
    with (
        serving(copy, cors=True) as site,
        institute(noche, tmp_path / "host") as url,
        opened(browser, url, millis(noche)) as page,
    ):
        words = check(page, site)
        assert "atrasado" in words
        assert "el instituto ya firmó el 2" in words


def test_expired_signatures_prove_nothing_new(noche: Escena, browser: Browser, tmp_path: Path) -> None:
    later = millis(noche) + 90 * 86_400_000
    with (
        noche.served() as (site, _),
        institute(noche, tmp_path / "host") as url,
        opened(browser, url, later) as page,
    ):
        assert "(EXPIRADO)" in check(page, site)


def test_what_cannot_be_read_is_said_plainly(noche: Escena, browser: Browser, tmp_path: Path) -> None:
    copy = another_server(noche, tmp_path / "cerrado")
    with (
        serving(copy) as closed,
        institute(noche, tmp_path / "host") as url,
        opened(browser, url, millis(noche)) as page,
    ):
        words = check(page, f"http://127.0.0.1:{free_port('127.0.0.1')}/")
        assert "no responde" in words
        assert words.startswith("No se pudo comprobar.")
        assert "no deja que otra página lo lea" in check(page, closed)
        page.fill("#sitio", "ftp://prep.ejemplo.mx")
        page.click("#comprueba")
        page.wait_for_function("document.querySelector('#estado').textContent !== ''")


def test_signatures_that_are_not_published_are_not_called_false(
    noche: Escena, browser: Browser, tmp_path: Path
) -> None:
    with noche.served() as (site, _), institute(noche, tmp_path / "host") as url:
        shutil.rmtree(tmp_path / "host" / "repositorio")
        with opened(browser, url, millis(noche)) as page:
            assert check(page, site).startswith("No se pudo comprobar.")


def test_it_can_be_cancelled_and_concludes_nothing(noche: Escena, browser: Browser, tmp_path: Path) -> None:
    with (
        noche.served() as (site, _),
        institute(noche, tmp_path / "host") as url,
        opened(browser, url, millis(noche)) as page,
    ):
        held: list[Any] = []
        page.route("**/timestamp.json", lambda route: held.append(route))  # it does not answer
        page.fill("#sitio", site)
        page.click("#comprueba")
        page.wait_for_selector("#cancela:visible")
        page.click("#cancela")
        page.wait_for_function("document.querySelector('#estado').textContent.startsWith('Cancelado')")
        assert page.is_hidden("#resultado")
        for route in held:
            route.abort()


def test_the_browser_gives_the_verdict_of_pregon_on_the_metadata_of_every_vector(
    browser: Browser, tmp_path: Path
) -> None:
    """Checks 1 and 3 to 9; what a memory or the contents decide is not the page's."""
    (tmp_path / "vectores").symlink_to(VECTORES, target_is_directory=True)
    shutil.copytree(VECTORES.parents[2] / "src/pregon/instituto/verificador", tmp_path / "guiones")
    (tmp_path / "index.html").write_text("<!doctype html><title>Vectores</title>")
    judge = """async ([root, base, now]) => {
      const { signedList } = await import("/guiones/firmas.js");
      const { Refusal } = await import("/guiones/documentos.js");
      const { read } = await import("/guiones/lectura.js");
      const bytes = Uint8Array.from(atob(root), (c) => c.charCodeAt(0));
      const signal = new AbortController().signal;
      try {
        await signedList(bytes, (name, limit) => read(new URL(base + name, location.href), limit, signal), now);
        return "OK";
      } catch (error) { return error instanceof Refusal ? error.codigo : String(error); }
    }"""
    context = browser.new_context()
    page = context.new_page()
    with serving(tmp_path, policy=verificador.POLITICA) as url:
        page.goto(url)
        for vector in INDICE:
            root = (VECTORES / vector["raiz"]).read_bytes()
            instant = ManualClock(datetime.fromisoformat(vector["hora"]), simulado=False)
            repository = vector["repositorio"] or f"{vector['id']}/repositorio"
            expected = "OK"
            try:
                with Examinador(root, clock=instant) as examiner:
                    examiner.listing(FolderSource(VECTORES / repository))
            except PregonError as exc:
                expected = exc.codigo
            now = instant.instant.timestamp() * 1000
            arguments = [base64.b64encode(root).decode(), f"vectores/{repository}/metadata/", now]
            assert page.evaluate(judge, arguments) == expected, vector["id"]
    context.close()


def test_the_command_writes_the_page_and_touches_nothing_when_it_refuses(noche: Escena, tmp_path: Path) -> None:
    raiz = tmp_path / "root.json"
    raiz.write_bytes(noche.repository.root_bytes())
    out = tmp_path / "pagina"
    words = [
        "verificador",
        "--salida",
        str(out),
        "--raiz",
        str(raiz),
        "--repositorio",
        "https://iee.ejemplo/prep/",
        "--json",
    ]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["politica"] == verificador.POLITICA
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [
            "index.html",
            "verificador.css",
            "verificador.js",
            "documentos.js",
            "firmas.js",
            "lectura.js",
            "raiz.js",
            "resultado.js",
        ]
    )
    assert '"https://iee.ejemplo/prep/metadata/"' in (out / "raiz.js").read_text()
    refused = tmp_path / "nada"
    raiz.write_text("{}")
    assert CliRunner().invoke(app, ["verificador", "--salida", str(refused), "--raiz", str(raiz)]).exit_code == 77
    assert not refused.exists()
