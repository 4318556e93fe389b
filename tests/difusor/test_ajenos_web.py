"""nginx and Apache with the text that ``configura`` prints, asked the same as the embedded Caddy. Real servers."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import pytest

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, UsoError
from pregon.base.red import free_port
from pregon.difusor import pages, pointer
from pregon.difusor.configura.web import configura
from pregon.difusor.servidor import apache, nginx
from pregon.difusor.servidor.sitio import site_of
from pregon.difusor.workspace import open_workspace
from tests.difusor.conftest import files_of, make_escena
from tests.difusor.servidores import SERVIDORES, lend, sirviendo
from tests.red.servidores.apache import Apache
from tests.red.servidores.enmarcha import programa
from tests.red.servidores.nginx import Autoridad, NginxCon
from tests.trust.conftest import INICIO, INTERVALO, OFICIAL, other

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.difusor.workspace import Workspace
    from pregon.trust.keys import KeyRing
    from tests.difusor.conftest import Escena, EscenaFactory

AJENOS = ("nginx", "apache")
HOST = "127.0.0.1"
HUELLA = "$2y$04$.kWMKbiqUav20XodElTk1ek8LMdshWyBOjcxxJXDwB4hu0XjrT9a2"
"""bcrypt of «palabra», as cheap as it is admitted."""
DE_LA_CONEXION = {"date", "connection", "keep-alive", "server", "alt-svc", "transfer-encoding", "accept-ranges"}
"""Headers that tell of the connection, not of the answer; and whether parts may be asked for, which may differ."""
MATERIALES = {
    "assets/app.0123456789ab.mjs": b"export const a = 1;\n" * 20,
    "estado.txt": b"A" * 4000 + b"\n",
    "x/tabla.csv": b"a,b\n" * 100,
    "doc.7z": b"7z" * 100,
    "dibujo.svg": b"<svg/>" * 50,
}
RUTAS = (
    "",
    "index.html",
    "gub/",
    "corte.json",
    "manifiesto.json",
    "SHA256SUMS",
    "datos/0001/gub/entidad.json",
    *MATERIALES,
    "assets/estilo.css",
    "avisos.json",
    "no-existe",
    "datos/",
    "datos/0001/gub/nada.json",
    "corte.json.parcial",
    ".htaccess",
    ".pregon/404.html",
    ".pregon/",
    "a%3fb",
    "estado.txt.gz",
)
ACEPTA = ("identity", "gzip", "br", "gzip, deflate, br", "br;q=0, gzip")


@pytest.fixture
def published(escena_abierta: Escena) -> Escena:
    """One cut, public, with files of every kind, notices, and one half-written file."""
    escena = escena_abierta
    escena.cut(1, {**files_of(1, INICIO + INTERVALO), **MATERIALES})
    assert escena.receiver().run_once().error is None
    notices = escena.workspace.servidor / "avisos.json"
    notices.write_text('{"avisos":[]}\n')
    os.utime(notices, (10**9, 10**9))
    (escena.workspace.cortes / "0001" / "corte.json.parcial").write_bytes(b"a medias")
    return escena


class Respuesta:
    """Status, headers without those of the connection, and the bytes of the body as they came."""

    def __init__(self, client: httpx2.Client, method: str, ruta: str, headers: dict[str, str]) -> None:
        with client.stream(method, ruta, headers={"accept-encoding": "identity"} | headers) as answer:
            self.cuerpo = b"".join(answer.iter_raw())
            self.estado = answer.status_code
            self.todas = answer.headers
        self.cabeceras = {name: value for name, value in self.todas.items() if name not in DE_LA_CONEXION}
        self.etag = self.cabeceras.pop("etag", None)


def questions(url: str) -> dict[str, Respuesta]:
    """Every question, and what one server answers."""
    found = {}
    with httpx2.Client(base_url=url, trust_env=False) as client:

        def ask(method: str, ruta: str, **headers: str) -> Respuesta:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            found[f"{method} {ruta} {headers}"] = answer = Respuesta(client, method, ruta, named)
            return answer

        for ruta in RUTAS:
            for coding in ACEPTA:
                ask("GET", ruta, accept_encoding=coding)
            ask("HEAD", ruta)
            ask("HEAD", ruta, accept_encoding="gzip")
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            for ruta in ("", "corte.json", "no-existe", "avisos.json"):
                ask(method, ruta)
                ask(method, ruta, accept_encoding="gzip")
        for coding in ("identity", "gzip", "br"):
            tag = Respuesta(client, "GET", "corte.json", {"accept-encoding": coding}).etag or ""
            named = {"accept_encoding": coding}
            found[f"304 {coding}"] = Respuesta(
                client, "GET", "corte.json", {"accept-encoding": coding, "if-none-match": tag}
            )
            ask("GET", "corte.json", if_none_match='"otro"', **named)
            ask("GET", "corte.json", if_modified_since="Fri, 01 Jan 2100 00:00:00 GMT", **named)
            ask("GET", "corte.json", if_unmodified_since="Mon, 01 Jan 2001 00:00:00 GMT", **named)
            ask("GET", "corte.json", range="bytes=2-5", if_range='"otro"', **named)
            ask("GET", "corte.json", range="bytes=2-5", if_range="Fri, 01 Jan 2100 00:00:00 GMT", **named)
        ask("GET", "corte.json", range="bytes=2-5")
    return found


def test_three_servers_give_the_same_headers_and_bytes(published: Escena) -> None:
    answers = {}
    for name in SERVIDORES:
        with sirviendo(name, published.workspace, published.folder / name) as url:
            answers[name] = questions(url)
    tags: dict[tuple[str, str], set[str]] = {}
    for question, first in answers["caddy"].items():
        for name in SERVIDORES:
            other_one = answers[name][question]
            assert other_one.estado == first.estado, (name, question)
            assert other_one.cuerpo == first.cuerpo, (name, question)
            assert (other_one.etag is None) == (first.etag is None), (name, question)
            if first.estado == 304:  # Of what is not sent, a server may tell more: what counts is the same.
                for header in ("cache-control", "vary", "access-control-allow-origin", "content-security-policy"):
                    assert other_one.cabeceras[header] == first.cabeceras[header], (name, question)
            else:
                assert other_one.cabeceras == first.cabeceras, (name, question)
            if other_one.etag is not None and first.estado == 200 and question.startswith("GET"):
                assert other_one.etag.startswith('"'), (name, question)
                coding = first.cabeceras.get("content-encoding", "identity")
                tags.setdefault((name, question.split()[1] + other_one.etag), set()).add(coding)
    assert {key: found for key, found in tags.items() if len(found) != 1} == {}, "one coding, one ETag"
    assert answers["nginx"]["304 br"].estado == 304


@pytest.mark.parametrize("name", AJENOS)
def test_redirection_out_of_range_and_what_scanners_look_for(published: Escena, name: str) -> None:
    with (
        sirviendo(name, published.workspace, published.folder / name) as url,
        httpx2.Client(base_url=url, trust_env=False) as client,
    ):
        for ruta, leads in (("gub", "/gub/"), ("gub?x=1", "/gub/?x=1")):
            answer = client.get(ruta)
            assert (answer.status_code, answer.headers["cache-control"]) == (308, "no-cache")
            where = urlsplit(answer.headers["location"])
            assert f"{where.path}{'?' if where.query else ''}{where.query}" == leads
            assert where.netloc in ("", urlsplit(url).netloc)
        assert client.get("datos/0001").status_code == 404
        outside = client.get("corte.json", headers={"range": "bytes=99999-", "accept-encoding": "identity"})
        assert outside.status_code == 416
        assert client.request("TRACE", "corte.json").status_code == 405
        for ruta, headers in (("", {}), ("no-existe", {}), ("corte.json", {"range": "bytes=99999-"}), ("gub", {})):
            answer = client.get(ruta, headers=headers)
            for once in ("access-control-allow-origin", "content-security-policy", "x-content-type-options"):
                assert len(answer.headers.get_list(once)) == 1, (ruta, once)
            for absent in ("last-modified", "x-powered-by", "via", "set-cookie", "x-frame-options"):
                assert absent not in answer.headers, (ruta, absent)
            assert not re.search(r"\d", answer.headers.get("server", "")), "no version"
        for path in ("/../../estado.sqlite", "/..%2f..%2festado.sqlite", "//etc/passwd", "/datos/../../../puntero"):
            answer_bytes = raw(url, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert int(answer_bytes.split(b" ", 2)[1]) in (400, 404), path
            assert b"SQLite" not in answer_bytes
        huge = raw(url, f"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: {'a' * 40_000}\r\n\r\n")
        assert huge == b"" or huge.split(b" ", 2)[1] in (b"400", b"431")


@pytest.mark.parametrize("name", AJENOS)
def test_espera_and_aviso_show_their_page_alone_and_a_lost_pointer_is_503(published: Escena, name: str) -> None:
    workspace, disk = published.workspace, published.disk
    with (
        sirviendo(name, workspace, published.folder / name) as url,
        httpx2.Client(base_url=url, trust_env=False) as client,
    ):
        for release in (pointer.ESPERA, pointer.AVISO):
            pointer.switch(workspace, release, disk)
            home = client.get("")
            assert (home.status_code, home.headers["cache-control"]) == (200, "no-store")
            assert home.content == (workspace.cortes / release / "index.html").read_bytes()
            assert home.headers["access-control-allow-origin"] == "*"
            for ruta in ("index.html", "corte.json", "gub/", "datos/0001/gub/entidad.json", "assets/estilo.css"):
                answer = client.get(ruta)
                assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store"), ruta
                assert "Esta página no existe aquí" in answer.text
            assert client.get("avisos.json").status_code == 200
        for broken in ("", "..", "../historico/0001", "0001/gub", "00010", "{env.HOME}"):
            workspace.puntero.write_text(f"{broken}\n")
            disk.symlink(workspace.publico, f"cortes/{broken or 'nada'}")
            for ruta in ("", "index.html", "0001/index.html", "espera/"):
                answer = client.get(ruta)
                assert answer.status_code == 503, (broken, ruta)
                assert "no está disponible" in answer.text
                assert answer.headers["cache-control"] == "no-store"
        workspace.puntero.unlink()
        workspace.publico.unlink()
        assert client.get("corte.json").status_code == 503
        pointer.switch(workspace, "0001", disk)
        assert client.get("").status_code == 200


def test_nginx_without_its_module_of_br_gives_gzip(published: Escena) -> None:
    with sirviendo("nginx", published.workspace, published.folder / "nginx", brotli=False) as url:
        answer = httpx2.get(url + "corte.json", headers={"accept-encoding": "gzip, br"}, trust_env=False)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.json()["corte"] == 1


def with_settings(escena: Escena, lines: str) -> Workspace:
    """The workspace with more lines in its ``[servidor]``, which is the last section."""
    toml = escena.workspace.folder / "difusor.toml"
    toml.write_text(toml.read_text() + lines)
    return open_workspace(escena.workspace.folder)


@pytest.mark.parametrize("name", AJENOS)
def test_tls_below_a_path(published: Escena, name: str, carpeta_abierta: Path) -> None:
    authority = Autoridad(carpeta_abierta / "autoridad")
    certificate, key = authority.firma("sitio", "localhost")
    plain = free_port(HOST)
    workspace = with_settings(
        published,
        f'base = "/prep/2027/"\ntls = "archivo"\ncertificado = "{certificate}"\nclave = "{key}"\n'
        f'puerto_http = {plain}\nnombres = ["localhost"]\n',
    )
    with sirviendo(name, workspace, published.folder / name) as url:
        port = urlsplit(url).port
        context = ssl.create_default_context(cafile=str(authority.ca))
        with httpx2.Client(base_url=url, trust_env=False, verify=context) as client:
            home = client.get("")
            assert home.status_code == 200
            assert home.headers["strict-transport-security"].startswith("max-age=")
            assert client.get("datos/0001/gub/entidad.json").headers["cache-control"].endswith("immutable")
            assert client.get("gub/").status_code == 200
            assert urlsplit(client.get("gub").headers["location"]).path == "/prep/2027/gub/"
            assert urlsplit(client.get(url.removesuffix("/")).headers["location"]).path == "/prep/2027/"
            outside = client.get(f"https://localhost:{port}/corte.json")
            assert (outside.status_code, outside.headers["cache-control"]) == (404, "no-store")
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection((HOST, port or 0), timeout=5) as link,
            context.wrap_socket(link, server_hostname="localhost") as tls,
        ):
            assert tls.selected_alpn_protocol() == "h2"
        for version, accepted in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
            assert handshake(port or 0, authority.ca, version) is accepted, version
        moved = httpx2.get(f"http://localhost:{plain}/prep/2027/corte.json?x=1", trust_env=False)
        assert (moved.status_code, moved.headers["location"]) == (308, f"{url}corte.json?x=1")
        assert "strict-transport-security" not in moved.headers


def handshake(port: int, authority: Path, version: ssl.TLSVersion) -> bool:
    """Whether a client that only knows ``version``, with every old cipher, gets in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Of asking for TLS 1.1, which is the question.
        context.minimum_version = context.maximum_version = version
    try:
        with (
            socket.create_connection((HOST, port), timeout=5) as link,
            context.wrap_socket(link, server_hostname="localhost"),
        ):
            return True
    except (ssl.SSLError, ConnectionError):
        return False


