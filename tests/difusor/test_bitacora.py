"""The embedded server's access log as combined lines, and what it does with readers that stall. Real Caddy."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import socket
import subprocess
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
import pytest

from pregon.difusor.servidor import caddy
from pregon.difusor.servidor.bitacora import MAX_LINE, Cuenta, combined, log_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.difusor.conftest import Escena, EscenaFactory

COMBINED = re.compile(
    r'^(\S+) (\S+) (\S+) \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\] "([^"\\]*(?:\\.[^"\\]*)*)" '
    r'(\d{3}) (\d+|-) "([^"\\]*(?:\\.[^"\\]*)*)" "([^"\\]*(?:\\.[^"\\]*)*)"$'
)


@pytest.fixture
def published(escena: Escena) -> Escena:
    escena.cut(1)
    escena.receiver().run_once()
    return escena


def test_every_request_becomes_one_combined_line_that_no_header_can_break(published: Escena) -> None:
    hostile = 'm"\\ñ" 200 0 "-" "otro'
    with published.served() as (url, _), httpx2.Client(base_url=url, trust_env=False) as client:
        client.get("corte.json", headers={"referer": "https://iee.ejemplo.mx/", "user-agent": "Lynx"})
        client.get("no-existe", headers={b"user-agent": hostile.encode()})
        client.head("corte.json")
    done = subprocess.run(
        [sys.executable, "-m", "pregon", "difusor", "bitacora", published.workspace.folder],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    found = [COMBINED.match(line) for line in done.stdout.splitlines()]
    assert all(found)
    lines = [match.groups() for match in found if match][-3:]
    size = (published.workspace.cortes / "0001" / "corte.json").stat().st_size
    assert [(line[0], line[4], line[5]) for line in lines] == [
        ("127.0.0.1", "GET /corte.json HTTP/1.1", "200"),
        ("127.0.0.1", "GET /no-existe HTTP/1.1", "404"),
        ("127.0.0.1", "HEAD /corte.json HTTP/1.1", "200"),
    ]
    assert lines[0][7:] == ("https://iee.ejemplo.mx/", "Lynx")
    assert 0 < int(lines[0][6]) <= size
    assert lines[2][6] == "-"
    assert done.stderr == ""


def line(uri: str, ts: float = 1_800_000_000.5) -> bytes:
    request = {"remote_ip": "198.51.100.7", "method": "GET", "uri": uri, "proto": "HTTP/2.0"}
    return json.dumps({"ts": ts, "request": request, "status": 200, "size": 5, "user_id": "a b"}).encode() + b"\n"


def test_rolled_logs_come_first_and_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    (tmp_path / "acceso-2027-06-06T20-00-00.000.log.gz").write_bytes(gzip.compress(line("/uno")))
    (tmp_path / "acceso-2027-06-06T21-00-00.000.log").write_bytes(line("/dos"))
    (tmp_path / "acceso-2027-06-06T21-00-00.000.log.gz").write_bytes(gzip.compress(line("/dos"))[:9])  # being made
    (tmp_path / "acceso-2027-06-06T22-00-00.000.log.gz").write_bytes(gzip.compress(line("/tres") * 2)[:-9])
    bad = [b"no es json\n", b"{}\n", b"[" * 5000 + b"\n", line("/x").replace(b"200", b'"z"'), line("/mal", 1e300)]
    (tmp_path / "acceso.log").write_bytes(
        b"".join(bad) + b"x" * (MAX_LINE + 5) + b"\n" + line("/cuatro") + line("/c")[:40]
    )
    (tmp_path / "servidor.log").write_bytes(line("/no"))
    cuenta = Cuenta()
    found = [match.group(5) for text in combined(tmp_path, cuenta) if (match := COMBINED.match(text))]
    assert [text.split()[1] for text in found if text.split()[1] != "/tres"] == ["/uno", "/dos", "/cuatro"]
    assert cuenta.lineas == len(found)
    assert cuenta.malas == len(bad) + 3  # the long one comes in two pieces, and the last was being written
    assert cuenta.archivos == 1
    assert len(log_files(tmp_path)) == 4


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    (tmp_path / "acceso.log").write_bytes(line("/" + "a" * 200) * 20_000)

    cuenta = Cuenta()
    tracemalloc.start()
    for _ in combined(tmp_path, cuenta):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert cuenta.lineas == 20_000
    assert peak < 2 << 20


def test_who_stalls_is_cut_off_and_who_is_only_slow_is_not(published: Escena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caddy, "STALL_S", 2)
    size = 24 << 20
    (published.workspace.cortes / "0001" / "base.zip").write_bytes(os.urandom(size))
    with published.served() as (url, _):
        stalled, slow = (ask(url, "/base.zip") for _ in range(2))
        with contextlib.closing(stalled), contextlib.closing(slow):
            got, deadline = 0, time.monotonic() + 3.5
            while time.monotonic() < deadline:  # some 3 MB/s
                got += len(slow.recv(400_000))
                time.sleep(0.02)
            got += drain(slow)
            assert got > size  # with the headers
            assert drain(stalled) < size


def ask(url: str, path: str) -> socket.socket:
    where = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    connection.settimeout(10)
    connection.connect((where.hostname, where.port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return connection


def drain(connection: socket.socket) -> int:
    got = 0
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(1 << 20):
            got += len(chunk)
    return got


def test_headers_that_never_end_are_not_waited_for(published: Escena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caddy, "HEADER_LIMIT", "1s")
    with published.served() as (url, _):
        where = urlsplit(url)
        with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Lento: a")
            start = time.monotonic()
            assert b"200" not in connection.recv(1000)[:15]
            assert time.monotonic() - start < 8
        assert httpx2.get(url, trust_env=False).status_code == 200


def test_notices_are_served_as_they_are_and_asked_for_each_time(published: Escena) -> None:
    path = published.workspace.servidor / "avisos.json"
    path.write_bytes(b'{"avisos": [1]}\n')
    with published.served() as (url, _), httpx2.Client(base_url=url, trust_env=False) as client:
        answer = client.get("avisos.json")
        assert (answer.status_code, answer.content) == (200, b'{"avisos": [1]}\n')
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "last-modified" not in answer.headers
        path.unlink()
        gone = client.get("avisos.json")
        assert (gone.status_code, "Esta página no existe" in gone.text) == (404, True)
        for private in ("Caddyfile", "acceso.log", "sirve.lock", "servidor/acceso.log"):
            assert client.get(private).status_code == 404


def test_own_view_is_served_only_while_its_pointer_names_one(escena_factory: EscenaFactory) -> None:
    escena = escena_factory(extra='personalizacion = "autorizada"')
    escena.cut(1)
    escena.receiver().run_once()
    name = "ab" * 32
    folder = escena.workspace.folder / "personalizada"
    (folder / name / "gub").mkdir(parents=True)
    (folder / name / "index.html").write_text("<!doctype html><title>La nuestra</title>")
    (folder / name / "gub" / "index.html").write_text("gub nuestra")
    (folder / "puntero").write_text(f"{name}\n")
    with escena.served() as (url, _), httpx2.Client(base_url=url, trust_env=False) as client:
        assert "La nuestra" in client.get("personalizada/").text
        assert client.get("personalizada").headers["location"] == "/personalizada/"
        assert client.get("personalizada/gub").headers["location"] == "/personalizada/gub/"
        assert "La nuestra" not in client.get("").text
        assert client.get("personalizada/nada").status_code == 404
        for content in ("no\n", "", "../cortes/0001\n", "A" * 64):
            (folder / "puntero").write_text(content)
            assert client.get("personalizada/").status_code == 404
            assert client.get("personalizada/index.html").status_code == 404
        assert client.get("corte.json").status_code == 200
