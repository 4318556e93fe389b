"""Who is ahead, percentages and bars, from totals made by hand."""

from __future__ import annotations

import dataclasses

from pregon.instituto.portal import frases
from pregon.instituto.portal.catalogo import Catalogo
from pregon.instituto.portal.modelo import ANCHO_BARRA, Resultados, resultados
from pregon.instituto.portal.partidos import Actores
from pregon.prep.candidaturas import Candidatura
from pregon.prep.percent import trunc4
from pregon.tablas.model import ActaCounts, UnitTotals

COLUMNS = ("PAN", "PRI", "MC", "C_PAN_PRI", "CAND_IND_1", "NO_REGISTRADOS", "NULOS")


def unit(pan: int, pri: int, mc: int, joint: int = 0, ind: int = 0, blank: int = 0, null: int = 0) -> UnitTotals:
    total = pan + pri + mc + joint + ind + blank + null
    return UnitTotals(
        id="001",
        nombre="TENABO",
        contendientes=dict(zip(COLUMNS, (pan, pri, mc, joint, ind, blank, null), strict=True)),
        partidos={
            "PAN": pan + joint - joint // 2,
            "PRI": pri + joint // 2,
            "MC": mc,
            "CAND_IND_1": ind,
            "NO_REGISTRADOS": blank,
            "NULOS": null,
        },
        candidaturas={
            "C_PAN_PRI": pan + pri + joint,
            "MC": mc,
            "CAND_IND_1": ind,
            "NO_REGISTRADOS": blank,
            "NULOS": null,
        },
        actas=ActaCounts(10, 8, 7),
        lista_nominal=1000,
        total_votos=total,
        total_votos_sin_especiales=total,
        participacion=trunc4(total, 1000),
        con_cifra=frozenset(COLUMNS),
    )


def view(totals: UnitTotals, people: tuple[Candidatura, ...] = ()) -> Resultados:
    return resultados(totals, Actores(COLUMNS), Catalogo(people, unico_cargo=False), "001")


def person(party: str, members: tuple[str, ...], name: str, unidad: str = "1") -> Candidatura:
    return Candidatura(unidad, party, members, name, "SUPLENTE")


def test_the_coalition_leads_with_its_joint_votes_and_the_gap_is_truncated() -> None:
    shown = view(unit(100, 50, 160, joint=30, blank=3, null=7))
    head = shown.cabeza
    assert head.estado == "encabeza"
    assert head.primero is not None
    assert (head.primero.siglas, head.primero.votos, head.primero.porcentaje) == ("PAN · PRI", 180, "51.4285")
    assert (head.diferencia, head.puntos) == (20, "5.7142")
    assert shown.resumen.total == 350
    assert shown.resumen.acumulados == 340
    assert shown.partidos[0].clave == "MC"  # by party another one is first


def test_an_equal_first_place_is_a_tie_and_nobody_leads_without_votes() -> None:
    tied = view(unit(50, 10, 60)).cabeza
    assert (tied.estado, tied.diferencia, tied.puntos) == ("empate", 0, "0.0000")
    empty = view(unit(0, 0, 0))
    assert empty.cabeza.estado == "sin_votos"
    assert not any(line.encabeza or line.barra for line in empty.candidaturas)
    assert view(unit(0, 0, 0, null=5)).cabeza.estado == "sin_votos"


def test_a_tie_names_all_who_tie_and_a_long_one_says_how_many() -> None:
    """Early in the night three may have the same votes: naming two of them would deny the third its place."""
    two = view(unit(50, 10, 60, ind=20)).cabeza
    three = view(unit(50, 10, 60, ind=60)).cabeza
    assert [line.clave for line in two.empatadas] == ["C_PAN_PRI", "MC"]
    assert [line.clave for line in three.empatadas] == ["C_PAN_PRI", "MC", "CAND_IND_1"]
    names = [frases.quien(line) for line in three.empatadas]
    assert frases.de_persona(two, None) == f"Empate: {names[0]} y {names[1]} tienen 60 votos cada candidatura."
    told = frases.de_persona(three, "5.0000")
    assert told.startswith(f"Empate: {names[0]}, {names[1]} y {names[2]} tienen 60 votos cada candidatura, con 5.0000")
    many = dataclasses.replace(three, empatadas=three.empatadas * 2)
    assert frases.de_persona(many, None) == "Empate: 6 candidaturas tienen 60 votos cada una."
    assert view(unit(50, 10, 61)).cabeza.empatadas == ()


def test_bars_fill_the_leader_and_split_a_coalition_by_own_and_joint_votes() -> None:
    lines = view(unit(100, 50, 90, joint=30)).candidaturas
    leader, second = lines[0], lines[1]
    assert sum(piece.ancho for piece in leader.barra) == ANCHO_BARRA
    assert [piece.color for piece in leader.barra] == ["t-pan", "t-pri", "t-suma"]
    assert [piece.x for piece in leader.barra] == [0, 555, 833]
    assert [piece.ancho for piece in second.barra] == [500]
    assert [piece.ancho for piece in view(unit(100_000, 0, 1)).candidaturas[1].barra] == [1]


def test_names_come_from_the_unit_of_the_catalogue_in_any_padding_and_spelling() -> None:
    people = (
        person("SUM-PAN-PRI", ("PAN", "PRI"), "ANA DE LA PEÑA"),
        person("MC", ("MC",), "Nombre Apellido Apellido"),
        person("CI1", ("CI1",), "LUZ INDEPENDIENTE"),
        person("MC", ("MC",), "DE OTRO DISTRITO", unidad="2"),
    )
    shown = {line.clave: line.nombre for line in view(unit(5, 5, 5, ind=1), people).candidaturas}
    assert shown == {"C_PAN_PRI": "Ana de la Peña", "MC": None, "CAND_IND_1": "Luz Independiente"}


def test_a_line_without_votes_is_shown_only_where_the_catalogue_lists_it() -> None:
    people = (person("C_PAN_PRI", ("PAN", "PRI"), "ANA"), person("MC", ("MC",), "EVA"))
    assert [line.clave for line in view(unit(5, 5, 0), people).candidaturas] == ["C_PAN_PRI", "MC"]
    assert "CAND_IND_1" in [line.clave for line in view(unit(5, 5, 0)).candidaturas]  # nobody says who contends
    assert "CAND_IND_1" in [line.clave for line in view(unit(5, 5, 0, ind=1), people).candidaturas]


def test_one_person_listed_under_each_party_of_the_coalition_is_found() -> None:
    people = (person("PAN", ("PAN",), "ANA"), person("PRI", ("PRI",), "ANA"), person("MC", ("MC",), "EVA"))
    assert view(unit(5, 5, 1), people).candidaturas[0].nombre == "Ana"
    others = (person("PAN", ("PAN",), "ANA"), person("PRI", ("PRI",), "OTRA"))
    assert view(unit(5, 5, 1), others).candidaturas[0].nombre is None