@pytest.mark.parametrize("name", AJENOS)
def test_simulacro_that_is_not_for_everyone(carpeta_abierta: Path, ring: KeyRing, name: str) -> None:
    escena = make_escena(carpeta_abierta, ring, identity=other(OFICIAL, ambiente="simulacro"))
    escena.cut(1)
    assert escena.receiver().run_once().error is None
    workspace = with_settings(escena, f'[servidor.acceso.usuarios]\nprensa = "{HUELLA}"\n')
    folder = carpeta_abierta / name
    folder.mkdir()
    for archivo in configura([workspace], "nginx").archivos[1:]:
        (folder / archivo.nombre).write_text(archivo.texto)
    with (
        sirviendo(name, workspace, folder) as url,
        httpx2.Client(base_url=url, trust_env=False) as client,
    ):
        for ruta in ("", "index.html", "corte.json", "no-existe", "datos/0001/gub/entidad.json"):
            asked = client.get(ruta)
            assert asked.status_code == 401, ruta
            assert asked.headers["www-authenticate"].startswith("Basic")
            assert b"data-corte" not in asked.content
            assert client.get(ruta, auth=("prensa", "otra")).status_code == 401
        home = client.get("", auth=("prensa", "palabra"))
        assert (home.status_code, home.headers["x-robots-tag"]) == (200, "noindex")
        assert client.get("no-existe", auth=("prensa", "palabra")).status_code == 404


