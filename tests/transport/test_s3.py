"""S3 as carrier, both ways, against a real store: what ``test_contrato.py`` does not ask of every carrier."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
import pytest

from pregon.base.clock import SystemClock
from pregon.base.errors import AjustesError, DestinoError, HashError, RedError, TransportError
from pregon.transport.almacen import Almacen
from pregon.transport.caudal import Caudal
from pregon.transport.destino import Envio
from pregon.transport.s3 import S3Acuses, S3Destination, S3Source
from pregon.transport.subida import PART_BYTES
from pregon.trust.metadatos import TIMESTAMP
from pregon.trust.verified import TargetRef
from tests.red.enlace import Enlace
from tests.red.servidores.crudo import Crudo
from tests.red.servidores.nginx import Autoridad, Tinyproxy
from tests.red.servidores.s3 import DEPOSITO, HOST, Seaweed, compartido
from tests.transport.entregas import Lector, caudal, momentos

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.transport.destino import Entregado

NOTHING_NEW_BYTES = 1000
GRANDE = "targets/cortes/0001/grande.zip"
GRANDE_BYTES = 2 * PART_BYTES + 1_000_000
MEDIANO = "targets/cortes/0001/mediano.7z"
MEDIANO_BYTES = 2_000_000
METADATA = "metadata/1.snapshot.json"
HEADERS_BYTES = 12_000
"""Requests and answers around a file that travels alone."""


@pytest.fixture(scope="module")
def repositorio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shape of a repository; the carrier does not look inside. Nobody changes it."""
    folder = tmp_path_factory.mktemp("s3")
    for ruta, data in {
        GRANDE: hashlib.shake_128(b"grande").digest(GRANDE_BYTES),
        MEDIANO: hashlib.shake_128(b"mediano").digest(MEDIANO_BYTES),
        METADATA: b'{"version": 1}',
        TIMESTAMP: b'{"timestamp": 1}',
    }.items():
        (folder / ruta).parent.mkdir(parents=True, exist_ok=True)
        (folder / ruta).write_bytes(data)
    return folder


@dataclass(frozen=True)
class Prefijo:
    """One prefix of the bucket, empty at first, behind a relay."""

    servidor: Seaweed
    prefijo: str
    enlace: Enlace
    carpeta: Path

    def _where(self, quien: str, changes: dict[str, Any]) -> Any:
        changes.setdefault("extremo", f"http://{HOST}:{self.enlace.puerto}")
        return self.servidor.lugar(self.prefijo, quien=quien, **changes)

    def destino(self, quien: str = "escribe", *, stall_s: float = 20.0, **changes: Any) -> S3Destination:
        lugar = self._where(quien, changes)
        entorno = self.servidor.entorno
        return S3Destination(lugar, folder=self.carpeta, clock=SystemClock(), environment=entorno, stall_s=stall_s)

    def source(self, quien: str = "lee", *, stall_s: float = 20.0, **changes: Any) -> S3Source:
        lugar = self._where(quien, changes)
        entorno = self.servidor.entorno
        return S3Source(lugar, folder=self.carpeta, clock=SystemClock(), environment=entorno, stall_s=stall_s)

    def there(self) -> dict[str, bytes]:
        return self.servidor.objetos(self.prefijo)

    def put(self, ruta: str, data: bytes) -> None:
        self.servidor.orden("PUT", self.prefijo, ruta, data=data)


@pytest.fixture
def lugar(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Prefijo]:
    servidor = compartido()
    with Enlace(HOST, servidor.puerto) as enlace:
        yield Prefijo(servidor, f"{request.node.name.partition('[')[0]}/entrada", enlace, tmp_path)


def read(source: S3Source, ruta: str, desde: int = 0) -> bytes | None:
    stream = source.stream(ruta, desde=desde)
    return None if stream is None else b"".join(stream)


def send(lugar: Prefijo, repositorio: Path, *rutas: str, **changes: Any) -> Entregado:
    return lugar.destino(**changes).deliver(Envio(repositorio, tuple((ruta,) for ruta in rutas)), caudal())


# A difusor that pulls.


def test_nothing_new_is_one_conditional_get_of_less_than_a_kilobyte(lugar: Prefijo, tmp_path: Path) -> None:
    """INE-II-a-ii-1: through the verifier, by an identity that only reads."""
    institute, (_, second, third) = momentos(tmp_path / "instituto")
    send(lugar, second.repositorio, *(ruta for paso in second.envio("entero").pasos for ruta in paso))
    source = lugar.source()
    lector = Lector(institute, tmp_path)
    assert lector.corte(source) == 2
    for _ in range(2):
        before = _when_quiet(lugar.enlace)
        assert lector.corte(source) == 2
        assert lugar.enlace.subidos + lugar.enlace.bajados - before <= NOTHING_NEW_BYTES
    send(lugar, third.repositorio, *(ruta for paso in third.envio("cambios").pasos for ruta in paso))
    assert lector.corte(source) == 3


