"""HTTPS as carrier, against a real nginx with TLS: whole, nothing new, resumed, and everything that is refused."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import ManualClock, SystemClock
from pregon.base.errors import AjustesError, HashError, RedError
from pregon.transport.https import HttpsSource
from pregon.transport.lugar import Lugar
from pregon.trust.metadatos import TIMESTAMP
from pregon.trust.verified import TargetRef
from tests.red.enlace import Enlace
from tests.red.servidores.crudo import Crudo
from tests.red.servidores.enmarcha import HOST
from tests.red.servidores.nginx import TOKEN, Autoridad, Nginx, Sitio, Tinyproxy
from tests.transport.entregas import Lector, momentos
from tests.trust.conftest import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.trust.conftest import Institute

NOTHING_NEW_BYTES = 1000
GRANDE = "targets/cortes/0002/grande.bin"
GRANDE_BYTES = 2_000_000
OVERHEAD = 9_000
"""A TLS connection and its headers, both ways, with room to spare."""


@dataclass(frozen=True)
class Mundo:
    """A signed repository that nginx serves, and the authority that signed its certificate."""

    carpeta: Path
    institute: Institute
    autoridad: Autoridad
    nginx: Nginx

    def source(self, sitio: str = "normal", *, url: str = "", secreto: str | None = None, **more: Any) -> HttpsSource:
        limits = {name: more.pop(name) for name in ("stall_s", "answer_s", "connect_s", "clock") if name in more}
        more.setdefault("ca", self.autoridad.ca)
        lugar = Lugar(url=url or self.nginx.url(sitio), secreto="env:FICHA" if secreto else None, **more)
        clock = limits.pop("clock", SystemClock())
        return HttpsSource(lugar, folder=self.carpeta, clock=clock, environment={"FICHA": secreto or ""}, **limits)

    @contextmanager
    def enlazado(self, sitio: str = "normal") -> Iterator[tuple[Enlace, str]]:
        """A relay before one of the ports, and the address through it."""
        with Enlace(HOST, self.nginx.puertos[sitio]) as enlace:
            yield enlace, f"https://{HOST}:{enlace.puerto}/repositorio"


@pytest.fixture(scope="module")
def mundo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mundo]:
    folder = tmp_path_factory.mktemp("https")
    institute, _ = momentos(folder)
    grande = institute.folder / GRANDE
    grande.write_bytes(hashlib.shake_128(b"grande").digest(GRANDE_BYTES))
    autoridad = Autoridad(folder / "ca")
    bueno = autoridad.firma("bueno")
    pide = (f"ssl_client_certificate {autoridad.ca};", "ssl_verify_client on;")
    sitios = {
        "normal": Sitio(bueno),
        "lento": Sitio(bueno, ("limit_rate 400k;",)),
        "vencido": Sitio(autoridad.firma("vencido", vencido=True)),
        "otro-nombre": Sitio(autoridad.firma("otro", "otro.example.mx")),
        "otra-ca": Sitio(Autoridad(folder / "otra").firma("ajeno")),
        "viejo": Sitio(bueno, ("ssl_protocols TLSv1.1;", "ssl_ciphers ALL:@SECLEVEL=0;")),
        "con-certificado": Sitio(bueno, pide),
        "con-certificado-12": Sitio(bueno, (*pide, "ssl_protocols TLSv1.2;")),
        "con-ficha": Sitio(bueno, (), (f'if ($http_authorization != "Bearer {TOKEN}") {{ return 401; }}',)),
        "sin-lista": Sitio(bueno, ("error_page 404 =403 /nada;",)),
        "sin-tramos": Sitio(bueno, (), ("max_ranges 0;",)),
        "enviado": Sitio(bueno, (), ("return 302 https://otro.example.mx$request_uri;",)),
        "comprimido": Sitio(bueno, (), ("add_header Content-Encoding gzip;",)),
        "ocupado": Sitio(bueno, ("add_header Retry-After 77 always;",), ("return 503;",)),
    }
    with Nginx(folder / "nginx", institute.folder, sitios) as nginx:
        yield Mundo(folder, institute, autoridad, nginx)


def read(source: HttpsSource, ruta: str, desde: int = 0) -> bytes | None:
    stream = source.stream(ruta, desde=desde)
    return None if stream is None else b"".join(stream)


def refusal(source: HttpsSource, ruta: str = TIMESTAMP) -> RedError:
    with source, pytest.raises(RedError) as caught:
        read(source, ruta)
    assert "lo publicado sigue como estaba" in caught.value.intacto
    return caught.value


# What arrives.


def test_whole_and_changes_through_the_verifier(mundo: Mundo, tmp_path: Path) -> None:
    with mundo.source() as source:
        assert Lector(mundo.institute, tmp_path).corte(source) == 3


def test_nothing_new_is_one_conditional_get_of_less_than_a_kilobyte(mundo: Mundo, tmp_path: Path) -> None:
    """INE-II-a-ii-1, design §2: ETag and date sent back on the kept connection; TLS records and token included."""
    client = mundo.institute.difusor(f"difusor-{tmp_path.name}")
    with mundo.enlazado("con-ficha") as (enlace, url), mundo.source(url=url, secreto=TOKEN) as source:
        found = client.check(source).verified
        assert found is not None
        client.accept(found)
        for _ in range(2):
            asked, passed = len(mundo.nginx.peticiones()), enlace.subidos + enlace.bajados
            assert client.check(source).verified is None
            (one,) = mundo.nginx.peticiones()[asked:]
            assert one[1:4] == ["/repositorio/" + TIMESTAMP, "304", "0"]
            assert enlace.subidos + enlace.bajados - passed <= NOTHING_NEW_BYTES
        assert enlace.conexiones == 1


def test_new_timestamp_after_a_304(mundo: Mundo, tmp_path: Path) -> None:
    """What is remembered is replaced as soon as the server has other bytes, and again answers as it is then."""
    path = mundo.institute.folder / TIMESTAMP
    before = path.read_bytes()
    with mundo.source() as source:
        assert read(source, TIMESTAMP) == read(source, TIMESTAMP) == before
        try:
            path.write_bytes(before + b"\n")
            assert read(source, TIMESTAMP) == read(source, TIMESTAMP) == before + b"\n"
        finally:
            path.write_bytes(before)
        assert read(source, TIMESTAMP) == before


def test_what_is_not_there_is_none(mundo: Mundo) -> None:
    with mundo.source() as source:
        assert source.stream("metadata/99.root.json") is None
        assert source.stream("metadata/99.root.json", desde=5) is None


def test_store_that_may_not_list_says_forbidden_for_absent(mundo: Mundo) -> None:
    """An object store answers 403 for a name that is not there when we may not list: only the timestamp is ours."""
    with mundo.source("sin-lista") as source:
        assert source.stream("metadata/99.root.json") is None
        assert read(source, TIMESTAMP) is not None


# What was cut.


@pytest.mark.parametrize("tenths", range(1, 10))
def test_resumes_after_a_cut_at_every_tenth(mundo: Mundo, tenths: int) -> None:
    whole = (mundo.institute.folder / GRANDE).read_bytes()
    with mundo.enlazado() as (enlace, url), mundo.source(url=url) as source:
        enlace.corta_tras(GRANDE_BYTES * tenths // 10)
        pieces: list[bytes] = []
        with pytest.raises(RedError):
            pieces.extend(source.stream(GRANDE) or ())
        got = b"".join(pieces)
        assert whole.startswith(got)
        assert GRANDE_BYTES * tenths // 10 - OVERHEAD - (1 << 16) < len(got) < GRANDE_BYTES
        enlace.abre()
        assert got + (read(source, GRANDE, len(got)) or b"") == whole
        assert enlace.bajados <= GRANDE_BYTES * 1.01 + OVERHEAD + (1 << 16)
    last = mundo.nginx.peticiones()[-1]
    assert last[2:5] == ["206", str(GRANDE_BYTES - len(got)), f"bytes={len(got)}-"]


def test_beyond_the_end_there_is_nothing(mundo: Mundo) -> None:
    with mundo.source() as source:
        assert read(source, GRANDE, GRANDE_BYTES) == b""
        assert mundo.nginx.peticiones()[-1][2] == "416"
        assert read(source, GRANDE, GRANDE_BYTES + 7) == b""
        assert read(source, GRANDE, GRANDE_BYTES - 1) == (mundo.institute.folder / GRANDE).read_bytes()[-1:]


def test_server_without_ranges_sends_the_whole_and_the_beginning_is_skipped(mundo: Mundo) -> None:
    whole = (mundo.institute.folder / GRANDE).read_bytes()
    with mundo.source("sin-tramos") as source:
        assert read(source, GRANDE, 1_234_567) == whole[1_234_567:]
        assert mundo.nginx.peticiones()[-1][2:4] == ["200", str(GRANDE_BYTES)]


def test_file_that_changed_between_two_pieces_is_never_accepted(mundo: Mundo, tmp_path: Path) -> None:
    """The rest is asked with ``If-Range``, and the verifier hashes all of it anyway."""
    path = mundo.institute.folder / "targets" / "cortes" / "0002" / "cambia.bin"
    first, second = b"1" * 900_000, b"2" * 900_000
    path.write_bytes(first)
    target = TargetRef("cortes/0002/cambia.bin", len(first), hashlib.sha256(first).hexdigest())

    class Halves:
        """Reads half, and the rest after the file was signed anew over there."""

        def __init__(self, source: HttpsSource) -> None:
            self._source = source

        def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
            def pieces() -> Iterator[bytes]:
                half = b""
                for piece in self._source.stream(ruta) or ():
                    half += piece
                    if len(half) >= len(first) // 2:
                        break
                yield half
                path.write_bytes(second)
                os.utime(path, (1, 1))  # nginx makes its ETag of size and second
                yield from self._source.stream(ruta, desde=len(half)) or ()

            return pieces()

    client = mundo.institute.difusor(f"difusor-{tmp_path.name}")
    destination = tmp_path / "bajado"
    before = snapshot_of(tmp_path)
    try:
        with mundo.source() as source, pytest.raises(HashError):
            client.download(Halves(source), target, destination)
    finally:
        path.unlink()
    assert mundo.nginx.peticiones()[-1][2] == "200", "If-Range of another ETag: nginx sends the whole new file"
    assert not destination.exists()
    assert {name: data for name, data in snapshot_of(tmp_path).items() if name in before} == before


def test_kept_connection_that_the_server_closed_is_opened_again(mundo: Mundo) -> None:
    with mundo.enlazado() as (enlace, url), mundo.source(url=url) as source:
        first = read(source, TIMESTAMP)
        enlace.cierra()
        enlace.abre()
        assert read(source, TIMESTAMP) == first
        assert enlace.conexiones == 2


def test_answer_that_nobody_read_keeps_nothing(mundo: Mundo) -> None:
    with mundo.source() as source:
        for _ in range(12):
            stream = source.stream(GRANDE)
            assert stream is not None
            next(stream)
            assert source.stream(GRANDE, desde=10) is not None
        assert read(source, TIMESTAMP) is not None


# Who is at the other side.


@pytest.mark.parametrize(
    ("sitio", "words"),
    [
        ("vencido", "certificado venció, según el reloj de este equipo"),
        ("otro-nombre", "certificado es de otro equipo"),
        ("otra-ca", "una autoridad que este equipo no conoce"),
        ("viejo", "no habla TLS 1.2 ni posterior"),
        ("enviado", "no se sigue a otra dirección"),
        ("comprimido", "comprimido (gzip)"),
        ("ocupado", "pide esperar 77 s"),
        ("con-certificado", "pide un certificado de cliente"),
        ("con-certificado-12", "pide un certificado de cliente"),
    ],
)
def test_server_that_is_not_the_one_or_does_not_answer(mundo: Mundo, sitio: str, words: str) -> None:
    """Among them one of TLS 1.1, which the call forbids (INE-II-a-iii-1)."""
    assert words in refusal(mundo.source(sitio)).que_paso


def test_own_authority_takes_the_place_of_the_systems(mundo: Mundo) -> None:
    assert "no conoce" in refusal(mundo.source(ca=None)).que_paso


def test_client_certificate(mundo: Mundo) -> None:
    certificate, key = mundo.autoridad.firma("difusor", "difusor@example.mx")
    for sitio in ("con-certificado", "con-certificado-12"):
        with mundo.source(sitio, certificado=certificate, clave_certificado=key) as source:
            assert read(source, TIMESTAMP) is not None
    foreign = Autoridad(mundo.carpeta / "tercera").firma("difusor", "difusor@example.mx")
    error = refusal(mundo.source("con-certificado", certificado=foreign[0], clave_certificado=foreign[1]))
    assert "no acepta el de este equipo" in error.que_paso


def test_token(mundo: Mundo) -> None:
    with mundo.source("con-ficha", secreto=TOKEN) as source:
        assert read(source, TIMESTAMP) is not None
    for wrong in (None, "otra"):
        error = refusal(mundo.source("con-ficha", secreto=wrong))
        assert "credenciales" in error.que_paso
        assert "otra" not in error.que_paso + error.que_hacer


def test_settings_that_cannot_be_used(mundo: Mundo, tmp_path: Path) -> None:
    bad = tmp_path / "mal.pem"
    bad.write_text("esto no es un certificado")
    certificate, _ = mundo.autoridad.firma("suelto")
    changes: tuple[dict[str, Any], ...] = (
        {"ca": bad},
        {"ca": tmp_path / "no-hay.pem"},
        {"certificado": certificate, "clave_certificado": bad},
        {"url": "https://cuenta@example.mx/"},
        {"secreto": "dos\nlíneas"},
    )
    for change in changes:
        with pytest.raises(AjustesError):
            mundo.source(**change)


def test_proxy_of_the_settings_and_never_the_environments(
    mundo: Mundo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with mundo.source() as source:
        assert read(source, TIMESTAMP) is not None
    with Tinyproxy(tmp_path / "proxy") as proxy:
        with mundo.source(proxy=proxy.url) as source:
            assert read(source, TIMESTAMP) == read(source, TIMESTAMP)
            assert read(source, GRANDE, 1_999_000) == (mundo.institute.folder / GRANDE).read_bytes()[1_999_000:]
        assert len(proxy.conexiones) == 1
        assert "no conoce" in refusal(mundo.source("otra-ca", proxy=proxy.url)).que_paso
        with Crudo(mundo.autoridad.firma("gota"), {"/x": b"HTTP/1.1 200 OK\r\n"}, gotea={"/x": b"X"}) as crudo:
            error = refusal(mundo.source(url=crudo.url, proxy=proxy.url, answer_s=0.4), "x")
            assert "tardó más de 0.4 s" in error.que_paso, "the deadline cuts the TLS connection in the tunnel too"
    with Tinyproxy(tmp_path / "con-llave", contrasena="x") as proxy:
        assert "el proxy pide credenciales" in refusal(mundo.source(proxy=proxy.url)).que_paso


# Links and servers that fail.


def test_server_gone_and_server_silent(mundo: Mundo) -> None:
    with mundo.enlazado() as (enlace, url):
        enlace.cierra()
        assert "no se pudo conectar" in refusal(mundo.source(url=url)).que_paso
        enlace.abre()
        enlace.calla()
        clock = SystemClock()
        start = clock.monotonic()
        assert "no contesta" in refusal(mundo.source(url=url, connect_s=0.3, stall_s=0.3)).que_paso
        enlace.abre()
        enlace.calla_tras(600_000)
        assert "dejó de responder" in refusal(mundo.source(url=url, stall_s=0.3), GRANDE).que_paso
        assert clock.monotonic() - start < 5


OK = b"HTTP/1.1 200 OK\r\n"


def test_answers_that_no_honest_server_gives(mundo: Mundo) -> None:
    clock = SystemClock()
    late = format_datetime(clock.now() - timedelta(hours=3), usegmt=True).encode()
    answers = {
        "/corto": OK + b"Content-Length: 1000\r\n\r\nhola",
        "/tramo": b"HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\nContent-Range: bytes 0-3/9\r\n\r\nhola",
        "/no-es-http": b"SSH-2.0-OpenSSH\r\n",
        "/caches/" + TIMESTAMP: OK + b"Age: 10800\r\nDate: " + late + b"\r\nContent-Length: 2\r\n\r\n{}",
        "/" + TIMESTAMP: b"HTTP/1.1 403 Forbidden\r\nDate: " + late + b"\r\nContent-Length: 0\r\n\r\n",
        "/lento": OK,
    }
    with Crudo(mundo.autoridad.firma("crudo"), answers, gotea={"/lento": b"X"}) as crudo:
        assert "se cortó" in refusal(mundo.source(url=crudo.url), "corto").que_paso
        assert "estado 206" in refusal(mundo.source(url=crudo.url), "tramo").que_paso
        assert "no es de HTTP" in refusal(mundo.source(url=crudo.url), "no-es-http").que_paso
        with mundo.source(url=crudo.url) as source, pytest.raises(RedError, match="otro tramo"):
            read(source, "tramo", 4)
        forbidden = refusal(mundo.source(url=crudo.url))
        assert "credenciales" in forbidden.que_paso
        assert "adelantado 180 minutos" in forbidden.que_paso
        assert forbidden.que_hacer.startswith("Ponga en hora este equipo")
        with mundo.source(url=crudo.url + "/caches") as source:
            assert read(source, TIMESTAMP) == b"{}"
            assert source._ahead is None, "what a cache says is as old as it says"
        start = clock.monotonic()
        assert "tardó más de 0.4 s" in refusal(mundo.source(url=crudo.url, answer_s=0.4), "lento").que_paso
        assert clock.monotonic() - start < 5
        simulated = ManualClock(clock.now() + timedelta(days=200), simulado=True)
        assert "reloj" not in refusal(mundo.source(url=crudo.url, clock=simulated)).que_paso


def test_wrong_clock_of_this_machine_is_told(mundo: Mundo, caplog: pytest.LogCaptureFixture) -> None:
    behind = ManualClock(SystemClock().now() - timedelta(minutes=42, seconds=30), simulado=False)
    with mundo.source(clock=behind) as source:
        body = read(source, TIMESTAMP)
        read(source, TIMESTAMP)
    assert body is not None
    assert json.loads(body)["signed"]["_type"] == "timestamp"
    assert [record.message for record in caplog.records if "atrasado 42 minutos" in record.message] != []
    assert len([record for record in caplog.records if "atrasado" in record.message]) == 1
