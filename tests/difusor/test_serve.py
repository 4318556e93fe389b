"""What the web server answers, and that it starts and ends in order. Real Caddy on a free port of this machine."""

from __future__ import annotations

import contextlib
import json
import socket
import stat
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
import pytest

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, InstanciaError
from pregon.difusor import pointer
from pregon.difusor.night import real_clock
from pregon.difusor.servidor import caddy
from pregon.difusor.servidor import proceso as serve
from pregon.difusor.servidor.direccion import DIRECCION
from pregon.difusor.servidor.sitio import Site, site_of
from pregon.difusor.workspace import open_workspace
from tests.difusor.conftest import files_of
from tests.trust.conftest import INICIO, INTERVALO, OFICIAL, other

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.difusor.conftest import Escena, EscenaFactory


@pytest.fixture
def published(escena: Escena) -> Escena:
    """One cut, public."""
    scripts = {
        "assets/app.0123456789ab.mjs": b"export const a = 1;\n" * 20,
        "incrusta/pregon-resultados.js": b"export const b = 2;\n" * 20,
        "incrusta/index.html": b"<!doctype html><title>Incrustar</title>",
    }
    escena.cut(1, {**files_of(1, INICIO + INTERVALO), **scripts})
    escena.receiver().run_once()
    return escena


@pytest.fixture
def client(published: Escena) -> Iterator[httpx2.Client]:
    with published.served() as (url, _), httpx2.Client(base_url=url, trust_env=False) as client:
        yield client


def raw(url: str, request: str) -> bytes:
    """The whole answer to a request written by hand: nothing tidies the path."""
    where = urlsplit(url)
    assert where.hostname is not None
    with socket.create_connection((where.hostname, where.port or 80), timeout=5) as connection:
        connection.sendall(request.encode())
        answer = b""
        # A server that refuses a request before reading all of it may reset the connection.
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.recv(65536):
                answer += chunk
    return answer


def test_security_headers_on_every_kind_of_answer(client: httpx2.Client) -> None:
    for ruta, status in (("", 200), ("corte.json", 200), ("no-existe", 404), ("gub", 308), ("datos/", 404)):
        answer = client.get(ruta)
        assert answer.status_code == status, ruta
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
        policy = headers["content-security-policy"]
        assert "frame-ancestors *" in policy
        assert "unsafe" not in policy
        for absent in ("x-frame-options", "server", "x-powered-by", "last-modified", "x-robots-tag", "via"):
            assert absent not in headers, (ruta, absent)


def test_own_pages_obey_their_own_policy(client: httpx2.Client) -> None:
    answer = client.get("no-existe")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Esta página no existe aquí" in answer.text
    assert answer.text.count("<style>") == 1
    assert "<script" not in answer.text
    assert "style=" not in answer.text


@pytest.mark.parametrize(("embebido", "ancestors"), [("si", "*"), ("no_dicho", "*"), ("no", "'self'")])
def test_frame_ancestors_follow_the_profile_and_the_old_header_is_never_sent(
    escena_factory: EscenaFactory, embebido: str, ancestors: str
) -> None:
    escena = escena_factory(extra=f'embebido = "{embebido}"')
    files = files_of(1, INICIO + INTERVALO) | {"incrusta/altura.js": b"1;\n" * 200}
    escena.cut(1, files)
    escena.receiver().run_once()
    with escena.served() as (url, _), httpx2.Client(base_url=url, trust_env=False) as client:
        for ruta in ("", "gub/index.html", "incrusta/altura.js", "corte.json", "no-existe"):
            headers = client.get(ruta).headers
            (directive,) = [
                part.strip()
                for part in headers["content-security-policy"].split(";")
                if part.strip().startswith("frame-ancestors")
            ]
            assert directive == f"frame-ancestors {ancestors}", ruta
            assert "x-frame-options" not in headers, ruta


def test_simulacro_asks_not_to_be_indexed_and_says_what_it_is(escena_factory: EscenaFactory) -> None:
    escena = escena_factory(identity=other(OFICIAL, ambiente="simulacro"))
    escena.receiver()
    with escena.served() as (url, _):
        answer = httpx2.get(url, trust_env=False)
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "Simulacro" in answer.text


def test_other_sites_may_read_every_file_and_that_one_is_missing_but_never_with_cookies(
    published: Escena, client: httpx2.Client
) -> None:
    for ruta in ("", *published.manifest_hashes(1), "SHA256SUMS", "no-existe", "datos/", ".%2e/estado.sqlite"):
        for method in ("GET", "HEAD"):
            answer = client.request(method, ruta, headers={"origin": "https://iee.example.mx"})
            assert answer.headers.get_list("access-control-allow-origin") == ["*"], (method, ruta)
            assert "access-control-allow-credentials" not in answer.headers, ruta
            assert "set-cookie" not in answer.headers, ruta


