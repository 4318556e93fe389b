"""Logs that somebody wrote to do harm: nothing stops, nothing runs, everything is counted."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pregon.cli.app import app
from tests.bitacoras.medir import FIREFOX, Peticion, clf, combinado, cuentas, escribe, mide, una

if TYPE_CHECKING:
    from pathlib import Path

BUENA = combinado(Peticion(ruta="/gub/", bytes=10)).encode()


def line(agente: bytes = b"x", ruta: bytes = b"/") -> bytes:
    hour = clf(Peticion().hora).encode()
    return b"198.51.100.7 - - [" + hour + b'] "GET ' + ruta + b' HTTP/1.1" 200 10 "-" "' + agente + b'"'


HOSTILES = (
    line(b"\xff\xfe\x00\x80 no es UTF-8"),
    line(b"\x1b[2J\x07\x08 borra la pantalla"),
    line(b"=cmd|' /C calc'!A0"),
    line(b"a\x1e\x1f\x1eb\x01\x02\x01c"),
    line(b'\\" 500 999999 \\"-\\" \\"otro'),
    line(ruta=b"/' ; drop table tramos; --"),
    line(ruta=b"/<script>alert(1)</script>"),
    line(ruta=b"/\xc2\xa0\xe2\x80\xae/../../etc/passwd"),
    line(ruta=b"/a b c"),
    line(ruta=b"/" + b"%2e" * 5000),
    line(ruta=b"/x\x00y"),
    line(ruta=b"/un\rregreso"),
)
MALAS = (
    b"nada de esto es un acceso",
    b'198.51.100.7 - - [99/Jun/2021:01:00:00 +0000] "GET / HTTP/1.1" 200 10 "-" "x"',
    b'198.51.100.7 - - [07/Jun/2021:01:00:00 +0000] "GET / HTTP/1.1" 200 diez "-" "x"',
    b'198.51.100.7 - - [07/Jun/2021:01:00:00 +0000] "GET / HTTP/1.1" 2000 10 "-" "x"',
    b'198.51.100.7 - - [07/Jun/2021:01:00:00 +0000] "GET / HTTP/1.1" 200 99999999999999999999 "-" "x"',
    b'198.51.100.7 - - [07/Jun/2021:01:00:00 +0000] "GET / HTTP/1.1" 200 10 "-" "sin cerrar',
    b'"""""""',
    b'{"ts": 1',
    b"\x00" * 50,
)


def test_hostile_lines_are_counted_each_as_one_hit_and_malformed_ones_are_told(tmp_path: Path) -> None:
    long = line(b"A" * (1 << 20))
    longest = b"B" * (9 << 20)
    path = tmp_path / "acceso.log"
    path.write_bytes(b"\n".join([*[BUENA] * 20, *HOSTILES, *MALAS, b"", long, longest, BUENA]) + b"\n")
    found = mide(path)
    one = una(found)
    assert one.hits == 21 + len(HOSTILES)
    assert one.bytes == 10 * one.hits  # What a line says inside of a field is no size.
    assert cuentas(one.estados) == {"200": one.hits}
    assert found.malos == len(MALAS) + 2
    assert found.lineas == one.hits + found.malos
    assert found.archivos[0].malos == found.malos
    assert [example.linea for example in found.ejemplos] == [33, 34, 35, 36, 37]
    assert found.ejemplos[0].forma == "aaaa aa aaaa aa aa aaaaaa"
    assert found.ejemplos[1].forma.startswith("000.00.000.0 - - [00/aaa/0000:00:00:00 +0000]")
    json.dumps(found.as_dict()).encode()


def test_an_injected_line_needs_a_line_end_that_no_server_writes(tmp_path: Path) -> None:
    inside = (
        f'\\" 200 5\\n203.0.113.1 - - [{clf(Peticion().hora)}] \\"GET /falsa HTTP/1.1\\" 200 7 \\"-\\" \\"{FIREFOX}'
    )
    found = una(mide(escribe(tmp_path / "a", [Peticion(agente=inside), Peticion(referente=inside)])))
    assert (found.hits, found.bytes) == (2, 2000)
    assert cuentas(found.rutas) == {"/": 2}


def test_what_is_not_http_is_a_hit_that_saw_no_page(tmp_path: Path) -> None:
    lines = [
        f'203.0.113.9 - - [{clf(Peticion().hora)}] "{asked}" 400 150 "-" "{FIREFOX}"'
        for asked in ("\\x16\\x03\\x01\\x02", "-", "", "GET", "get / http/1.1", "SSH-2.0-Go")
    ]
    path = tmp_path / "a"
    path.write_text("\n".join(lines))
    one = una(mide(path))
    assert (one.hits, one.paginas, one.visitas) == (6, 0, 0)
    assert cuentas(one.metodos) == {"OTRO": 6}


CUALQUIERA = given(st.lists(st.binary(max_size=200).filter(lambda text: b"\n" not in text), max_size=12))


@settings(max_examples=8, deadline=None)
@CUALQUIERA
def test_no_bytes_whatever_stop_a_run_or_are_lost(tmp_path_factory: pytest.TempPathFactory, some: list[bytes]) -> None:
    _counts(tmp_path_factory, some)


@pytest.mark.aguante
@settings(max_examples=150, deadline=None)
@CUALQUIERA
def test_no_bytes_of_many_stop_a_run_or_are_lost(tmp_path_factory: pytest.TempPathFactory, some: list[bytes]) -> None:
    _counts(tmp_path_factory, some)


def _counts(tmp_path_factory: pytest.TempPathFactory, some: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("azar") / "acceso.log"
    path.write_bytes(b"\n".join([*[BUENA] * (len(some) + 1), *some]) + b"\n")
    found = mide(path)
    assert found.lineas == una(found).hits + found.malos
    assert found.lineas == len(some) + 1 + sum(1 for text in some if text.strip(b"\r") or b"\r" in text[:-1])
    assert una(found).hits >= len(some) + 1


def test_the_command_shows_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    path = tmp_path / "acceso.log"
    path.write_bytes(b"\n".join([*HOSTILES, *HOSTILES, *MALAS]) + b"\n")
    done = CliRunner().invoke(app, ["memoria", "medidas", str(path)])
    assert done.exit_code == 0, done.output
    assert all(char.isprintable() or char == "\n" for char in done.output)
    assert "198.51.100.7" not in done.output


def test_an_hour_that_no_calendar_has_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "acceso.log"
    hours = ("31/Dec/9999:23:59:59 -1200", "01/Jan/0001:00:00:00 +1400", "07/Jun/2286:00:00:00 +0000")
    odd = [BUENA.replace(clf(Peticion().hora).encode(), hour.encode()) for hour in hours]
    path.write_bytes(b"\n".join([BUENA, *odd, BUENA]) + b"\n")
    found = mide(path)
    assert (found.lineas, found.malos) == (5, 0)
    # The days of the last one are counted; the others are of no day that a report could name.
    assert una(found).hits == 3
    assert len(una(found).por_dia) == 2


def test_a_pipe_among_the_logs_is_told_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "acceso.log").write_bytes(BUENA + b"\n")
    os.mkfifo(tmp_path / "tuberia.log")
    for place in (tmp_path, tmp_path / "tuberia.log"):
        found = CliRunner().invoke(app, ["memoria", "medidas", str(place)])
        assert found.exit_code == 66
        assert "tuberia.log: no es un archivo normal." in found.output
    (tmp_path / "tuberia.log").unlink()
    (tmp_path / "enlace.log").symlink_to("acceso.log")  # as a web server may leave them
    assert CliRunner().invoke(app, ["memoria", "medidas", str(tmp_path / "enlace.log")]).exit_code == 0
