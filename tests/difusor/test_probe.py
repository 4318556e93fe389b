"""The probe of a public URL: what it saw, within its limits."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import RedError
from pregon.base.red import free_port
from pregon.difusor.night import real_clock
from pregon.sonda.probe import Limits, parse_stamp, probe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.difusor.conftest import Escena


class Careless(http.server.BaseHTTPRequestHandler):
    """A server with bad manners: ``/lento`` drips, ``/sinfin`` never ends, ``/otro`` sends elsewhere."""

    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/otro" else 200)
        if self.path == "/otro":
            self.send_header("Location", "/corte.json")
        self.end_headers()
        try:
            for _ in range(200):
                self.wfile.write(b"x" * 65536 if self.path == "/sinfin" else b"x")
                if self.path not in ("/lento", "/sinfin"):
                    return
                time.sleep(0.05 if self.path == "/lento" else 0)
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def careless() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Careless)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_portal_answers_with_its_cut(escena: Escena) -> None:
    escena.cut(1)
    receiver = escena.receiver()
    with escena.served() as (url, _):
        assert probe(url + "corte.json", clock=real_clock()).status == 404
        receiver.run_once()
        stamp = parse_stamp(probe(url + "corte.json", clock=real_clock(), keep_body=True).cuerpo or b"")
        assert stamp is not None
        assert (stamp.corte, stamp.ambiente, stamp.ultimo) == (1, "oficial", False)
        answer = probe(url + "manifiesto.json", clock=real_clock())
        twin = probe(url + "manifiesto.json", clock=real_clock(), headers={"accept-encoding": "gzip"})
    assert answer.sha256 == escena.manifest_hashes(1)["manifiesto.json"]
    assert (answer.status, answer.completo, answer.cuerpo) == (200, True, None)
    assert answer.headers["etag"] != twin.headers["etag"]
    assert twin.headers["content-encoding"] == "gzip"
    assert twin.largo < answer.largo


def test_limits_of_time_and_size(careless: str) -> None:
    slow = probe(careless + "/lento", clock=real_clock(), limits=Limits(segundos=0.3))
    assert not slow.completo
    assert slow.segundos < 3
    endless = probe(careless + "/sinfin", clock=real_clock(), limits=Limits(segundos=5, bytes=100_000), keep_body=True)
    assert not endless.completo
    assert endless.cuerpo is not None
    assert endless.largo == len(endless.cuerpo) <= 100_000
    assert endless.sha256 == hashlib.sha256(endless.cuerpo).hexdigest()


def test_redirection_is_reported_and_not_followed(careless: str) -> None:
    assert probe(careless + "/otro", clock=real_clock()).status == 302


def test_nobody_answers() -> None:
    with pytest.raises(RedError):
        probe(f"http://127.0.0.1:{free_port('127.0.0.1')}/", clock=real_clock(), limits=Limits(segundos=1))
    with pytest.raises(RedError):
        probe("http://[roto/", clock=real_clock())


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b"\xff", b'{"corte": "1", "hora_corte": "x", "ambiente": "y", "ultimo": true}',
     b'{"corte": true, "hora_corte": "x", "ambiente": "y", "ultimo": true}', b"[" * 100_000],
)  # fmt: skip
def test_text_that_is_not_a_stamp(data: bytes) -> None:
    assert parse_stamp(data) is None