def test_scripts_that_other_pages_write_once_are_asked_again_and_say_what_they_are(client: httpx2.Client) -> None:
    answer = client.get("incrusta/pregon-resultados.js")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/javascript")  # a module of another type does not run
    again = client.get("incrusta/pregon-resultados.js", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.headers["access-control-allow-origin"]) == (304, "*")


def test_what_may_be_kept_and_what_is_asked_again(client: httpx2.Client) -> None:
    for ruta in ("datos/0001/gub/entidad.json", "assets/app.0123456789ab.mjs"):
        assert client.get(ruta).headers["cache-control"] == "public, max-age=31536000, immutable"
    for ruta in ("", "corte.json", "manifiesto.json", "assets/estilo.css", "SHA256SUMS"):
        assert client.get(ruta).headers["cache-control"] == "no-cache"
    for ruta in ("datos/0001/gub/nada.json", "datos/0002/gub/entidad.json"):
        assert client.get(ruta).headers["cache-control"] == "no-store"


def test_nothing_is_immutable_in_a_simulacro(escena_factory: EscenaFactory) -> None:
    escena = escena_factory(identity=other(OFICIAL, ambiente="simulacro"))
    escena.cut(1)
    escena.receiver().run_once()
    with escena.served() as (url, _):
        answer = httpx2.get(url + "datos/0001/gub/entidad.json", trust_env=False)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


def test_half_written_file_is_never_served(published: Escena) -> None:
    (published.workspace.cortes / "0001" / "corte.json.parcial").write_bytes(b"a medias")
    with published.served() as (url, _):
        assert httpx2.get(url + "corte.json.parcial", trust_env=False).status_code == 404


