"""The table of states, its drawing in ``docs/estados.md``, and who may order what."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from pregon.base.errors import UsoError
from pregon.cli.instituto import app as instituto
from pregon.cli.instituto.difusores import app
from pregon.instituto.registro import estados, lista
from pregon.instituto.registro.estados import ESTADOS, TRANSICIONES, Mandato, Transicion, transicion
from tests.instituto.registro.fichas import ANA, PERFILES, PROGRAMA

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.instituto.registro.fichas import Casa

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "estados.md"
SECTION = DOCUMENT.read_text(encoding="utf-8").partition("## En el registro del instituto")[2]
WHO = {("operador", "programa"): "programa u operador", ("operador",): "operador"}


def row(one: Transicion) -> tuple[str, ...]:
    """A transition as the document's table tells it."""
    asks = ", ".join(["motivo"] * one.motivo + ["evidencia"] * one.evidencia) or "—"
    return f"`{one.de}`", f"`{one.a}`", f"`{one.orden}`", WHO[one.quien], asks, one.firma or "—", one.clausula


def test_the_drawing_has_every_transition_and_no_other() -> None:
    drawn = re.findall(r"^    (\S+) --> (\S+) : (.+)$", SECTION, re.MULTILINE)
    expected = [("[*]", estados.INICIAL, "alta")]
    for one in TRANSICIONES:
        signs = f", firma {one.firma}" if one.firma else ""
        expected.append((one.de, one.a, f"{one.orden} ({WHO[one.quien]}{signs})"))
    assert drawn == expected
    ends = set(re.findall(r"^    (\w+) --> \[\*\]$", SECTION, re.MULTILINE))
    assert ends == {"rechazado", "baja", "concluido"}


def test_the_table_of_the_document_is_the_table_of_the_program() -> None:
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in SECTION.splitlines()
        if re.match(r"\| `\w+` \| `\w+` \|", line)
    ]
    assert rows == [row(one) for one in TRANSICIONES]
    explained = re.findall(r"^\| `(\w+)` \| [A-Z]", SECTION, re.MULTILINE)
    assert tuple(explained) == ESTADOS


def test_each_order_is_a_command() -> None:
    group = typer.main.get_command(app)
    assert {one.orden for one in TRANSICIONES} | {"alta"} <= set(getattr(group, "commands", {}))
    whole = getattr(typer.main.get_command(instituto), "commands", {})
    assert {"difusor", "soporte", "lista-publica"} <= set(whole)


def test_nothing_outside_the_table_can_be_ordered_and_the_refusal_changes_nothing(gro: Casa) -> None:
    """By a person with every reason in hand: 64 pairs, 20 of them arrows."""
    gro.alta()
    before = (gro.registro.todos(), gro.eventos("estado_difusor", "baja"))
    refused = 0
    for de, a in product(ESTADOS, ESTADOS):
        if transicion(de, a) is None:
            refused += 1
            with pytest.raises(UsoError, match="no pasa a"):
                estados.exige("diario-uno", de, a, ANA)
            if de == "solicitado":
                with pytest.raises(UsoError):
                    gro.registro.pasa("diario-uno", a, ANA)
    assert refused == len(ESTADOS) ** 2 - len(TRANSICIONES)
    assert (gro.registro.todos(), gro.eventos("estado_difusor", "baja")) == before


def test_each_arrow_asks_for_all_it_says() -> None:
    for one in TRANSICIONES:
        assert estados.exige("x", one.de, one.a, ANA) == one
        lacking = [replace(ANA, operador=" ")]
        lacking += [replace(ANA, motivo=" ")] * one.motivo + [replace(ANA, evidencia=(" ",))] * one.evidencia
        for mandate in lacking:
            with pytest.raises(UsoError, match="falta"):
                estados.exige("x", one.de, one.a, mandate)
        if "programa" in one.quien:
            assert estados.exige("x", one.de, one.a, PROGRAMA) == one
        else:
            with pytest.raises(UsoError, match="hace falta la orden de una persona"):
                estados.exige("x", one.de, one.a, PROGRAMA)


def test_only_a_person_brings_back_who_was_attacked_or_left_the_list() -> None:
    """MEX-I-13, INE-I-d-3."""
    assert all(
        one.quien == ("operador",) for one in TRANSICIONES if one.de in ("bloqueado", "baja") and one.a != "concluido"
    )
    assert [one.a for one in TRANSICIONES if one.de == "baja"] == ["admitido"]
    assert transicion("baja", "activo") is None


def test_an_order_that_means_another_arrow_is_refused() -> None:
    """«exceptua» must not admit an applicant around the check of its form, nor «activa» bring back a suspended one."""
    for de, a, order in (("solicitado", "admitido", "exceptua"), ("suspendido", "activo", "activa")):
        with pytest.raises(UsoError, match="con esta orden"):
            estados.exige("x", de, a, ANA, orden=order)  # type: ignore[arg-type]


@pytest.mark.parametrize("perfil", PERFILES)
def test_where_each_state_stands_in_the_public_list_of_each_call(perfil: str, de_perfil: Callable[[str], Casa]) -> None:
    """GRO-3.3c, DGO-I-12: link off. MOR-I-12, MEX-I-12, INE-I-f-1: off the list. MEX-I-13: told to everybody."""
    house = de_perfil(perfil)
    house.alta()
    one, profile = house.registro.uno("diario-uno"), house.espacio.convocatoria
    shown = {state: lista.como(profile, replace(one, estado=state)) for state in ESTADOS}
    assert shown == {
        "solicitado": None,
        "admitido": "enlazado",
        "activo": "enlazado",
        "suspendido": "interrumpido" if perfil in ("gro-2021", "dgo-2024") else None,
        "bloqueado": "no_valido" if perfil == "mex-2021" else None,
        "baja": None,
        "rechazado": None,
        "concluido": None,  # by its last step, which is not from «activo» here
    }


def test_mandate_without_a_name_is_only_the_programs() -> None:
    assert estados.exige("x", "admitido", "activo", Mandato(quien="programa")).orden == "activa"
    with pytest.raises(UsoError, match="falta quién lo ordena"):
        estados.exige("x", "admitido", "activo", Mandato(quien="operador"))
