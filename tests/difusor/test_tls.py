"""Encrypted serving, several portals on one port, and who enters a simulacro. Real Caddy, HTTP/2 and HTTP/3."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import hashlib
import json
import ssl
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import brotli
import httpx2
import pytest
import trustme
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration

from pregon.base import procesos
from pregon.base.durable import Disk
from pregon.base.errors import AjustesError
from pregon.base.red import answers_tcp, free_port
from pregon.difusor.night import real_clock
from pregon.difusor.servidor import caddy
from pregon.difusor.servidor.proceso import find_caddy, password_hash, serving
from pregon.difusor.servidor.sitio import site_of
from pregon.difusor.workspace import open_workspace
from tests.difusor.conftest import files_of
from tests.difusor.maquina import Maquina
from tests.trust.conftest import INICIO, INTERVALO, OFICIAL, other

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from aioquic.quic.events import QuicEvent

    from pregon.difusor.servidor.supervisor import Supervisor
    from tests.difusor.conftest import Escena, EscenaFactory

if TYPE_CHECKING:
    from backports import zstd
elif sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENSAYO = other(OFICIAL, ambiente="simulacro")
DECODE = {"identity": bytes, "gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstd.decompress}


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@dataclass
class Cifrado:
    """A portal over TLS for ``localhost``: its port, the one that redirects, and the file that vouches for it."""

    escena: Escena
    port: int
    plain: int
    ca: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/"

    def client(self, **options: Any) -> httpx2.Client:
        return httpx2.Client(
            base_url=self.url, trust_env=False, verify=ssl.create_default_context(cafile=str(self.ca)), **options
        )


def write_settings(escena: Escena, *lines: str) -> None:
    toml = escena.workspace.folder / "difusor.toml"
    toml.write_text("\n".join((toml.read_text().partition("[servidor]")[0], "[servidor]", *lines, "")))


def give_certificate(escena: Escena, authority: trustme.CA, *names: str) -> Path:
    """A certificate for ``names`` in ``llaves/``; the file that vouches for it."""
    keys = escena.workspace.folder / "llaves"
    leaf = authority.issue_cert(*names)
    leaf.private_key_pem.write_to_path(keys / "portal.key")
    (keys / "portal.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    ca = escena.folder / "autoridad.pem"
    authority.cert_pem.write_to_path(ca)
    return ca


def encrypt(escena: Escena, authority: trustme.CA, *more: str) -> Cifrado:
    ca = give_certificate(escena, authority, "localhost", "otro.ejemplo.mx")
    port, plain = free_port("127.0.0.1"), free_port("127.0.0.1")
    write_settings(
        escena,
        f"puerto = {port}",
        f"puerto_http = {plain}",
        'nombres = ["localhost"]',
        'tls = "archivo"',
        'certificado = "llaves/portal.pem"',
        'clave = "llaves/portal.key"',
        *more,
    )
    return Cifrado(escena, port, plain, ca)


@contextlib.contextmanager
def served(*escenas: Escena) -> Iterator[Supervisor]:
    workspaces = [open_workspace(escena.workspace.folder) for escena in escenas]
    with serving(workspaces, disk=Disk(), clock=real_clock()) as server:
        yield server


def publish(escena: Escena) -> Escena:
    extra = {"assets/app.0123456789ab.mjs": b"export const a = 1;\n" * 20}
    escena.cut(1, {**files_of(1, INICIO + INTERVALO, ambiente=escena.identity.ambiente), **extra})
    escena.receiver().run_once()
    return escena


@pytest.fixture
def cifrado(escena: Escena, authority: trustme.CA) -> Cifrado:
    return encrypt(publish(escena), authority)


class _H3(QuicConnectionProtocol):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._http = H3Connection(self._quic)
        self._headers: dict[str, str] = {}
        self._body = b""
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def get(self, host: str, path: str) -> tuple[dict[str, str], bytes]:
        stream = self._quic.get_next_available_stream_id()
        asked = (
            (b":method", b"GET"),
            (b":scheme", b"https"),
            (b":authority", host.encode()),
            (b":path", path.encode()),
        )
        self._http.send_headers(stream, list(asked), end_stream=True)
        self.transmit()
        await asyncio.wait_for(self._done, 10)
        return self._headers, self._body

    def quic_event_received(self, event: QuicEvent) -> None:
        for found in self._http.handle_event(event):
            if isinstance(found, HeadersReceived):
                self._headers |= {name.decode(): value.decode() for name, value in found.headers}
            elif isinstance(found, DataReceived):
                self._body += found.data
            if isinstance(found, (HeadersReceived, DataReceived)) and found.stream_ended and not self._done.done():
                self._done.set_result(None)


def get_h3(where: Cifrado, path: str) -> tuple[dict[str, str], bytes]:
    """Headers (``:status`` among them) and body over HTTP/3."""

    async def ask() -> tuple[dict[str, str], bytes]:
        settings = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name="localhost")
        settings.load_verify_locations(str(where.ca))
        async with connect("127.0.0.1", where.port, configuration=settings, create_protocol=_H3) as client:
            assert isinstance(client, _H3)
            return await client.get(f"localhost:{where.port}", path)

    return asyncio.run(ask())


def curl(where: Cifrado, path: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["curl", "-sS", "--noproxy", "*", "--cacert", where.ca, *options, where.url + path],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_http_1_2_and_3_give_the_same_bytes_and_each_says_that_there_is_3(cifrado: Cifrado) -> None:
    expected = (cifrado.escena.workspace.cortes / "0001" / "corte.json").read_bytes()
    with served(cifrado.escena) as server:
        assert server.urls == (cifrado.url,)
        for option, version in (("--http1.1", "1.1"), ("--http2", "2")):
            done = curl(cifrado, "corte.json", option, "-o", "-", "-D", "/dev/stderr", "-w", "\n%{http_version}")
            body, _, used = done.stdout.rpartition("\n")
            assert (body.encode(), used) == (expected, version), done.stderr
            assert f'alt-svc: h3=":{cifrado.port}"' in done.stderr.lower()
        headers, body3 = get_h3(cifrado, "/corte.json")
    assert (headers[":status"], body3) == ("200", expected)
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert "server" not in headers


@pytest.mark.parametrize(("minimo", "refused", "taken"), [("", "-tls1_1", "-tls1_2"), ("1.3", "-tls1_2", "-tls1_3")])
def test_minimum_tls_is_that_of_the_call(
    escena_factory: EscenaFactory, authority: trustme.CA, minimo: str, refused: str, taken: str
) -> None:
    """INE-II-a-iii-1: TLS 1.2 or later, also where the call says nothing; a call that asks for 1.3 gets it."""
    cifrado = encrypt(publish(escena_factory(extra=f'tls_min = "{minimo}"' if minimo else "")), authority)
    with served(cifrado.escena):
        for version, expected in ((refused, False), (taken, True)):
            done = subprocess.run(
                [
                    *("openssl", "s_client", "-connect", f"127.0.0.1:{cifrado.port}", "-servername", "localhost"),
                    *(version, "-cipher", "DEFAULT@SECLEVEL=0", "-CAfile", str(cifrado.ca), "-verify_return_error"),
                ],
                input=b"",
                capture_output=True,
                timeout=20,
                check=False,
            )
            assert (done.returncode == 0) is expected, (version, done.stderr)
            if not expected:
                assert b"alert protocol version" in done.stderr


def test_every_kind_of_answer_carries_the_headers_also_over_tls(cifrado: Cifrado) -> None:
    with served(cifrado.escena), cifrado.client() as client:
        for ruta, status in (("", 200), ("corte.json", 200), ("no-existe", 404), ("gub", 308), ("datos/", 404)):
            for method in ("GET", "HEAD"):
                answer = client.request(method, ruta)
                assert answer.status_code == status, (method, ruta)
                check_headers(answer.headers)
                assert answer.headers["strict-transport-security"] == "max-age=31536000"
        ranged = client.get("corte.json", headers={"range": "bytes=9999999-"})
        assert ranged.status_code == 416
        check_headers(ranged.headers)
        posted = client.post("corte.json")
        assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")
        check_headers(posted.headers)
        fresh = client.get("corte.json")
        again = client.get("corte.json", headers={"if-none-match": fresh.headers["etag"]})
        assert again.status_code == 304
        check_headers(again.headers)
        stranger = client.get("corte.json", headers={"host": "ajeno.ejemplo.mx"})
        assert (stranger.status_code, "Esta página no existe" in stranger.text) == (404, True)
        check_headers(stranger.headers)
        assert_logged(cifrado)
        assert "strict-transport-security" not in stranger.headers  # no promise about a name that is not ours


def assert_logged(cifrado: Cifrado) -> None:
    """What is for us is in our log, and what is for nobody is not."""
    folder = cifrado.escena.workspace.servidor
    hosts = [json.loads(line)["request"]["host"] for line in (folder / "acceso.log").read_text().splitlines()]
    assert set(hosts) == {f"localhost:{cifrado.port}"}
    assert len(hosts) == 14
    strangers = "".join(path.read_text() for path in folder.glob("ajenos-*.log"))
    assert strangers.count("ajeno.ejemplo.mx") == 1


def check_headers(headers: Mapping[str, str]) -> None:
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["access-control-allow-origin"] == "*"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    for absent in ("server", "last-modified", "x-powered-by", "via", "set-cookie", "x-frame-options"):
        assert absent not in headers, absent


def test_plain_http_only_redirects_and_can_be_closed(cifrado: Cifrado) -> None:
    with served(cifrado.escena):
        for host in (f"localhost:{cifrado.plain}", "ajeno.ejemplo.mx"):
            answer = httpx2.get(
                f"http://127.0.0.1:{cifrado.plain}/gub/?a=1&b=%C3%B1", headers={"host": host}, trust_env=False
            )
            assert answer.status_code == 308
            assert answer.headers["location"] == f"https://localhost:{cifrado.port}/gub/?a=1&b=%C3%B1"
            assert "strict-transport-security" not in answer.headers
            check_headers(answer.headers)
        with pytest.raises(httpx2.HTTPError):  # not a byte of the portal in the clear, at the port of TLS either
            httpx2.get(f"http://127.0.0.1:{cifrado.port}/corte.json", trust_env=False).raise_for_status()
    toml = cifrado.escena.workspace.folder / "difusor.toml"
    toml.write_text(toml.read_text().replace(f"puerto_http = {cifrado.plain}", "puerto_http = 0"))
    with served(cifrado.escena), cifrado.client() as client:  # MEX-II-2c2: only 443
        assert client.get("").status_code == 200
        assert not answers_tcp("127.0.0.1", cifrado.plain)


@pytest.mark.parametrize(("identity", "more"), [(ENSAYO, ""), (OFICIAL, "hsts = false")])
def test_no_promise_of_tls_for_a_simulacro_nor_where_it_is_switched_off(
    escena_factory: EscenaFactory, authority: trustme.CA, identity: Any, more: str
) -> None:
    cifrado = encrypt(publish(escena_factory(identity=identity)), authority, more)
    with served(cifrado.escena), cifrado.client() as client:
        headers = client.get("corte.json").headers
    assert "strict-transport-security" not in headers
    assert headers.get("x-robots-tag") == (None if identity is OFICIAL else "noindex")


def test_twins_over_tls_have_their_own_etag_length_and_vary_and_decode_to_the_file(cifrado: Cifrado) -> None:
    release = cifrado.escena.workspace.cortes / "0001"
    etags = set()
    with served(cifrado.escena), cifrado.client() as client:
        for encoding, decode in DECODE.items():
            asked = {"accept-encoding": encoding}
            with client.stream("GET", "index.html", headers=asked) as answer:
                raw = b"".join(answer.iter_raw())
            twin = release / {"identity": "index.html", "gzip": "index.html.gz", "br": "index.html.br"}.get(
                encoding, "index.html.zst"
            )
            assert raw == twin.read_bytes()
            assert decode(raw) == (release / "index.html").read_bytes()
            assert answer.headers.get("content-encoding", "identity") == encoding
            assert answer.headers["content-length"] == str(len(raw))
            assert answer.headers["vary"] == "Accept-Encoding"
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            etags.add(answer.headers["etag"])
            head = client.head("index.html", headers=asked)
            assert (head.headers["content-length"], head.headers["etag"]) == (str(len(raw)), answer.headers["etag"])
            with client.stream("GET", "index.html", headers={**asked, "range": "bytes=5-9"}) as part:
                assert (part.status_code, b"".join(part.iter_raw())) == (206, raw[5:10])
    assert len(etags) == 4
    assert not any(etag.startswith("W/") for etag in etags)


def test_hosts_and_subpaths_share_one_port_and_each_has_its_own(
    escena_factory: EscenaFactory, authority: trustme.CA, tmp_path: Path
) -> None:
    """Two names and two paths: four convocatorias, one port, one certificate."""
    places = [("localhost", "/"), ("localhost", "/dos/"), ("otro.ejemplo.mx", "/"), ("otro.ejemplo.mx", "/dos/")]
    port = free_port("127.0.0.1")
    escenas: list[Escena] = []
    ca = tmp_path / "autoridad.pem"
    authority.cert_pem.write_to_path(ca)
    for number, (name, base) in enumerate(places):
        escena = escena_factory(f"n{number}", identity=other(OFICIAL, convocatoria=f"conv-{number}"))
        give_certificate(escena, authority, "localhost", "otro.ejemplo.mx")
        write_settings(
            escena,
            f"puerto = {port}\npuerto_http = 0",
            f'nombres = ["{name}"]\nbase = "{base}"\ntls = "archivo"',
            f'certificado = "{escenas[0].workspace.folder if escenas else escena.workspace.folder}/llaves/portal.pem"',
            f'clave = "{escenas[0].workspace.folder if escenas else escena.workspace.folder}/llaves/portal.key"',
        )
        escena.cut(1, files_of(1, INICIO + INTERVALO) | {"quien.txt": f"soy {number}\n".encode() * 20})
        escena.receiver().run_once()
        escenas.append(escena)
    cifrado = Cifrado(escenas[0], port, 0, ca)
    give_certificate(escenas[0], authority, "localhost", "otro.ejemplo.mx")
    with served(*escenas):
        for number, (name, base) in enumerate(places):
            resolve = f"otro.ejemplo.mx:{port}:127.0.0.1"
            url = f"https://{name}:{port}{base}"
            done = subprocess.run(
                ["curl", "-sS", "--noproxy", "*", "--cacert", cifrado.ca, "--resolve", resolve, f"{url}quien.txt"],
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
            assert done.stdout.startswith(f"soy {number}\n"), (url, done.stdout, done.stderr)
    logs = [(escena.workspace.servidor / "acceso.log").read_text() for escena in escenas]
    assert [log.count("quien.txt") for log in logs] == [1, 1, 1, 1]


def test_changed_certificate_is_served_and_one_that_is_not_its_key_s_is_not(
    cifrado: Cifrado, authority: trustme.CA
) -> None:
    def shown() -> str:
        pem = ssl.get_server_certificate(("localhost", cifrado.port), timeout=5)
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()

    keys = cifrado.escena.workspace.folder / "llaves"
    with served(cifrado.escena) as server:
        first, pid = shown(), server.pid
        old = (keys / "portal.pem").read_bytes()
        give_certificate(cifrado.escena, authority, "localhost")
        new = (keys / "portal.pem").read_bytes()
        (keys / "portal.pem").write_bytes(old)  # its key is another one's now
        assert not server.reload()
        assert shown() == first
        give_certificate(cifrado.escena, authority, "ajeno.ejemplo.mx")
        assert not server.reload()
        assert shown() == first
        (keys / "portal.pem").write_bytes(new)
        assert not server.reload()
        give_certificate(cifrado.escena, authority, "localhost")
        assert server.reload()
        assert shown() not in (first, "")
        assert server.pid == pid
        with cifrado.client() as client:
            assert client.get("corte.json").status_code == 200


def test_automatic_certificate_from_an_authority(escena: Escena, tmp_path: Path) -> None:
    """ACME of a second Caddy, on a network of its own where 80 and 443 are ours."""
    publish(escena)
    acme = tmp_path / "acme"
    acme.mkdir()
    (acme / "Caddyfile").write_text(
        "{\n\tadmin off\n\tskip_install_trust\n\tstorage file_system .\n\tauto_https disable_redirects\n}\n"
        "https://localhost:9443 {\n\ttls internal\n\tacme_server\n}\n"
    )
    root = acme / "pki" / "authorities" / "local" / "root.crt"
    write_settings(
        escena,
        "puerto = 443\npuerto_http = 80",
        'nombres = ["localhost"]\ntls = "automatico"\ncorreo = "tecnica@diario.ejemplo.mx"',
        'acme = "https://localhost:9443/acme/local/directory"',
        f'acme_ca = "{root}"',
    )
    machine = tmp_path / "maquina"
    machine.mkdir()
    with Maquina(machine) as maquina, maquina.red():
        command = [str(find_caddy()), "run", "--adapter", "caddyfile", "--config", "Caddyfile"]
        environment = {"HOME": str(acme), "XDG_DATA_HOME": str(acme), "XDG_CONFIG_HOME": str(acme)}
        with procesos.running(command, output=tmp_path / "acme.txt", folder=acme, environment=environment) as process:
            procesos.wait_until(
                lambda: root.exists() and answers_tcp("127.0.0.1", 9443), process, timeout=20, what="La autoridad"
            )
            with served(escena) as server:
                assert server.urls == ("https://localhost:443/",)
                trusted = ssl.create_default_context(cafile=str(root))

                def ready() -> bool:
                    with contextlib.suppress(httpx2.HTTPError):
                        return httpx2.get("https://localhost/", verify=trusted, trust_env=False).status_code == 200
                    return False

                procesos.wait_until(ready, process, timeout=20, what="El certificado")
                answer = httpx2.get("https://localhost/corte.json", verify=trusted, trust_env=False)
                assert answer.json()["corte"] == 1
                assert answer.headers["strict-transport-security"] == "max-age=31536000"
                plain = httpx2.get("http://localhost/corte.json", trust_env=False)
                assert plain.headers["location"] == "https://localhost/corte.json"
    kept = escena.workspace.servidor / "caddy" / "certificates"
    assert [path.name for path in kept.rglob("*.crt")] == ["localhost.crt"]
    assert {path.stat().st_mode & 0o077 for path in kept.rglob("*.key")} == {0}


# Who enters a simulacro


def restrict(escena: Escena, *lines: str) -> None:
    write_settings(escena, "puerto = 0", "[servidor.acceso]", *lines)


def test_restricted_simulacro_opens_to_who_has_the_password(escena_factory: EscenaFactory) -> None:
    escena = publish(escena_factory(identity=ENSAYO, extra='acceso_simulacro = "restringido"'))
    hashed = password_hash("entre sin miedo")
    restrict(escena, f'usuarios = {{ prensa = "{hashed}" }}')
    with served(escena) as server, httpx2.Client(base_url=server.urls[0], trust_env=False) as client:
        for ruta in ("", "corte.json", "no-existe", "avisos.json", "gub"):
            answer = client.get(ruta)
            assert answer.status_code == 401, ruta
            assert answer.headers["www-authenticate"].startswith("Basic")
            assert answer.headers["x-robots-tag"] == "noindex"
            assert "Este ejercicio no es público" in answer.text
        assert client.get("corte.json", auth=("prensa", "otra")).status_code == 401
        assert client.get("corte.json", auth=("nadie", "entre sin miedo")).status_code == 401
        inside = client.get("corte.json", auth=("prensa", "entre sin miedo"))
        assert (inside.status_code, inside.json()["corte"], inside.headers["x-robots-tag"]) == (200, 1, "noindex")
    entries = [json.loads(line) for line in (escena.workspace.servidor / "acceso.log").read_text().splitlines()]
    assert [entry["user_id"] for entry in entries if entry["status"] == 200] == ["prensa"]
    secret = base64.b64encode(b"prensa:entre sin miedo").decode()
    for path in escena.workspace.servidor.iterdir():
        assert not path.is_file() or secret not in path.read_text(errors="replace"), path


@pytest.mark.parametrize(("redes", "status"), [('["127.0.0.0/8"]', 200), ('["198.51.100.0/24", "2001:db8::/32"]', 403)])
def test_restricted_simulacro_opens_to_a_network_whatever_a_header_says(
    escena_factory: EscenaFactory, redes: str, status: int
) -> None:
    escena = publish(escena_factory(identity=ENSAYO, extra='acceso_simulacro = "restringido"'))
    restrict(escena, f"redes = {redes}")
    with served(escena) as server:
        headers = {"x-forwarded-for": "198.51.100.7", "forwarded": "for=198.51.100.7"}
        answer = httpx2.get(server.urls[0] + "corte.json", headers=headers, trust_env=False)
    assert answer.status_code == status


def test_network_needs_no_password_and_others_do(escena_factory: EscenaFactory) -> None:
    escena = publish(escena_factory(identity=ENSAYO))
    hashed = password_hash("entre sin miedo")
    for network, status in (("127.0.0.1", 200), ("198.51.100.0/24", 401)):
        restrict(escena, f'redes = ["{network}"]', f'usuarios = {{ prensa = "{hashed}" }}')
        with served(escena) as server:
            assert httpx2.get(server.urls[0], trust_env=False).status_code == status


def test_an_official_night_is_never_restricted(escena: Escena) -> None:
    """GRO-1.2: free and without asking who."""
    publish(escena)
    restrict(escena, 'redes = ["127.0.0.0/8"]')
    with pytest.raises(AjustesError, match=r"GRO-1\.2"), served(escena):
        pass
    assert not (escena.workspace.servidor / "Caddyfile").exists()


def test_simulacro_that_must_be_restricted_and_is_not_is_not_served(escena_factory: EscenaFactory) -> None:
    escena = publish(escena_factory(identity=ENSAYO, extra='acceso_simulacro = "restringido"'))
    with pytest.raises(AjustesError, match="no sea público"), served(escena):
        pass
    assert not (escena.workspace.servidor / "Caddyfile").exists()


def test_official_night_of_a_call_with_restricted_simulacros_is_for_everyone(escena_factory: EscenaFactory) -> None:
    escena = publish(escena_factory(extra='acceso_simulacro = "restringido"'))
    with served(escena) as server:
        assert httpx2.get(server.urls[0], trust_env=False).status_code == 200


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (('usuarios = { prensa = "secreta" }',), "bcrypt"),
        (('redes = ["198.51.100.7/24"]',), "red"),
        (('usuarios = { "pre nsa" = "x" }',), "usuario"),
    ],
)
def test_access_that_is_not_one_is_refused_without_repeating_a_password(
    escena_factory: EscenaFactory, lines: tuple[str, ...], problem: str
) -> None:
    escena = escena_factory(identity=ENSAYO)
    restrict(escena, *lines)
    with pytest.raises(AjustesError, match=problem) as caught:
        open_workspace(escena.workspace.folder)
    assert "secreta" not in str(caught.value)


# What does not fit together


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (('tls = "archivo"',), "certificado"),
        (('tls = "automatico"',), "nombres"),
        (('certificado = "a.pem"', 'clave = "a.key"'), "archivo"),
        (('nombres = ["con espacio"]',), "nombre de sitio"),
        (('nombres = ["a.mx"]', 'tls = "automatico"', 'acme = "http://a.mx/dir"'), "https"),
    ],
)
def test_settings_that_do_not_fit_are_refused(escena: Escena, lines: tuple[str, ...], problem: str) -> None:
    write_settings(escena, "puerto = 8443", *lines)
    with pytest.raises(AjustesError, match=problem):
        open_workspace(escena.workspace.folder)


def test_one_port_with_and_without_tls_is_refused(
    escena: Escena, escena_factory: EscenaFactory, authority: trustme.CA
) -> None:
    cifrado = encrypt(escena, authority)
    plain = escena_factory("otra", identity=other(OFICIAL, convocatoria="otra-2027"))
    sites = [site_of(open_workspace(one.workspace.folder), cifrado.port) for one in (escena, plain)]
    with pytest.raises(AjustesError, match="piden TLS"):
        caddy.render(sites)


def test_public_address_follows_the_settings(cifrado: Cifrado) -> None:
    settings = open_workspace(cifrado.escena.workspace.folder).settings.servidor
    assert settings.public_url == cifrado.url
    assert urlsplit(settings.public_at(443)).netloc == "localhost"
