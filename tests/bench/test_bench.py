"""The bench's own tools: a limit that breaks is seen, memory is that of the whole tree, archives are told by kind."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
from bench.cortes import HTML, composicion, parte_html
from bench.costo import pendiente
from bench.informe import Informe, Limite
from bench.pares.huella import Renglon, huella
from bench.procesos import corre

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 96 << 20


def test_a_broken_limit_is_marked_and_makes_the_exit_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    informe = Informe()
    informe.titulo("medida", "de prueba")
    informe.razon("en el límite", [2.5], [1.0], Limite(maximo=2.5))
    assert "FUERA" not in capsys.readouterr().out
    informe.razon("lenta", [9.0, 2.6, 2.0], [1.0], Limite(maximo=2.5))  # the median, not the best
    informe.cifra("corta", 1.99, Limite(minimo=2))
    out = capsys.readouterr().out
    assert out.count("FUERA") == 2
    assert informe.fuera == ["medida: lenta (razón)", "medida: corta"]
    assert informe.fin() == 1


def test_different_answers_break_the_measure() -> None:
    informe = Informe()
    informe.igual("respuestas", cierto=True)
    assert informe.fin() == 0
    informe.igual("respuestas", cierto=False)
    assert informe.fin() == 1


def test_memory_is_the_sum_of_the_tree_and_the_start_up_is_told_apart() -> None:
    run = corre("tests.bench.hijo", str(_BLOCK), memoria=True)
    assert run.memoria is not None
    assert run.memoria.procesos == 2
    assert run.memoria.pss >= 2 * _BLOCK  # parent alone: half of it
    assert _BLOCK <= run.memoria.hwm < 2 * _BLOCK
    assert run.salida == {"bytes": _BLOCK}
    assert 0 < run.arranque < run.total
    assert run.trabajo >= 0.5


def test_a_child_that_fails_stops_the_bench() -> None:
    with pytest.raises(SystemExit, match="terminó con estado 1"):
        corre("tests.bench.hijo")


def test_parts_are_compressed_bytes_by_kind(tmp_path: Path) -> None:
    path = tmp_path / "paquete.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.html", b"a" * 100_000)  # large, but next to nothing once compressed
        archive.writestr("dip/index.html", b"b" * 100_000)
        archive.writestr("base-de-datos/x.zip", bytes(range(256)) * 10, compress_type=zipfile.ZIP_STORED)
    kinds = composicion(path)
    assert kinds[HTML].archivos == 2
    assert kinds["base de datos (zip)"].bytes == 2560
    share, pages = parte_html(path)
    assert pages == 2
    assert share == pytest.approx(100 * kinds[HTML].bytes / (kinds[HTML].bytes + 2560))
    assert share < 20


@pytest.mark.parametrize(("power", "slope"), [(1, 1.0), (2, 2.0)])
def test_the_slope_tells_a_line_from_a_square(power: int, slope: float) -> None:
    sizes = [10_000, 50_000, 171_000, 500_000]
    assert pendiente(sizes, [3e-5 * n**power for n in sizes]) == pytest.approx(slope)


def test_the_digest_sees_one_vote_moved_and_not_the_order() -> None:
    rows: list[Renglon] = [
        ("seccion", ("01", "001", "0001"), [("PAN", 5), ("PRI", 7)]),
        ("seccion", ("01", "001", "0002"), [("PAN", 4), ("PRI", 0)]),
    ]
    numbers: list[Renglon] = [
        ("seccion", (1, 1, 2), [("PRI", 0), ("PAN", 4)]),
        ("seccion", (1, 1, 1), [("PAN", 5), ("PRI", 7)]),
    ]
    moved: list[Renglon] = [
        ("seccion", (1, 1, 2), [("PAN", 3), ("PRI", 0)]),
        ("seccion", (1, 1, 1), [("PAN", 6), ("PRI", 7)]),
    ]
    fields = {"ACTAS_ESPERADAS": 3}
    assert huella(fields, rows) == huella(fields, numbers)
    assert huella(fields, rows) != huella(fields, moved)
