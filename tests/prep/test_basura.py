"""What is no acta database is refused with its line and column, soon and in little memory; the rest is kept whole."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pregon.base.errors import EntradaError, FormatoError
from pregon.prep import admision, reader
from pregon.prep.candidaturas import read_candidaturas
from pregon.prep.reader import read_actas
from tests.prep.muestras import COLUMNS, Sample, row
from tests.prep.valores import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MEBIBYTE = 1 << 20
MAX_GROWTH_KIB = 200 * 1024
PLACE = re.compile(r"línea \d+, columna \d+: |línea \d+: falta la columna ")

_CHILD = """
import json, resource, sys, time
from pathlib import Path
from pregon.base.errors import FormatoError
from pregon.prep.reader import read_actas
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.monotonic()
try:
    read_actas(Path(sys.argv[1]))
    said = "leído"
except FormatoError as error:
    said = error.que_paso
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start
print(json.dumps({"said": said, "grown": grown, "seconds": time.monotonic() - began}))
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "ACTAS.csv"


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("ACTAS.csv", "CLAVE_CASILLA")
    return out.getvalue()


def _text() -> str:
    return "\n".join(Sample().lines()) + "\n"


MISLABELLED: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip": (_zip, "es un archivo zip"),
    "gzip": (lambda: gzip.compress(_text().encode()), "comprimido con gzip"),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100), "7z"),
    "xls": (lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "hoja de cálculo"),
    "pdf": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "es un PDF"),
    "png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(50), "imagen PNG"),
    "utf-16 con marca": (lambda: _text().encode("utf-16"), "UTF-16"),
    "utf-16 sin marca": (lambda: _text().encode("utf-16-le"), "UTF-16"),
    "utf-32": (lambda: _text().encode("utf-32-be"), "UTF-16 sin marca o binario"),
    "página web": (lambda: b"\n <!DOCTYPE html>\n<title>404</title>" * 40, "página web"),
    "json": (lambda: json.dumps([{"a": i} for i in range(900)], indent=1).encode(), "CLAVE_CASILLA"),
    "LEEME": (lambda: ("1. TOTAL_VOTOS - Suma.\n" * 90).encode(), "CLAVE_CASILLA"),
    "catálogo": (lambda: b"ID_ESTADO,ID_DISTRITO_LOCAL,PARTIDO_CI,X\n4,1,PAN,Y\n", "es un catálogo de candidaturas"),
    "sólo encabezado": (lambda: "\n".join(Sample().lines()[:4]).encode(), "CLAVE_CASILLA"),
    "bytes nulos al final": (lambda: _text().encode() + b"\0\0", "bytes nulos"),
}


@pytest.mark.parametrize("kind", MISLABELLED)
def test_mislabelled_file_is_refused_with_its_place_and_left_as_it_was(target: Path, kind: str) -> None:
    make, said = MISLABELLED[kind]
    target.write_bytes(make())
    before = target.read_bytes()
    with pytest.raises(FormatoError) as caught:
        read_actas(target)
    assert said in caught.value.que_paso
    assert PLACE.search(caught.value.que_paso)
    assert caught.value.intacto
    assert caught.value.que_hacer
    assert target.read_bytes() == before


def test_place_of_a_bad_byte_is_its_line_and_column(target: Path) -> None:
    target.write_bytes(b"GUBERNATURA\n01/06/2021 18:52 (UTC-5)\nABC\0DEF\n")
    with pytest.raises(FormatoError, match="línea 3, columna 4: tiene bytes nulos"):
        read_actas(target)
    target.write_bytes(b"\xef\xbb\xbfGUBERNATURA\nAB\xd1C\n")
    with pytest.raises(FormatoError, match="línea 2, columna 3: tiene marca UTF-8"):
        read_actas(target)


def test_actas_given_as_a_catalogue(target: Path) -> None:
    Sample().write(target)
    with pytest.raises(FormatoError, match=r"línea 5, columna 1: es la base de datos por acta"):
        read_candidaturas(target)


def test_empty_file_and_folder_and_pipe_are_told_apart_without_waiting(tmp_path: Path, target: Path) -> None:
    target.write_bytes(b"")
    with pytest.raises(FormatoError, match="está vacío"):
        read_actas(target)
    with pytest.raises(EntradaError, match="no es un archivo"):
        read_actas(tmp_path)
    pipe = tmp_path / "tubo.csv"
    os.mkfifo(pipe)
    with pytest.raises(EntradaError, match="no es un archivo"):  # opening it would wait for a writer
        read_actas(pipe)
    with pytest.raises(EntradaError, match="no es un archivo"):
        read_candidaturas(pipe)


def _measured(path: Path) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _fill(path: Path, head: bytes, block: bytes, size: int) -> None:
    with path.open("wb") as file:
        file.write(head)
        while file.tell() < size:
            file.write(block)


