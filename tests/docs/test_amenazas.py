"""The threat model names the test of each defence, and each of those tests exists: the table cannot rot."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "threat-model.md"
_TEST = re.compile(r"`(tests/[\w/.]+\.py)::(\w+)`")
REQUIRED = (
    "Arbitrary package", "Rollback", "Freeze", "Mix-and-match", "Wrong ambiente", "Other convocatoria", "Endless data",
    "Slow data", "Key compromise below threshold", "Replayed acuse", "Forged aviso", "Tampered published file",
    "Early publication", "A sender changes a file after it was checked",
)  # fmt: skip
"""The attacks that must have a row."""


def section() -> str:
    text = DOCUMENT.read_text(encoding="utf-8")
    return text.split("\n## Attacks and defences\n", 1)[1].split("\n## ", 1)[0]


def rows() -> list[str]:
    """Every row of every table of attacks, heads and rules left out."""
    lines = section().splitlines()
    tables = [line for line in lines if line.startswith("|")]
    heads = {lines[n - 1] for n, line in enumerate(lines) if line.startswith("|---")}
    return [line for line in tables if line not in heads and not line.startswith("|---")]


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_test_that_any_document_names_exists() -> None:
    named = [
        (document.name, path, name)
        for document in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
        for path, name in _TEST.findall(document.read_text(encoding="utf-8"))
    ]
    assert len(named) > 100
    missing = [each for each in named if not (ROOT / each[1]).is_file() or each[2] not in names_in(each[1])]
    assert missing == []


def test_every_row_of_the_threat_model_names_a_test() -> None:
    assert len(rows()) > 40
    assert [row for row in rows() if not any(name.startswith("test_") for _, name in _TEST.findall(row))] == []


@pytest.mark.parametrize("attack", REQUIRED)
def test_threat_model_has_the_row(attack: str) -> None:
    found = [row for row in rows() if row.startswith(f"| **{attack}**")]
    assert len(found) == 1