@pytest.mark.parametrize("name", AJENOS)
def test_two_convatorias_on_one_server_and_what_does_not_fit(
    published: Escena, escena_factory: EscenaFactory, name: str
) -> None:
    second = escena_factory("segunda", identity=other(OFICIAL, convocatoria="otra-2027"))
    with_settings(second, 'base = "/otra/"\n')
    port = free_port(HOST)
    sites = [site_of(open_workspace(e.workspace.folder), port) for e in (published, second)]
    text = (nginx if name == "nginx" else apache).render(sites, carpeta="/nada", bitacoras=str(published.folder))
    for site in sites:
        assert f"pregon-{site.nombre}.log" in text
        assert str(site.carpeta) in text
    with pytest.raises(AjustesError, match="misma dirección"):
        (nginx if name == "nginx" else apache).render([sites[0], replace(sites[1], base="/")])


@pytest.mark.parametrize("name", AJENOS)
def test_below_a_path_each_convocatoria_answers_with_its_own_pages_and_has_its_own_log(
    carpeta_abierta: Path, ring: KeyRing, name: str
) -> None:
    names = ("primera", "segunda")
    escenas = [
        make_escena(carpeta_abierta / one, ring, identity=other(OFICIAL, convocatoria=f"{one}-2027")) for one in names
    ]
    with_settings(escenas[1], 'base = "/otra/"\n')
    profile = escenas[1].folder / "perfil.toml"
    profile.write_text(profile.read_text().replace('nombre = "Proceso', 'nombre = "Otro Proceso'))
    port, logs = free_port(HOST), carpeta_abierta / "servidor"
    logs.mkdir()
    sites = []
    for escena in escenas:
        escena.cut(1)
        escena.receiver().run_once()
        workspace = open_workspace(escena.workspace.folder)
        pages.ensure(workspace, Disk())
        lend(workspace)
        sites.append(site_of(workspace, port))
    kind, server = (nginx, NginxCon) if name == "nginx" else (apache, Apache)
    with (
        server(logs, kind.render(sites, carpeta=str(logs), bitacoras=str(logs)), [port]),
        httpx2.Client(base_url=f"http://{HOST}:{port}/", trust_env=False) as client,
    ):
        assert [client.get(path).status_code for path in ("", "otra/")] == [200, 200]
        for method, path, status in (
            ("GET", "nada", 404),
            ("GET", "otra/nada", 404),
            ("GET", "otra/gub/nada", 404),
            ("POST", "otra/", 405),
            ("POST", "", 405),
        ):
            answer = client.request(method, path)
            assert answer.status_code == status
            assert ("Otro Proceso" in answer.text) is path.startswith("otra/"), (method, path)
            assert answer.headers["cache-control"] == "no-store"
        (escenas[1].workspace.folder / "puntero").unlink()
        (escenas[1].workspace.folder / "publico").unlink()
        lost = client.get("otra/")
        assert (lost.status_code, "Otro Proceso" in lost.text) == (503, True)
        assert client.get(f".pregon/{sites[1].nombre}/404.html").status_code == 404
    said = [(logs / f"pregon-{site.nombre}.log").read_text() for site in sites]
    assert [[text.count(f'"{one} HTTP') for one in ("GET /", "GET /otra/", "POST /otra/")] for text in said] == [
        [1, 0, 0],
        [0, 2, 1],
    ]


