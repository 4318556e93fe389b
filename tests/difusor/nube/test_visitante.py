"""What visitors cost the origin: between two cuts nothing, whatever they send; at a cut, one request for each path."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from typing import TYPE_CHECKING

import httpx2
import pytest

from pregon.base.procesos import running
from pregon.difusor.nube.cabeceras import del_borde
from pregon.difusor.servidor.sitio import INMUTABLE, site_of
from tests.difusor.conftest import make_escena
from tests.difusor.nube.orilla import ESTILO, PAGINAS, Orilla, datos
from tests.instituto.navegador import Traffic, chromium, watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pregon.base.procesos import Process
    from pregon.trust.keys import KeyRing

pytestmark = pytest.mark.xdist_group("nube")

CONEXIONES = 16
SEGUNDOS = 1
"""Of each crowd: tens of thousands of requests."""
ACIERTOS = 0.999
"""Of what readers ask, what the edge answers by itself; the rest is what the origin is asked."""
CODIFICACIONES = ("gzip", "identity", "br", "gzip, deflate, br, zstd")
CALLADAS = re.compile(r"x-amz-meta|^via$|^age$|^x-varnish$|^x-pregon|^last-modified$|^server$", re.IGNORECASE)
"""Names of headers that no reader sees: they decide by dates, or tell what is behind."""
_REQUESTS = re.compile(r"(\d+) requests in")
_WRK = """local rutas = {%s}
local n = 0
request = function()
  n = n %% #rutas + 1
  return wrk.format("GET", rutas[n][1], rutas[n][2])
