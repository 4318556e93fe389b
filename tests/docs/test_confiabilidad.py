"""The table of faults names the test of each row, each of those exists, and no fault that must be there is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "confiabilidad.md"
_TEST = re.compile(r"`(tests/[\w/.]+\.py)::(test_\w+)`")
COLUMNAS = ("Falla", "Qué ve el público", "Qué se recupera y en cuánto", "Qué hace una persona", "Prueba")
REQUIRED = (
    "El proceso que recibe muere en cualquier paso", "Corte de energía", "Disco lleno", "El disco falla",
    "El disco queda de sólo lectura", "El reloj se adelanta o se atrasa una hora",
    "El servidor de hora (NTP) no responde", "Base de estado dañada", "Dos procesos para la misma carpeta",
    "Cinco mil clientes lentos", "Disco de la bitácora lleno", "Muere el servidor web", "Muere `sirve`",
    "Actualización a media noche", "Paquete truncado o alterado", "Paquete tarde", "El origen desaparece",
    "El reloj del instituto está mal", "Poca memoria", "Alguien quita permisos", "Alguien altera un archivo publicado",
    "Alguien borra o cambia el puntero",
)  # fmt: skip
"""The faults that must have a row."""


def tables() -> list[list[str]]:
    """Each table as its lines, the head first."""
    found: list[list[str]] = [[]]
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("|"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def rows() -> list[list[str]]:
    return [cells(line) for table in tables() for line in table[2:]]


def test_every_table_has_the_same_columns_and_no_empty_cell() -> None:
    assert {tuple(cells(table[0])) for table in tables()} == {COLUMNAS}
    assert [row for row in rows() if len(row) != len(COLUMNAS) or not all(row)] == []


def test_every_row_names_a_test_that_exists() -> None:
    wrong = [row[0] for row in rows() if not _TEST.findall(row[-1])]
    for row in rows():
        for path, name in _TEST.findall(row[-1]):
            file = ROOT / path
            if not file.is_file() or f"\ndef {name}(" not in file.read_text(encoding="utf-8"):
                wrong.append(f"{row[0]}: {path}::{name}")
    assert wrong == []


@pytest.mark.parametrize("fault", REQUIRED)
def test_every_fault_that_must_be_there_has_one_row(fault: str) -> None:
    assert len([row for row in rows() if row[0].startswith(f"**{fault}")]) == 1
