"""Who is ahead in each sección, against the same question asked acta by acta."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from pregon.prep.candidaturas import Candidatura, catalogue_beside, read_candidaturas
from pregon.prep.model import Estado
from pregon.prep.percent import trunc4
from pregon.prep.reader import read_actas
from pregon.prep.rows import actas
from pregon.tablas.delante import EMPATE, SIN_ACTAS, SIN_VOTOS, ahead, who_contends
from pregon.tablas.fichas import understand
from pregon.tablas.totales import totals
from tests.prep.muestras import VOTES, row
from tests.tablas import tablitas

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.prep.model import ActaTable
    from pregon.tablas.fichas import Entendidas
    from pregon.tablas.model import ContestTotals

REAL = (
    ("puebla-2024/20240603_2000_noche/PUE_AYUN_2024.csv", True),
    ("campeche-2021/20210606_2340_PREP_DIP_LOC_CAMP/CAMP_DIP_LOC_2021.csv", False),
)
NONE = dict.fromkeys((*VOTES, "TOTAL_VOTOS_CALCULADO"), "0")


def leaders(
    table: ActaTable, counted: ContestTotals, seen: Entendidas | None = None
) -> dict[tuple[str, str], tuple[int, str, str]]:
    """Votes, key and participation of whoever the engine says is ahead, by unit and sección."""
    seen = seen or understand(table)
    who = {unit.id: who_contends(unit, table.columns.contendientes) for unit in counted.unidades}
    reasons = {EMPATE: "empate", SIN_VOTOS: "sin votos", SIN_ACTAS: "sin actas"}
    return {
        (unit, section): (most, reasons.get(place) or who[unit].claves[place], turnout)
        for (unit, section, _), (most, place, turnout) in zip(seen.secciones, ahead(seen.secciones, who), strict=True)
    }


def one_by_one(table: ActaTable, counted: ContestTotals) -> dict[tuple[str, str], tuple[int, str, str]]:
    """The same from each acta, and from the candidaturas of the totals of its unit."""
    units = {unit.id: unit for unit in counted.unidades}
    apart = {c.columna for c in table.columns.contendientes if c.clase in ("no_registradas", "nulos")}
    votes: dict[tuple[str, str], dict[str, int]] = {}
    sums: dict[tuple[str, str], list[int]] = {}
    for acta in actas(table):
        if acta.estado is Estado.FUERA_CATALOGO:
            continue
        place = acta.unidad, acta.seccion
        found, of = votes.setdefault(place, {}), sums.setdefault(place, [0, 0, 0])
        if acta.estado is not Estado.CONTABILIZADA:
            continue
        of[0] += 1
        of[1] += acta.lista_nominal if isinstance(acta.lista_nominal, int) else 0
        for column, cell in acta.contendientes.items():
            if isinstance(cell, int):
                of[2] += cell
                if column not in apart:
                    key = units[acta.unidad].suma_a[column]
                    found[key] = found.get(key, 0) + cell
    told: dict[tuple[str, str], tuple[int, str, str]] = {}
    for place, found in votes.items():
        counted_actas, lista, total = sums[place]
        most = max(found.values(), default=0)
        first = [key for key, n in found.items() if n == most]
        who = first[0] if len(first) == 1 else "empate"
        if not most:
            who = "sin votos" if counted_actas else "sin actas"
        told[place] = most, who, trunc4(total, lista)
    return told


def counted(
    table: ActaTable, candidaturas: Sequence[Candidatura] = (), seen: Entendidas | None = None
) -> ContestTotals:
    return totals(table, candidaturas=candidaturas, detalle=False, entendidas=seen)


@pytest.mark.datos
@pytest.mark.parametrize(("name", "varies"), REAL)
def test_real_sections_are_led_by_whom_their_actas_say(datos: Path, name: str, *, varies: bool) -> None:
    table = read_actas(datos / name)
    catalogue = catalogue_beside(datos / name)
    found = counted(table, () if catalogue is None else read_candidaturas(catalogue))
    shown = leaders(table, found)
    assert shown == one_by_one(table, found)
    assert (len({frozenset(unit.suma_a.items()) for unit in found.unidades}) > 1) is varies  # coalitions by unit


def test_candidaturas_of_a_unit_are_those_of_its_totals(tmp_path: Path) -> None:
    rows = [row(n, ID_DISTRITO_LOCAL=f"00{n}", DISTRITO_LOCAL=f"D{n}") for n in (1, 2)]
    table = read_actas(tablitas.write(tmp_path / "a.csv", rows))
    alone = [Candidatura("2", name, (name,), "Ana", "") for name in ("PAN", "PRI", "PRD", "MC")]
    joined = [Candidatura("1", "C_PAN_PRI_PRD", ("PAN", "PRI", "PRD"), "Eva", "")]
    found = counted(table, [*alone, *joined])
    # 40 + 30 + 10 + 3 + 2 together; alone, PAN has 40 and the combinations that do not contest there keep theirs.
    assert leaders(table, found) == {
        ("001", "0001"): (85, "C_PAN_PRI_PRD", "25.0000"),
        ("002", "0002"): (40, "PAN", "25.0000"),
    }
    for unit in found.unidades:
        keys = set(who_contends(unit, table.columns.contendientes).claves)
        assert {key for key, votes in unit.candidaturas.items() if votes} - {"NO_REGISTRADOS", "NULOS"} <= keys


def test_ties_and_sections_without_votes_or_without_actas_name_nobody(tmp_path: Path) -> None:
    pending = {**dict.fromkeys((*VOTES, "TOTAL_VOTOS_CALCULADO", "SHA"), ""), "CONTABILIZADA": ""}
    rows = [
        row(1, **{**NONE, "PAN": "7", "MC": "7"}),
        row(2, **{**NONE, "NULOS": "9", "NO_REGISTRADOS": "3"}),
        row(3, **pending),
        row(4, **{**NONE, "MC": "7", "PAN": "6", "C_PAN_PRI": "0"}),
        row(5, **{**NONE, "CAND_IND_1": "1", "LISTA_NOMINAL": "0"}),
    ]
    table = read_actas(tablitas.write(tmp_path / "a.csv", rows))
    assert leaders(table, counted(table)) == {
        ("001", "0001"): (7, "empate", "3.5000"),
        ("001", "0002"): (0, "sin votos", "3.0000"),
        ("001", "0003"): (0, "sin actas", "0.0000"),
        ("001", "0004"): (7, "MC", "3.2500"),
        ("001", "0005"): (1, "CAND_IND_1", "0.0000"),
    }
    assert ahead([], {}) == []


FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CUALQUIERA = given(tablitas.rows(quoted=False))


@FEW
@CUALQUIERA
def test_odd_files_are_led_by_whom_their_actas_say(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    _led(tmp_path, rows)


@pytest.mark.aguante
@settings(FEW, max_examples=100)
@CUALQUIERA
def test_many_odd_files_are_led_by_whom_their_actas_say(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    _led(tmp_path, rows)


def _led(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    table = read_actas(tablitas.write(tmp_path / "a.csv", rows))
    seen = understand(table)
    found = counted(table, seen=seen)  # that they are the same without it, ``test_fichas`` asks of tables as odd
    assert leaders(table, found, seen) == one_by_one(table, found)
