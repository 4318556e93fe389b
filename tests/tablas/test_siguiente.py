"""A table understood from the one before it says exactly what it says when it is understood whole."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pregon.prep.plain import Body, PlainRows
from pregon.prep.reader import read_actas
from pregon.tablas.fichas import Entendidas, understand
from pregon.tablas.siguiente import MAX_NEW, Correspondencia, match, match_rows, understand_next
from tests.prep.muestras import row
from tests.tablas import tablitas

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.prep.model import ActaTable

Row: TypeAlias = dict[str, str]
PAIRS = (
    ("puebla-2024/20240603_1800_noche/PUE_GUB_2024.csv", "puebla-2024/20240603_2000_noche/PUE_GUB_2024.csv"),
    ("puebla-2024/20240526_1740_simulacro/PUE_AYUN_2024.csv", "puebla-2024/20240526_1800_simulacro/PUE_AYUN_2024.csv"),
    *(
        tuple(f"campeche-2021/{cut}_PREP_{name}_CAMP/CAMP_{name}_2021.csv" for cut in cuts)
        for name, cuts in (
            ("GOB", ("20210606_2320", "20210606_2340")),
            ("JUNTAS", ("20210606_2320", "20210606_2340")),
            ("AYUN", ("20210607_1440", "20210607_2000")),
            ("DIP_LOC", ("20210606_2340", "20210607_1320")),
        )
    ),
)


def differing(seen: Entendidas, whole: Entendidas) -> list[str]:
    """The fields that differ; of the texts of actas, only those that were made are compared."""
    names = [field.name for field in dataclasses.fields(Entendidas) if field.name not in ("textos", "tocadas")]
    found = [name for name in names if getattr(seen, name) != getattr(whole, name)]
    return found + [f"texto {place}" for place, text in seen.textos.items() if whole.textos[place] != text]


def assert_follows(table: ActaTable, lines: Sequence[str] | None, before: Entendidas) -> Entendidas | None:
    """``table`` from the lines before it, which is what it is by itself; None where it was not tried."""
    if lines is None or table.crudas is None or (found := match(table.crudas, lines)) is None:
        return None
    seen = understand_next(table, [lines[place] for place in found.idas], before, found)
    assert differing(seen, understand(table, fichas=True)) == []
    now, then = Counter(table.crudas), Counter(lines)
    assert Counter(table.crudas[place] for place in found.nuevas) == now - then
    assert Counter(lines[place] for place in found.idas) == then - now
    kept = [(place, old) for place, old in enumerate(found.antes) if old is not None]
    assert all(table.crudas[place] == lines[old] for place, old in kept)
    assert len({old for _, old in kept}) == len(kept)
    assert not found.fijas or all(place == old for place, old in kept)
    assert match([line.encode() for line in table.crudas], [line.encode() for line in lines]) == found
    assert_paired_as_bytes(table.crudas, lines, found)
    assert sorted({*found.nuevas, *(place for place, _ in kept)}) == list(range(len(table.crudas)))
    assert set(seen.textos) >= set(found.nuevas)
    return seen


def assert_paired_as_bytes(lines: Sequence[str], before: Sequence[str], found: Correspondencia) -> None:
    """``match_rows`` of both, with any line end and with or without the last one, gives ``found``; it keeps the rows
    that changed and gives them again."""
    for end, ended in (("\n", True), ("\r\n", True), ("\r", False), ("\n", False)):
        rows, old = (plain(some, end=end, ended=ended) for some in (lines, before))
        assert match_rows(rows, old) == found
        assert rows.body is not None
        assert [*rows.at(found.nuevas).lineas] == [lines[place] for place in found.nuevas]
        assert [*old.at(found.idas).lineas] == [before[place] for place in found.idas]
        assert rows.at(range(len(lines))).lineas == tuple(lines)


def plain(lines: Sequence[str], *, end: str, ended: bool) -> PlainRows:
    """The lines as they are in a file."""
    data = (end.join(lines) + end * (ended and bool(lines))).encode()
    return PlainRows(Body(data, "utf-8", end, len(lines), max(1, len(data)), (0,)), ",")


def table_of(path: Path, rows: Sequence[Row]) -> ActaTable:
    return read_actas(tablitas.write(path, list(rows)))


@st.composite
def nights(draw: st.DrawFn) -> list[list[Row]]:
    """A few cuts of one file: lines come, go, change, move and repeat, and at times the whole file is another."""

    def fresh(least: int = 0) -> list[Row]:
        made = draw(tablitas.rows(quoted=False, most=10).filter(lambda rows: len(rows) >= least))
        return [tablitas.Fila(values, UBICACION_CASILLA=f"c{draw(st.integers(0, 10**9))}") for values in made]

    rows = fresh(2)
    cuts = [list(rows)]
    for _ in range(draw(st.integers(1, 3))):
        for what in draw(
            st.lists(st.sampled_from(["cambia", "entra", "sale", "mueve", "voltea", "repite"]), max_size=4)
        ):
            place = draw(st.integers(0, max(0, len(rows) - 1)))
            if what == "entra":
                rows[place:place] = fresh()[:3]
            elif what == "voltea":
                rows.reverse()
            elif rows and what == "cambia":
                rows[place] = tablitas.Fila(rows[place], **draw(tablitas.cells(quoted=False)))
            elif rows and what == "sale":
                rows.pop(place)
            elif rows and what == "mueve":
                rows.append(rows.pop(place))
            elif rows and draw(st.integers(0, 3)) == 0:
                rows.append(rows[place])
        if draw(st.integers(0, 9)) == 0:
            rows = fresh()
        cuts.append(list(rows))
    return cuts


@settings(
    max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@given(cuts=nights())
def test_any_night_is_understood_cut_after_cut_as_each_cut_by_itself(tmp_path: Path, cuts: list[list[Row]]) -> None:
    first = table_of(tmp_path / "A.csv", cuts[0])
    seen, lines = understand(first, fichas=True), first.crudas
    for rows in cuts[1:]:
        table = table_of(tmp_path / "A.csv", rows)
        if table.varias_entidades is not first.varias_entidades:  # who calls compares only tables of one form
            return
        seen, lines = assert_follows(table, lines, seen) or understand(table, fichas=True), table.crudas


def base(count: int = 12) -> list[Row]:
    return [
        row(n, SECCION=f"{n:04d}", ID_DISTRITO_LOCAL=f"{1 + n % 3:03d}", PAN=str(n), TOTAL_VOTOS_CALCULADO=str(n + 60))
        for n in range(1, count + 1)
    ]


def followed(tmp_path: Path, before: Sequence[Row], after: Sequence[Row]) -> Entendidas | None:
    first = table_of(tmp_path / "antes.csv", before)
    return assert_follows(table_of(tmp_path / "despues.csv", after), first.crudas, understand(first, fichas=True))


def test_one_seccion_leaves_while_another_comes(tmp_path: Path) -> None:
    rows = base()
    after = [{**rows[0], "SECCION": "0005", "ID_DISTRITO_LOCAL": "003"}, *rows[1:]]
    seen = followed(tmp_path, rows, after)
    assert seen is not None
    assert list(seen.secciones) == sorted(seen.secciones)


def test_whole_unit_and_kind_leave_and_come_back(tmp_path: Path) -> None:
    rows = base()
    more = [
        *rows,
        row(50, ID_DISTRITO_LOCAL="009", TIPO_CASILLA="M"),
        row(51, ID_DISTRITO_LOCAL="N/A", TIPO_CASILLA="A"),
    ]
    for before, after in ((rows, more), (more, rows)):
        seen = followed(tmp_path, before, after)
        assert seen is not None
        assert ("009" in seen.primeras) is (after is more)


def test_acta_out_of_the_catalogue_alone_in_its_seccion_comes_and_goes(tmp_path: Path) -> None:
    rows = base()
    more = [*rows, row(70, SECCION="0070", CONTABILIZADA="2")]
    for before, after in ((rows, more), (more, rows)):
        assert followed(tmp_path, before, after) is not None


def test_keys_and_images_that_repeat_by_what_came_and_no_more_by_what_left(tmp_path: Path) -> None:
    rows = base()
    twice = [*rows[:-1], {**rows[-1], "CLAVE_ACTA": rows[0]["CLAVE_ACTA"], "SHA": rows[3]["SHA"]}]
    seen = followed(tmp_path, rows, twice)
    assert seen is not None
    assert [n for _, n in (*seen.repetidas.claves, *seen.repetidas.shas)] == [2, 2]
    back = followed(tmp_path, twice, rows)
    assert back is not None
    assert (back.repetidas.claves, back.repetidas.shas) == ((), ())


def test_faults_follow_their_line_wherever_it_goes(tmp_path: Path) -> None:
    rows = base()
    rows[4]["TOTAL_VOTOS_CALCULADO"] = "1"
    after = [{**rows[0], "SHA": "x"}, *rows[:0:-1]]
    seen = followed(tmp_path, rows, after)
    assert seen is not None
    assert sorted(seen.faltas) == [0, after.index(rows[4])]


def test_same_table_needs_nothing_made_again(tmp_path: Path) -> None:
    seen = followed(tmp_path, base(), base())
    assert seen is not None
    assert seen.textos == {}


def test_lines_that_repeat_are_paired_as_many_as_there_are(tmp_path: Path) -> None:
    rows = base()
    for before, after in (
        ([*rows, rows[0]], rows),
        (rows, [*rows, rows[0], rows[0]]),
        ([*rows, rows[0], rows[0]], [rows[0], *rows[::-1]]),
        ([*rows, rows[0], rows[3]], [*rows[1:], row(60), row(61)]),
    ):
        assert followed(tmp_path, before, after) is not None


def test_what_cannot_be_followed_is_not(tmp_path: Path) -> None:
    rows = base()
    new = int(MAX_NEW * len(rows)) + 1
    assert (
        followed(tmp_path, rows, [{**one, "SHA": f"{n + 99:064x}"} for n, one in enumerate(rows[:new])] + rows[new:])
        is None
    )
    quoted = [*rows[1:], {**rows[0], "OBSERVACIONES": 'con "comillas"'}]
    assert followed(tmp_path, rows, quoted) is None


@pytest.mark.datos
@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_real_pair_is_understood_as_the_whole(datos: Path, before: str, after: str) -> None:
    first, second = read_actas(datos / before), read_actas(datos / after)
    assert first.crudas is not None
    seen = assert_follows(second, first.crudas, understand(first, fichas=True))
    assert second.crudas is not None
    assert (seen is not None) is (
        (Counter(second.crudas) - Counter(first.crudas)).total() <= MAX_NEW * len(second.crudas)
    )


def test_size_of_what_is_new_decides_and_not_what_left(tmp_path: Path) -> None:
    rows = base(20)
    assert followed(tmp_path, rows, rows[:4]) is not None


def test_lines_that_stay_in_their_place_are_told_apart() -> None:
    rows = [f"línea {n}" for n in range(12)]
    same = match(rows, rows)
    changed = match([*rows[:4], "otra", *rows[5:]], rows)
    moved = match([*rows[1:], rows[0]], rows)
    longer = match([*rows, "otra"], rows)
    assert same is not None
    assert changed is not None
    assert moved is not None
    assert longer is not None
    assert (same.fijas, same.nuevas, same.idas) == (True, [], [])
    assert (changed.fijas, changed.nuevas, changed.idas, changed.antes[4]) == (True, [4], [4], None)
    assert (moved.fijas, moved.nuevas, moved.idas) == (False, [], [])
    assert (longer.fijas, longer.nuevas, longer.idas, len(longer.antes)) == (True, [12], [], 13)