end
"""


@pytest.fixture(scope="module")
def orilla(ring: KeyRing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orilla]:
    """One edge for all, with the first cut shown."""
    folder = tmp_path_factory.mktemp("visitante")
    with Orilla(make_escena(folder, ring), folder / "orilla") as orilla:
        orilla.corta()
        yield orilla


def rutas(corte: int) -> list[str]:
    """Everything that readers of that cut ask for: its pages, its data, and what never changes."""
    return [*PAGINAS, "corte.json", "contacto.txt", ESTILO, *datos(corte).values()]


def test_a_crowd_costs_the_origin_what_a_cut_changed_and_no_more(orilla: Orilla, tmp_path: Path) -> None:
    """INE-II-a-i-2: over kept connections, half of them with the ETag they hold, and a cut in the middle."""
    before = orilla.corte
    visits = _visits(orilla.url, rutas(before))
    with orilla.contando() as first, _crowd(orilla.url, visits, tmp_path / "uno") as one:
        assert one.wait(20) == 0, one.tail()
    assert first == [], "who comes again costs the origin nothing, with an ETag or without it"
    with orilla.contando() as second, _crowd(orilla.url, visits, tmp_path / "dos") as two:
        orilla.corta()
        assert two.wait(20) == 0, two.tail()
    old, new = (orilla.escena.manifest_hashes(corte) for corte in (before, before + 1))
    times = Counter(one.ruta for one in second)
    assert times.keys() <= {orilla.clave(ruta) for ruta in new if new[ruta] != old.get(ruta)}, "only what changed"
    # A folder's page is purged by each of its two names, and may be asked for between them.
    assert max(times.values()) <= 2, f"however many wanted it at the same time: {times}"
    asked = _asked(one) + _asked(two)
    print(f"{asked} requests of visitors, {len(second)} at the origin")
    assert 1 - len(second) / asked > ACIERTOS, f"{len(second)} of {asked}"


def test_who_comes_again_is_told_that_nothing_changed_by_the_edge_alone(orilla: Orilla) -> None:
    with orilla.contando() as origin, httpx2.Client(base_url=orilla.url, trust_env=False) as client:
        for encoding in CODIFICACIONES:
            for ruta in rutas(orilla.corte):
                asked = {"accept-encoding": encoding}
                tag = client.get(ruta, headers=asked).headers["etag"]
                again = client.get(ruta, headers={**asked, "if-none-match": tag})
                assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
                head = client.head(ruta, headers=asked)
                assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)
                other = client.get(ruta, headers={**asked, "if-none-match": '"otra"'})
                assert other.status_code == 200
    assert max(Counter(one.ruta for one in origin).values(), default=0) <= 1, "each at its first visit, if at all"


def test_nothing_that_a_visitor_sends_makes_the_edge_ask_again(orilla: Orilla) -> None:
    """Each of these is a way to fill a cache with copies of one page, or to pass through it."""
    with httpx2.Client(base_url=orilla.url, trust_env=False) as client:
        for ruta in rutas(orilla.corte):
            client.get(ruta)
        with orilla.contando() as origin:
            for number, ruta in enumerate(rutas(orilla.corte)):
                for headers in (
                    {"cookie": f"visita={number}"},
                    {"origin": f"https://medio-{number}.mx"},
                    {"accept-language": f"es-{number}", "user-agent": f"lector/{number}"},
                    {"cache-control": "no-cache", "pragma": "no-cache"},
                    {"range": "bytes=0-9"},
                    {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"},
                    {"x-forwarded-host": f"otro-{number}.mx", "host": f"otro-{number}.mx"},
                ):
                    answer = client.get(f"{ruta}?visita={number}", headers=headers)
                    assert answer.status_code == (206 if "range" in headers else 200), headers
                for method in ("POST", "PUT", "DELETE", "PURGE", "BAN"):
                    assert client.request(method, ruta).status_code in (403, 405)
    assert origin == []


def test_the_edge_says_what_our_own_servers_say(orilla: Orilla) -> None:
    """Types, what may be kept and for how long, one strong ETag for each encoding, and nothing of what is behind."""
    security = dict(del_borde(site_of(orilla.escena.workspace, 0), orilla.url))
    kinds = {"json": "application/json", "css": "text/css; charset=utf-8", "txt": "text/plain; charset=utf-8"}
    with httpx2.Client(base_url=orilla.url, trust_env=False) as client:
        for ruta in (*rutas(orilla.corte), "manifiesto.json"):
            for encoding in ("gzip", "identity"):
                answer = client.get(ruta, headers={"accept-encoding": encoding})
                headers = answer.headers
                assert headers["content-type"] == kinds.get(ruta.rpartition(".")[2], "text/html; charset=utf-8")
                kept = ruta.startswith(("datos/", "assets/"))
                assert headers["cache-control"] == (INMUTABLE if kept else "public, max-age=0"), ruta
                assert headers.get("content-encoding", "identity") == encoding
                assert "accept-encoding" in headers["vary"].lower()
                assert headers["etag"].removeprefix("W/").strip('"')
                assert {name: headers[name] for name in security} == security
                assert [name for name in headers if CALLADAS.search(name)] == []
        missing = client.get("gub/no-existe/")
        assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")
        assert {name: missing.headers[name] for name in security} == security


def test_a_browser_that_comes_back_is_answered_by_the_edge(orilla: Orilla) -> None:
    """Real Chromium: it keeps what never changes, and asks the edge alone for the rest, until there is a cut."""
    with chromium() as browser, browser.new_context() as context:
        page = context.new_page()
        wrong, traffic = watch(page), Traffic(page)
        page.goto(orilla.url)
        traffic.rests()
        with orilla.contando() as origin:
            for _ in range(3):
                answer = page.goto(orilla.url + "gub/")
                assert answer is not None
                assert answer.status in (200, 304)
                page.goto(orilla.url)
                traffic.rests()
        assert [one for one in origin if one.ruta != orilla.clave("gub/")] == []
        assert page.locator(f"[data-corte='{orilla.corte:04d}']").count() == 1
        orilla.corta()
        page.reload()
        assert page.locator(f"[data-corte='{orilla.corte:04d}']").count() == 1
        assert wrong == []


def _visits(url: str, asked: Sequence[str]) -> str:
    """wrk's script: each path without conditions, and each with the ETag that a first visit got."""
    lines = []
    with httpx2.Client(base_url=url, trust_env=False) as client:
        for ruta in asked:
            tag = client.get(ruta, headers={"accept-encoding": "gzip"}).headers["etag"].replace('"', '\\"')
            lines.append(f'{{"/{ruta}", {{["Accept-Encoding"] = "gzip"}}}}')
            lines.append(f'{{"/{ruta}", {{["Accept-Encoding"] = "gzip", ["If-None-Match"] = "{tag}"}}}}')
    return _WRK % ",\n".join(lines)


@contextlib.contextmanager
def _crowd(url: str, script: str, folder: Path) -> Iterator[Process]:
    """wrk, already asking."""
    folder.mkdir()
    (folder / "visitas.lua").write_text(script)
    command: list[str | Path] = ["wrk", "-t1", f"-c{CONEXIONES}", f"-d{SEGUNDOS}s", "-s", folder / "visitas.lua", url]
    with running(command, output=folder / "wrk.txt") as process:
        yield process


def _asked(crowd: Process) -> int:
    text = crowd.tail()
    found = _REQUESTS.search(text)
    assert found is not None, text
    assert "Non-2xx" not in text, text
    return int(found[1])
