"""A reader who notices for how long nobody answered."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from pregon.base.red import free_port
from pregon.simulacro.fallas.visitante import Visitante
from pregon.simulacro.portal import Reader, SignedManifests

if TYPE_CHECKING:
    from pathlib import Path


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path.endswith("corte.json") else 404)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class _Servidor:
    def __init__(self, port: int) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def cierra(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_the_silence_is_measured_from_the_last_answer_to_the_first_one_after() -> None:
    port = free_port("127.0.0.1")
    server = _Servidor(port)
    visitor = Visitante(f"http://127.0.0.1:{port}/")
    visitor.empieza()
    time.sleep(0.2)
    assert (visitor.silencio_s, visitor.sin_respuesta) == (0.0, 0)
    server.cierra()
    begun = time.monotonic()
    time.sleep(0.4)
    server = _Servidor(port)
    away = time.monotonic() - begun
    time.sleep(0.3)
    visitor.termina()
    server.cierra()
    assert away <= visitor.silencio_s < away + 0.3
    assert 0 < visitor.sin_respuesta < visitor.preguntas


def test_a_portal_that_never_answers_is_silent_until_the_visitor_goes() -> None:
    visitor = Visitante(f"http://127.0.0.1:{free_port('127.0.0.1')}/")
    visitor.empieza()
    time.sleep(0.3)
    visitor.termina()
    assert visitor.silencio_s >= 0.3
    assert visitor.sin_respuesta == visitor.preguntas > 1


def test_silence_is_a_problem_of_the_night_unless_it_is_on_purpose(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port('127.0.0.1')}/"
    for on_purpose in (True, False):
        reader = Reader(url, SignedManifests(tmp_path), 1, pause=0.01)
        if on_purpose:
            reader.perdona.set()
        reader.start()
        time.sleep(0.15)
        problems = reader.finish()
        assert reader.lecturas > 0
        assert bool(problems) is not on_purpose