def _when_quiet(enlace: Enlace) -> int:
    """What passed by the link once nothing passes: an answer that was let go may still be on its way."""
    quiet = threading.Event()
    passed = -1
    while (now := enlace.subidos + enlace.bajados) != passed:
        passed = now
        quiet.wait(0.1)
    return passed


def test_reads_on_after_a_cut_at_every_tenth(lugar: Prefijo, repositorio: Path) -> None:
    whole = (repositorio / MEDIANO).read_bytes()
    lugar.put(MEDIANO, whole)
    for tenths in range(1, 10):
        before = lugar.enlace.bajados
        lugar.enlace.corta_tras(MEDIANO_BYTES * tenths // 10)
        got: list[bytes] = []
        source = lugar.source()
        with pytest.raises(RedError):
            got.extend(source.stream(MEDIANO) or ())
        first = b"".join(got)
        assert whole.startswith(first)
        assert len(first) < MEDIANO_BYTES
        lugar.enlace.abre()
        assert first + (read(source, MEDIANO, len(first)) or b"") == whole
        assert lugar.enlace.bajados - before <= MEDIANO_BYTES + 200_000


def test_what_is_not_there_and_what_is_beyond_the_end(lugar: Prefijo) -> None:
    lugar.put(METADATA, b"0123456789")
    for source in (lugar.source(), lugar.source("nadie")):
        assert source.stream("metadata/9.root.json") is None, "403 or 404, for who may list and who may not"
    source = lugar.source()
    assert read(source, METADATA, 9) == b"9"
    assert read(source, METADATA, 10) == b""
    assert read(source, METADATA, 11) == b""


def test_object_that_changed_between_two_pieces_is_never_accepted(lugar: Prefijo, tmp_path: Path) -> None:
    first, second = b"1" * 900_000, b"2" * 900_000
    target = TargetRef("cortes/0001/cambia.bin", len(first), hashlib.sha256(first).hexdigest())
    institute, _ = momentos(tmp_path / "instituto")
    lugar.put(f"targets/{target.ruta}", first)

    class Halves:
        """Reads half, and the rest after somebody put another object in its place."""

        def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
            def pieces() -> Iterator[bytes]:
                source = lugar.source()
                half = (read(source, ruta) or b"")[: len(first) // 2]
                yield half
                lugar.put(ruta, second)
                yield from source.stream(ruta, desde=len(half)) or ()

            return pieces()

    destination = tmp_path / "bajado"
    with pytest.raises(HashError):
        institute.difusor("difusor").download(Halves(), target, destination)
    assert not destination.exists()


def test_store_gone_or_silent(lugar: Prefijo, repositorio: Path) -> None:
    lugar.put(MEDIANO, (repositorio / MEDIANO).read_bytes())
    clock = SystemClock()
    start = clock.monotonic()
    lugar.enlace.cierra()
    with pytest.raises(RedError, match="nadie atiende ahí"):
        lugar.source().stream(TIMESTAMP)
    lugar.enlace.abre()
    lugar.enlace.calla()
    with pytest.raises(RedError, match="no contesta"):
        lugar.source(stall_s=0.3).stream(TIMESTAMP)
    lugar.enlace.abre()
    source = lugar.source(stall_s=0.3)
    lugar.enlace.calla_tras(600_000)
    with pytest.raises(RedError):
        read(source, MEDIANO)
    assert clock.monotonic() - start < 10


# Who asks, and where.


@pytest.mark.parametrize(
    ("quien", "changes", "words"),
    [
        ("malo", {}, "no acepta las credenciales"),
        ("nadie", {}, "no da permiso"),
        ("escribe", {"url": "s3://otra/entrada"}, "no hay ningún depósito con ese nombre"),
    ],
)
def test_wrong_secret_nobody_and_no_such_bucket(
    lugar: Prefijo, repositorio: Path, quien: str, changes: dict[str, Any], words: str
) -> None:
    lugar.put(TIMESTAMP, b"antes")
    with pytest.raises(RedError, match=words):
        lugar.source(quien, **changes).stream(TIMESTAMP)
    sent = lugar.enlace.subidos
    with pytest.raises(DestinoError, match=words) as caught:
        send(lugar, repositorio, GRANDE, TIMESTAMP, quien=quien, **changes)
    assert "Ahí sigue completo lo que había" in caught.value.intacto
    assert lugar.enlace.subidos - sent < HEADERS_BYTES, "the package was sent all the same"
    assert lugar.there() == {TIMESTAMP: b"antes"}


def test_who_only_reads_writes_nothing(lugar: Prefijo, repositorio: Path) -> None:
    lugar.put(TIMESTAMP, b"antes")
    for ruta in (GRANDE, MEDIANO, TIMESTAMP):
        with pytest.raises(DestinoError, match="no da permiso"):
            send(lugar, repositorio, ruta, quien="lee")
    assert lugar.there() == {TIMESTAMP: b"antes"}
    assert lugar.servidor.envios(lugar.prefijo) == []


def test_settings_that_cannot_be_used(lugar: Prefijo) -> None:
    for changes in ({"secreto": None}, {"clave_acceso": None}, {"secreto": "env:NO_HAY"}, {"ca": Path("no-hay.pem")}):
        with pytest.raises(AjustesError):
            lugar.destino(**changes)
        with pytest.raises(AjustesError):
            lugar.source(**changes)


def test_credentials_of_the_environment_where_none_is_named(lugar: Prefijo) -> None:
    lugar.put(METADATA, b"x")
    where = lugar.servidor.lugar(lugar.prefijo, clave_acceso=None, secreto=None)
    names = {"AWS_ACCESS_KEY_ID": "LEE00000000000000000", "AWS_SECRET_ACCESS_KEY": lugar.servidor.entorno["S3_LEE"]}
    source = S3Source(where, folder=lugar.carpeta, clock=SystemClock(), environment=names)
    assert read(source, METADATA) == b"x"


def test_no_credentials_anywhere(lugar: Prefijo, repositorio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any, the machine's are looked for where its cloud would give them."""
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")
    lugar.put(TIMESTAMP, b"antes")
    with pytest.raises(RedError, match="no hay credenciales"):
        lugar.source(clave_acceso=None, secreto=None).stream(TIMESTAMP)
    with pytest.raises(TransportError, match="no hay credenciales"):
        send(lugar, repositorio, TIMESTAMP, clave_acceso=None, secreto=None)
    assert lugar.there() == {TIMESTAMP: b"antes"}


def test_address_of_the_bucket_by_style() -> None:
    """Amazon's own endpoint of the region, a private link's host (INE-II-a-iii-2b), and the bucket in the host."""
    base: dict[str, Any] = {"quien": "nadie", "region": "mx-central-1"}
    seen = {}
    places: dict[str, dict[str, Any]] = {
        "amazon": {"extremo": None},
        "enlace privado": {"extremo": "https://bucket.vpce-1a2b.s3.mx-central-1.vpce.amazonaws.com"},
        "en el nombre": {"extremo": "https://s3.example.mx:9000/", "estilo_ruta": False},
    }
    for name, changes in places.items():
        where = compartido().lugar("pre/fijo", **base, **changes)
        almacen = Almacen(where, folder=Path(), environment={}, connect_s=1, stall_s=1)
        seen[name] = almacen.sign("GET", "a b.json")
    assert seen == {
        "amazon": f"https://s3.mx-central-1.amazonaws.com/{DEPOSITO}/pre/fijo/a%20b.json",
        "enlace privado": f"https://bucket.vpce-1a2b.s3.mx-central-1.vpce.amazonaws.com/{DEPOSITO}/pre/fijo/a%20b.json",
        "en el nombre": f"https://{DEPOSITO}.s3.example.mx:9000/pre/fijo/a%20b.json",
    }


def test_proxy_of_the_settings_and_never_the_environments(
    lugar: Prefijo, repositorio: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with caplog.at_level(logging.DEBUG):
        send(lugar, repositorio, METADATA)
        assert read(lugar.source(), METADATA) == (repositorio / METADATA).read_bytes()
    assert METADATA in caplog.text
    assert "Signature" not in caplog.text, "an address that allows to write is a secret"
    with Tinyproxy(lugar.carpeta / "proxy") as proxy:
        assert send(lugar, repositorio, MEDIANO, proxy=proxy.url).bytes == MEDIANO_BYTES
        assert read(lugar.source(proxy=proxy.url), MEDIANO) == (repositorio / MEDIANO).read_bytes()


def test_refusals_of_other_stores_are_told(lugar: Prefijo, repositorio: Path) -> None:
    """What SeaweedFS never says, as the documentation of S3, Ceph and MinIO has it; over TLS with our own authority."""
    autoridad = Autoridad(lugar.carpeta / "ca")
    cases = {
        "RequestTimeTooSkewed": (403, "reloj de este equipo no concuerda", DestinoError),
        "AccessDenied</Code><Message>Request has expired</Message><Code>": (403, "reloj de este equipo", DestinoError),
        "SlowDown": (503, "pide que se pregunte menos", RedError),
        "QuotaExceeded": (403, "no cabe más", DestinoError),
        "XMinioStorageFull": (507, "no cabe más", DestinoError),
        "PermanentRedirect": (301, "en otra región", DestinoError),
        "ExpiredToken": (400, "no acepta las credenciales", DestinoError),
    }
    path = f"/{DEPOSITO}/{lugar.prefijo}/{TIMESTAMP}"
    trusted: dict[str, Any]
    with Crudo(autoridad.firma("almacen"), {}) as crudo:
        trusted = {"extremo": crudo.url, "ca": autoridad.ca}
        for code, (status, words, kind) in cases.items():
            body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
            answer = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
            crudo.respuestas.update({path: answer, f"/{DEPOSITO}/": answer, f"/{DEPOSITO}": answer})
            with pytest.raises(RedError, match=words):
                lugar.source(**trusted).stream(TIMESTAMP)
            with pytest.raises(TransportError, match=words) as caught:
                send(lugar, repositorio, TIMESTAMP, **trusted)
            assert type(caught.value) is kind, code
    expired, unknown = autoridad.firma("vencido", vencido=True), Autoridad(lugar.carpeta / "otra").firma("ajeno")
    for certificate, words in ((expired, "certificado venció"), (unknown, "autoridad que este equipo no conoce")):
        with Crudo(certificate, {}) as crudo:
            trusted = {"extremo": crudo.url, "ca": autoridad.ca}
            with pytest.raises(RedError, match=words):
                lugar.source(**trusted).stream(TIMESTAMP)
            with pytest.raises(RedError, match=words):
                send(lugar, repositorio, TIMESTAMP, **trusted)
            assert crudo.preguntas == []


# An institute that pushes.


def test_long_file_goes_on_from_its_last_whole_part(lugar: Prefijo, repositorio: Path) -> None:
    lugar.enlace.corta_tras(PART_BYTES * 3 // 2)
    with pytest.raises(RedError):
        send(lugar, repositorio, GRANDE)
    assert lugar.there() == {}
    lugar.enlace.abre()
    given = send(lugar, repositorio, GRANDE)
    assert (given.archivos, given.bytes) == (1, GRANDE_BYTES - PART_BYTES)
    assert lugar.there() == {GRANDE: (repositorio / GRANDE).read_bytes()}
    assert lugar.servidor.envios(lugar.prefijo) == []
    sent = lugar.enlace.subidos
    assert send(lugar, repositorio, GRANDE).bytes == 0
    assert lugar.enlace.subidos - sent < HEADERS_BYTES


def test_part_of_another_content_is_sent_again(lugar: Prefijo, repositorio: Path) -> None:
    """The upload that was begun may be of a file that was signed anew since: each part is told by its MD5."""
    key = lugar.prefijo
    begun = lugar.servidor.orden("POST", key, GRANDE, {"uploads": ""}).decode()
    upload = begun.partition("<UploadId>")[2].partition("<")[0]
    for number, data in ((1, b"x" * PART_BYTES), (2, (repositorio / GRANDE).read_bytes()[PART_BYTES : 2 * PART_BYTES])):
        lugar.servidor.orden("PUT", key, GRANDE, {"partNumber": str(number), "uploadId": upload}, data)
    assert send(lugar, repositorio, GRANDE).bytes == GRANDE_BYTES - PART_BYTES
    assert lugar.there() == {GRANDE: (repositorio / GRANDE).read_bytes()}
    assert lugar.servidor.envios(lugar.prefijo) == []


def test_what_is_there_is_told_by_content_and_not_by_length(lugar: Prefijo, repositorio: Path) -> None:
    wrong = bytes(MEDIANO_BYTES)
    lugar.put(MEDIANO, wrong)
    assert send(lugar, repositorio, MEDIANO, METADATA).archivos == 2
    assert lugar.there()[MEDIANO] == (repositorio / MEDIANO).read_bytes()
    assert send(lugar, repositorio, MEDIANO, METADATA).archivos == 0
    store = lugar.servidor._almacen(lugar.prefijo).store
    types = {ruta: obstore.get(store, ruta).attributes["Content-Type"] for ruta in (MEDIANO, METADATA)}
    assert types == {MEDIANO: "application/x-7z-compressed", METADATA: "application/json"}


def test_altered_on_the_way_is_not_taken(lugar: Prefijo, repositorio: Path) -> None:
    lugar.enlace.altera(1_000_000)
    with pytest.raises(TransportError):
        send(lugar, repositorio, MEDIANO)
    assert lugar.there() == {}
    send(lugar, repositorio, MEDIANO)
    assert lugar.there() == {MEDIANO: (repositorio / MEDIANO).read_bytes()}


def test_the_shared_rate_is_kept_all_the_time(lugar: Prefijo, repositorio: Path) -> None:
    """Not in bursts of a part: at no moment more has passed than the rate allows, and some pieces."""
    rate = 2_000_000
    clock = SystemClock()
    envio = Envio(repositorio, ((MEDIANO, METADATA), (TIMESTAMP,)))
    task = threading.Thread(target=lugar.destino().deliver, args=(envio, Caudal(clock, rate)))
    start = clock.monotonic()
    task.start()
    worst = 0.0
    while task.is_alive():
        worst = max(worst, lugar.enlace.subidos - rate * (clock.monotonic() - start))
        task.join(0.02)
    assert clock.monotonic() - start >= 0.85 * MEDIANO_BYTES / rate
    assert worst <= 0.1 * rate + 4 * 65_536 + HEADERS_BYTES
    assert lugar.there()[TIMESTAMP] == (repositorio / TIMESTAMP).read_bytes()


def test_slow_link_is_not_a_dead_one(lugar: Prefijo, repositorio: Path) -> None:
    lugar.enlace.ritmo(1_500_000)
    assert send(lugar, repositorio, MEDIANO, stall_s=0.5).bytes == MEDIANO_BYTES
    lugar.enlace.ritmo(None)
    lugar.enlace.calla_tras(PART_BYTES // 2)
    clock = SystemClock()
    start = clock.monotonic()
    with pytest.raises(RedError):
        send(lugar, repositorio, GRANDE, stall_s=0.5)
    assert clock.monotonic() - start < 8
    assert set(lugar.there()) == {MEDIANO}


def test_two_deliveries_of_a_long_file_at_once(lugar: Prefijo, repositorio: Path) -> None:
    failed: list[TransportError] = []

    def deliver() -> None:
        try:
            send(lugar, repositorio, GRANDE, TIMESTAMP)
        except TransportError as exc:
            failed.append(exc)

    both = [threading.Thread(target=deliver) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(failed) < 2, failed
    assert all("otra entrega a la vez" in error.que_paso for error in failed)
    assert lugar.there() == {ruta: (repositorio / ruta).read_bytes() for ruta in (GRANDE, TIMESTAMP)}
    send(lugar, repositorio, GRANDE, TIMESTAMP)
    assert lugar.servidor.envios(lugar.prefijo) == []


def test_file_that_changes_while_it_travels_never_shows(lugar: Prefijo, repositorio: Path, tmp_path: Path) -> None:
    path = tmp_path / GRANDE
    path.parent.mkdir(parents=True)
    path.write_bytes((repositorio / GRANDE).read_bytes())
    lugar.enlace.calla_tras(PART_BYTES * 3 // 2)
    failed: list[BaseException] = []

    def deliver() -> None:
        try:
            send(lugar, tmp_path, GRANDE)
        except RedError as exc:
            failed.append(exc)

    thread = threading.Thread(target=deliver)
    thread.start()
    while lugar.enlace.subidos + lugar.enlace.bajados < PART_BYTES * 3 // 2:
        thread.join(0.01)
    os.utime(path, (1, 1))
    lugar.enlace.abre()
    thread.join()
    assert "cambió mientras se enviaba" in str(failed[0])
    assert lugar.there() == {}


# Acuses.


def test_acuses_are_collected_in_order_and_only_once(lugar: Prefijo) -> None:
    good = {f"00000{n}-0001-recibido.json": b'{"n": %d}' % n for n in (3, 1, 2)}
    for name, data in {**good, "notas.txt": b"x", "000009-0001-recibido.json": b"x" * 70_000}.items():
        lugar.put(name, data)
    lugar.put("otra/000008-0001-recibido.json", b"x")
    where = lugar.servidor.lugar(lugar.prefijo, quien="lee")
    box = S3Acuses(where, folder=lugar.carpeta, clock=SystemClock(), environment=lugar.servidor.entorno)
    assert list(box.collect(())) == sorted(good.items())
    assert [name for name, _ in box.collect({"000002-0001-recibido.json"})] == sorted(good)[::2]
    wrong = lugar.servidor.lugar(lugar.prefijo, quien="malo")
    with pytest.raises(DestinoError, match="no acepta las credenciales"):
        list(S3Acuses(wrong, folder=lugar.carpeta, clock=SystemClock(), environment=lugar.servidor.entorno).collect(()))
