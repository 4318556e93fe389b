"""Every clause of the five texts has a row, its words are in the text, and what it points at is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pregon.base.errors import EntradaError
from pregon.convocatoria.clausulas import clausulas_de, con_clausulas, del_perfil
from pregon.convocatoria.perfiles import ids, load

RAIZ = Path(__file__).parents[2]
COMPARTIDO = RAIZ.parent / "shared"
TEXTOS = {
    "gro-2021": "guerrero-2021.txt",
    "dgo-2024": "durango-2024.txt",
    "mor-2024": "morelos-2024.txt",
    "mex-2021": "mexico-2021.txt",
    "ine-2021": "ine-2021.txt",
}
_ROW = re.compile(r"^\| ((?:GRO|DGO|MOR|MEX|INE)-[^ |]+) \|", re.MULTILINE)


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_every_clause_of_the_five_texts_has_a_row_and_only_one() -> None:
    asked = _ROW.findall((COMPARTIDO / "docs" / "clauses.md").read_text(encoding="utf-8"))
    assert len(asked) == 296
    there = [one.id for call in con_clausulas() for one in clausulas_de(call)]
    assert sorted(there) == sorted(asked)
    assert con_clausulas() == ids()


@pytest.mark.parametrize("call", TEXTOS)
def test_every_line_of_the_text_belongs_to_a_row(call: str) -> None:
    """A clause that nobody read would be a line that no row covers: only headings and page furniture may be so."""
    lines = (COMPARTIDO / "convocatorias" / TEXTOS[call]).read_text(encoding="utf-8").splitlines()
    covered = {n for one in clausulas_de(call) for first, last in one.lineas for n in range(first, last + 1)}
    loose = [flat(line) for n, line in enumerate(lines, 1) if n not in covered and len(re.findall(r"\w+", line)) > 12]
    assert loose == []


@pytest.mark.parametrize("call", TEXTOS)
def test_quotations_are_the_words_of_the_text(call: str) -> None:
    text = flat((COMPARTIDO / "convocatorias" / TEXTOS[call]).read_text(encoding="utf-8"))
    for one in clausulas_de(call):
        assert one.cita in text or all(flat(part) in text for part in one.cita.split(" […] ")), one.id
        assert bool(one.cita) is bool(one.lineas), one.id


@pytest.mark.parametrize("call", TEXTOS)
def test_every_key_that_a_clause_names_has_a_value_in_its_profile(call: str) -> None:
    profile = load(call)
    for one in clausulas_de(call):
        for way in one.como:
            if way.modo == "perfil":
                value: Any = profile
                for name in way.dato.split("."):
                    assert isinstance(value, BaseModel), f"{one.id} {way}"
                    value = getattr(value, name)
                assert value not in (None, ()), f"{one.id} {way}"


def test_tests_that_prove_a_clause_exist() -> None:
    for call in con_clausulas():
        for one in clausulas_de(call):
            assert bool(one.pruebas) or all(way.modo != "programa" for way in one.como), one.id
            for test in one.pruebas:
                path, _, name = test.partition("::")
                tree = ast.parse((RAIZ / path).read_text(encoding="utf-8"))
                assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, test


def test_a_clause_of_nobody_or_beyond_software_says_why() -> None:
    for call in con_clausulas():
        for one in clausulas_de(call):
            if one.quien == "ninguno" or any(way.modo == "fuera" for way in one.como):
                assert one.nota, one.id


def test_a_call_without_clauses_is_said_and_its_keys_have_none() -> None:
    with pytest.raises(EntradaError, match="no están escritas"):
        clausulas_de("camp-2027")
    assert del_perfil("camp-2027", "inicio") == ()
    assert del_perfil("gro-2021", "inicio") == ("GRO-1.1a",)


def test_no_duty_of_a_difusor_is_met_by_what_the_profile_says_alone() -> None:
    """A value of the profile is ours, not what somebody did: beside it goes a record, a check or a declaration."""
    alone = {
        one.id
        for call in con_clausulas()
        for one in clausulas_de(call)
        if one.quien in ("difusor", "ambos") and {way.modo for way in one.como} == {"perfil"}
    }
    assert alone == {"DGO-I-14", "MEX-II-2d"}  # whom to ask, and what one may do: nothing is asked of anybody


def test_what_only_the_institute_must_do_is_not_judged_of_a_difusor() -> None:
    judged = {
        one.id
        for call in con_clausulas()
        for one in clausulas_de(call)
        if one.quien == "instituto" and all(way.modo != "instituto" for way in one.como)
    }
    assert judged == {"GRO-3.3a"}  # the difusor's own watch counts the periods too, for the link may be down