def test_paths_that_try_to_leave_the_release(published: Escena) -> None:
    with published.served() as (url, _):
        for path in (
            "/../../estado.sqlite",
            "/..%2f..%2festado.sqlite",
            "/%2e%2e/%2e%2e/difusor.toml",
            "//etc/passwd",
            "/..\\..\\difusor.toml",
            "/datos/../../../puntero",
            "/%00",
        ):
            answer = raw(url, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            status = int(answer.split(b" ", 2)[1])
            assert status in (301, 308, 400, 404), (path, answer[:200])
            assert b"SQLite" not in answer
            assert b"convocatoria" not in answer


def test_pointer_that_names_nothing_is_503_and_never_another_folder(published: Escena) -> None:
    with published.served() as (url, _), httpx2.Client(base_url=url, trust_env=False) as client:
        for content in (b"", b"\n", b"..\n", b"../historico/0001\n", b"0001/gub\n", b"{env.HOME}\n", b"00010\n"):
            published.workspace.puntero.write_bytes(content)
            for ruta in ("", "0001/", "0001/index.html", "espera/"):
                answer = client.get(ruta)
                assert answer.status_code == 503, content
                assert "no está disponible" in answer.text
        published.workspace.puntero.unlink()
        assert client.get("0001/index.html").status_code == 503
        pointer.switch(published.workspace, "0001", published.disk)
        assert client.get("").status_code == 200


def test_head_range_and_methods(client: httpx2.Client) -> None:
    whole = client.get("corte.json", headers={"accept-encoding": "identity"})
    head = client.head("corte.json", headers={"accept-encoding": "identity"})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    part = client.get("corte.json", headers={"accept-encoding": "identity", "range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    fresh = {"accept-encoding": "identity", "range": "bytes=2-5", "if-range": whole.headers["etag"]}
    assert client.get("corte.json", headers=fresh).status_code == 206
    for encoding in ("identity", "gzip", "br", "zstd"):
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer = client.request(method, "corte.json", headers={"accept-encoding": encoding})
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
            assert "content-encoding" not in answer.headers
            assert "etag" not in answer.headers
    outside = client.get("corte.json", headers={"accept-encoding": "gzip", "range": "bytes=99999-"})
    assert outside.status_code == 416


def test_huge_request_headers_are_refused(published: Escena) -> None:
    with published.served() as (url, _):
        answer = raw(url, f"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: {'a' * 40_000}\r\n\r\n")
        assert answer == b"" or answer.split(b" ", 2)[1] == b"431"


def test_aviso_shows_its_page_and_nothing_else(published: Escena) -> None:
    published.aviso("suspension")
    published.receiver().run_once()
    assert pointer.read(published.workspace) == "aviso"
    with published.served() as (url, _), httpx2.Client(base_url=url, trust_env=False) as client:
        home = client.get("")
        assert (home.status_code, home.headers["cache-control"]) == (200, "no-store")
        assert "suspendida" in home.text
        assert home.headers["access-control-allow-origin"] == "*"
        stopped = client.get("corte.json")
        assert stopped.status_code == 404
        assert stopped.headers["access-control-allow-origin"] == "*"  # other pages are told so, not left guessing
    published.aviso("reinstalacion")
    assert published.receiver().run_once().decision.corte == 1
    assert pointer.read(published.workspace) == "0001"


def test_two_convocatorias_on_one_server(published: Escena, escena_factory: EscenaFactory) -> None:
    second = escena_factory("segunda", identity=other(OFICIAL, convocatoria="otra-2027"))
    toml = second.workspace.folder / "difusor.toml"
    toml.write_text(toml.read_text() + 'base = "/otra/prep/"\n')
    profile = second.folder / "perfil.toml"
    profile.write_text(profile.read_text().replace('nombre = "Proceso', 'nombre = "Otro Proceso'))
    workspaces = [published.workspace, open_workspace(second.workspace.folder)]
    second.receiver()
    with serve.serving(workspaces, disk=Disk(), clock=real_clock(), port=0) as server:
        first_url, second_url = server.urls
        assert second_url == first_url + "otra/prep/"
        with httpx2.Client(trust_env=False) as client:
            assert 'data-corte="0001"' in client.get(first_url).text
            assert "todavía no se publican" in client.get(second_url).text
            assert client.get(second_url.rstrip("/")).headers["location"] == "/otra/prep/"
            for method, url, status in (
                ("GET", second_url + "corte.json", 404),
                ("POST", second_url, 405),
                ("GET", first_url + "nada", 404),
                ("GET", first_url + "otra/nada", 404),
            ):
                answer = client.request(method, url)
                assert answer.status_code == status
                assert ("Otro Proceso" in answer.text) is url.startswith(second_url), url
                assert answer.headers["cache-control"] == "no-store"
        with pytest.raises(InstanciaError), serve.serving([workspaces[1]], disk=Disk(), clock=real_clock(), port=0):
            pass
    logs = [(w.servidor / "acceso.log").read_text().splitlines() for w in workspaces]
    assert [json.loads(lines[0])["request"]["uri"] for lines in logs] == ["/", "/otra/prep/"]
    assert not (published.workspace.servidor / DIRECCION).exists()


def test_two_convocatorias_at_one_address_are_refused(published: Escena, escena_factory: EscenaFactory) -> None:
    second = escena_factory("segunda", identity=other(OFICIAL, convocatoria="otra-2027"))
    sites = [site_of(workspace, 8080) for workspace in (published.workspace, second.workspace)]
    with pytest.raises(AjustesError, match="misma dirección"):
        caddy.render(sites)


def test_admin_is_for_this_user_alone_and_the_log_too(published: Escena) -> None:
    with published.served() as (url, server):
        httpx2.get(url, trust_env=False)
        assert server.returncode() is None
        for name in (caddy.ADMIN_SOCKET, "acceso.log"):
            mode = (published.workspace.servidor / name).stat().st_mode
            assert stat.S_IMODE(mode) == 0o600, name
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url, trust_env=False)


def test_folder_with_a_space_is_served_and_one_with_braces_is_refused(
    escena_factory: EscenaFactory, tmp_path: Path
) -> None:
    escena = escena_factory("con espacio y ñ")
    escena.cut(1)
    escena.receiver().run_once()
    with escena.served() as (url, _):
        assert httpx2.get(url + "corte.json", trust_env=False).json()["corte"] == 1
    site = site_of(escena.workspace, 8080)
    with pytest.raises(AjustesError):
        caddy.render([Site(**{**vars(site), "carpeta": tmp_path / "{env.HOME}"})])


def test_new_workspace_shows_espera_before_anything_is_received(escena: Escena) -> None:
    with escena.served() as (url, _):
        answer = httpx2.get(url, trust_env=False)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "6 de junio de 2027 a las 20:00 horas (tiempo del centro de México)" in answer.text


def base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


@pytest.mark.parametrize(("encoding", "suffix"), [("identity", ""), ("gzip", ".gz"), ("br", ".br"), ("zstd", ".zst")])
def test_etag_is_the_time_and_size_that_were_chosen(published: Escena, encoding: str, suffix: str) -> None:
    """What docs/adr/0003 rests on: a Caddy that makes its ETags otherwise must not pass unseen."""
    status = (published.workspace.cortes / "0001" / f"index.html{suffix}").stat()
    with published.served() as (url, _):
        answer = httpx2.get(url, headers={"accept-encoding": encoding}, trust_env=False)
    assert answer.headers["etag"] == f'"{base36(status.st_mtime_ns)}-{base36(status.st_size)}"'