def test_gigabyte_in_a_single_line_is_refused_by_its_size(target: Path) -> None:
    with target.open("wb") as file:
        file.write(b"CLAVE_CASILLA,")
        file.truncate(1 << 30)  # sparse: no disk is used
    found = _measured(target)
    assert "1,073,741,824 bytes" in str(found["said"])
    assert found["grown"] < MAX_GROWTH_KIB  # type: ignore[operator]
    assert found["seconds"] < 1  # type: ignore[operator]


@pytest.mark.parametrize(
    ("head", "block", "said"),
    [
        (b"GUBERNATURA", b"x" * MEBIBYTE, "línea 1, columna 65537: la línea pasa"),
        ("\n".join(Sample().lines()[:5]).encode() + b"\n", b"1," * (MEBIBYTE // 2), "línea 6, columna 65537"),
        ("\n".join(Sample().lines()[:5]).encode() + b'\n"', b"x\n" * (MEBIBYTE // 2), "línea 6, columna 1: más de"),
        ("\n".join(Sample().lines()[:5]).encode() + b"\n", b"\n" * MEBIBYTE, "líneas sin una fila"),
        ("\n".join(Sample().lines()[:5]).encode() + b"\n", b" \t \r" * (MEBIBYTE // 4), "líneas sin una fila"),
    ],
    ids=["one line", "one row", "open quote", "blank lines", "tab lines in CR"],
)
def test_giant_text_is_refused_in_bounded_memory(target: Path, head: bytes, block: bytes, said: str) -> None:
    _fill(target, head, block, 200 * MEBIBYTE)
    found = _measured(target)
    target.unlink()
    assert said in str(found["said"])
    assert found["grown"] < MAX_GROWTH_KIB  # type: ignore[operator]
    assert found["seconds"] < 10  # type: ignore[operator]


def test_limits_are_named_and_hold(monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
    Sample(rows=[row(n) for n in range(1, 12)]).write(target)
    monkeypatch.setattr(reader, "MAX_CELLS", 10 * len(COLUMNS))
    with pytest.raises(FormatoError, match="línea 16, columna 1: pasa de 10 actas"):
        read_actas(target)
    monkeypatch.undo()
    monkeypatch.setattr(admision, "MAX_FILE_BYTES", 100)
    with pytest.raises(FormatoError, match="el límite es 100"):
        read_actas(target)


@pytest.fixture(scope="module")
def whole() -> bytes:
    sample = Sample(sep="sep=|", delimiter="|", encoding="latin-1", blank=("\t",), after_summary=("",))
    sample.rows = [
        row(1, DISTRITO_LOCAL='"PEÑA, ""LA"""'),
        row(2, CLAVE_CASILLA='="040002B0100"'),
        row(3, OBSERVACIONES='"dos\nlíneas"'),
    ]
    return ("\r\n".join(sample.lines()) + "\r\n").encode("latin-1")


def _read(folder: Path, content: bytes) -> bool:
    """Whether it is accepted; if so, it is written again byte for byte, and if not, the refusal has its place."""
    path = folder / "X.csv"
    path.write_bytes(content)
    try:
        table = read_actas(path)
    except FormatoError as error:
        assert PLACE.search(error.que_paso) or not content, error.que_paso  # noqa: PT017 - both ends are right
        return False
    assert written(table) == content
    return True


def test_truncated_anywhere_it_is_refused_or_said_to_be_cut(tmp_path: Path, whole: bytes) -> None:
    assert _read(tmp_path, whole)
    header_end = whole.index(b"TIPO_DOCUMENTO") + len(b"TIPO_DOCUMENTO")
    for size in [*range(0, len(whole) - 2, 7)]:
        accepted = _read(tmp_path, whole[:size])
        if accepted:
            assert size >= header_end
            table = read_actas(tmp_path / "X.csv")
            ended = whole[:size].endswith((b"\r", b"\n"))
            assert ended or not table.filas or "SIN_FIN_DE_LINEA" in {f.codigo for f in table.hallazgos}


def _changes() -> Iterator[st.SearchStrategy[tuple[float, bytes, int]]]:
    pieces = [b"\0", b'"', b"\n", b"\r", b"|", b",", b"\xff", b"\xc3\xb1", b"'", b"=", b"\t", b"-", b"9", b"\x1a", b""]
    yield st.tuples(st.floats(0, 1), st.sampled_from(pieces), st.integers(0, 40))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(next(_changes()), min_size=1, max_size=4))
@example([(0.999, b'"', 0)])
@example([(0.0, b"\xef\xbb\xbf", 0)])
def test_damaged_file_is_refused_with_its_place_or_written_again_whole(
    tmp_path: Path, whole: bytes, changes: list[tuple[float, bytes, int]]
) -> None:
    content = whole
    for place, piece, removed in changes:
        at = int(place * len(content))
        content = content[:at] + piece + content[at + removed :]
    _read(tmp_path, content)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=600))
def test_random_bytes_never_fail_in_another_way(tmp_path: Path, content: bytes) -> None:
    _read(tmp_path, content)
    path = tmp_path / "C.csv"
    path.write_bytes(content)
    with pytest.raises(FormatoError):
        read_candidaturas(path)
