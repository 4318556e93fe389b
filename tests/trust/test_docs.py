"""The order of checks is written twice, for people and above the code: the numbers must be the same."""

from __future__ import annotations

import re
from pathlib import Path

from pregon.base.errors import TrustError
from pregon.trust import cliente

ROOT = Path(__file__).resolve().parents[2]
DOC = ROOT / "docs" / "verificacion.md"
SRC = ROOT / "src" / "pregon" / "trust"


def test_document_and_code_list_the_same_checks() -> None:
    text = DOC.read_text(encoding="utf-8")
    section = text.split("## El orden", 1)[1].split("\n## ", 1)[0]
    document = [int(n) for n in re.findall(r"^(\d+)\. ", section, re.MULTILINE)]
    code = [int(n) for n in re.findall(r"^(\d+)\. ", cliente.__doc__ or "", re.MULTILINE)]
    assert document == code == list(range(1, 17))
    source = "".join((SRC / name).read_text(encoding="utf-8") for name in ("cliente.py", "orden.py"))
    marked = {int(n) for group in re.findall(r"#((?: \d+)+)$", source, re.MULTILINE) for n in group.split()}
    assert marked == set(document)


def test_every_code_of_trust_is_explained() -> None:
    text = DOC.read_text(encoding="utf-8")
    for leaf in TrustError.__subclasses__():
        assert f"| `{leaf.codigo}` |" in text