def test_configura_writes_the_site_and_steps_that_a_shell_reads(published: Escena, tmp_path: Path) -> None:
    for name in SERVIDORES:
        for system in ("debian", "rhel"):
            answer = configura([published.workspace], name, sistema="rhel" if system == "rhel" else "debian")
            written = answer.write(tmp_path / f"{name}-{system}", Disk())
            assert subprocess.run(["sh", "-n", written[-1]], check=False).returncode == 0
            script = answer.script()
            assert "usermod -aG" in script
            assert "httpd_sys_content_t" in script
            assert any("127.0.0.1" in warning for warning in answer.avisos), "nobody outside would see it"
            assert answer.as_dict()["servicio"] == name
    odd = replace(published.workspace, folder=tmp_path / "con espacio")
    with pytest.raises(UsoError, match="signos"):
        configura([odd], "nginx")


def test_each_server_checks_its_own_text(published: Escena, tmp_path: Path) -> None:
    port = free_port(HOST)
    site = site_of(published.workspace, port)
    servers: dict[str, Any] = {
        "nginx": NginxCon(tmp_path / "n", nginx.render([site], carpeta="/nada", bitacoras=str(tmp_path)), [port]),
        "apache": Apache(tmp_path / "a", apache.render([site], carpeta="/nada", bitacoras=str(tmp_path)), [port]),
    }
    for name, command in (
        ("nginx", [programa("nginx"), "-t", "-q", "-c", servers["nginx"].ajustes]),
        ("apache", [programa("apache2"), "-t", "-f", servers["apache"].ajustes]),
    ):
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 0, (name, done.stderr)
        assert "warn" not in done.stderr.lower(), done.stderr


def raw(url: str, request: str) -> bytes:
    """The whole answer to a request written by hand: nothing tidies the path."""
    where = urlsplit(url)
    assert where.hostname is not None
    answer = b""
    with socket.create_connection((where.hostname, where.port or 80), timeout=5) as connection:
        try:
            connection.sendall(request.encode())
            while chunk := connection.recv(65536):
                answer += chunk
        except ConnectionError:
            pass  # It refused before reading all of it.
    return answer
