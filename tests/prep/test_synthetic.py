"""Made-up elections: headers that agree with their rows, actas that stay, bytes that repeat, the shape of a night."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pregon.prep.candidaturas import catalogue_beside, read_candidaturas
from pregon.prep.estilos import ESTILOS
from pregon.prep.model import Estado
from pregon.prep.reader import read_actas
from pregon.prep.rows import actas
from pregon.prep.synthetic.catalogo import ENTIDADES, catalogue, national_units
from pregon.prep.synthetic.eleccion import SyntheticElection, election
from pregon.prep.synthetic.llegadas import arrivals
from pregon.tablas.totales import totals

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.prep.model import Acta
    from pregon.tablas.model import ContestTotals

ZONE = timezone(timedelta(hours=-6))
CODES = ("GUB", "DIP", "AYU", "ALC", "JUNTAS", "PRES", "SEN", "DIP_FED")
FEDERAL = ("PRES", "SEN", "DIP_FED")


def hours(count: int) -> tuple[datetime, ...]:
    return tuple(datetime(2027, 6, 6, 20, tzinfo=ZONE) + timedelta(minutes=20 * i) for i in range(count))


def make(
    code: str, *, casillas: int = 200, unidades: int = 5, cuts: int = 6, style: str | None = None, seed: int = 7
) -> SyntheticElection:
    return election(
        code,
        casillas=casillas,
        unidades=unidades,
        cortes=hours(cuts),
        semilla=seed,
        entidad=(12, "GUERRERO"),
        estilo=None if style is None else ESTILOS[style],
        correcciones=True,
    )


def compute(made: SyntheticElection, i: int, folder: Path) -> ContestTotals:
    path = folder / f"{made.file_stem}.csv"
    path.write_bytes(made.actas_csv(i))
    (folder / f"{made.file_stem.replace('_2027', '')}_CANDIDATURAS_2027.csv").write_bytes(made.candidaturas_csv())
    catalogue_path = catalogue_beside(path)
    assert catalogue_path is not None
    return totals(read_actas(path), candidaturas=read_candidaturas(catalogue_path))


def read(made: SyntheticElection, i: int, folder: Path) -> list[Acta]:
    path = folder / "A.csv"
    path.write_bytes(made.actas_csv(i))
    return list(actas(read_actas(path)))


FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CUALQUIERA = given(
    case=st.fixed_dictionaries(
        {
            "code": st.sampled_from(CODES),
            "style": st.sampled_from([None, *ESTILOS]),
            "casillas": st.integers(3, 160),
            "unidades": st.integers(1, 3),
            "cuts": st.integers(1, 6),
            "seed": st.integers(0, 10_000),
        }
    ),
    data=st.data(),
)


@FEW
@CUALQUIERA
def test_header_agrees_with_rows_at_any_cut_in_any_dialect(
    tmp_path: Path, case: dict[str, Any], data: st.DataObject
) -> None:
    _agrees(tmp_path, data, **case)


@pytest.mark.aguante
@settings(FEW, max_examples=120)
@CUALQUIERA
def test_header_agrees_with_rows_in_many_nights(tmp_path: Path, case: dict[str, Any], data: st.DataObject) -> None:
    _agrees(tmp_path, data, **case)


def _agrees(
    tmp_path: Path,
    data: st.DataObject,
    *,
    code: str,
    style: str | None,
    casillas: int,
    unidades: int,
    cuts: int,
    seed: int,
) -> None:
    made = make(code, casillas=casillas, unidades=unidades, cuts=cuts, style=style, seed=seed)
    i = data.draw(st.integers(0, cuts - 1))
    contest = compute(made, i, tmp_path)
    assert dict(contest.encabezado) == dict(contest.recalculado)
    assert not [f for f in contest.hallazgos if f.severidad == "bloquea" or f.codigo.startswith("ENCABEZADO")]
    assert contest.encabezado["ACTAS_ESPERADAS"] == casillas
    assert len(contest.unidades) == unidades
    assert contest.hora_corte == made.cortes[i]
    if cuts > 1 and i == 0:
        assert contest.encabezado["ACTAS_REGISTRADAS"] == 0


@pytest.mark.parametrize("style", [None, *ESTILOS])
def test_whole_night_of_a_dialect_has_no_finding_but_information(style: str | None, tmp_path: Path) -> None:
    made = make("AYU", casillas=400, unidades=15, cuts=3, style=style)
    for i in range(3):
        contest = compute(made, i, tmp_path)
        assert [f for f in contest.hallazgos if f.severidad != "informa"] == []
        if i:
            assert contest.regla_participacion == ("con_especiales" if i == 2 else "sin_especiales")
            assert contest.encabezado["TOTAL_VOTOS_C_CS"] != contest.encabezado["TOTAL_VOTOS_S_CS"]


@pytest.mark.parametrize("code", ["PRES", "SEN", "DIP_FED"])
def test_national_election_has_every_entidad_and_numbers_districts_in_each(code: str, tmp_path: Path) -> None:
    made = election(
        code,
        casillas=900,
        unidades=300,
        cortes=hours(3),
        semilla=7,
        entidad=None,
        estilo=ESTILOS["federal-2024"],
        correcciones=True,
    )
    contest = compute(made, 2, tmp_path)
    table = read_actas(tmp_path / f"{made.file_stem}.csv")
    assert table.entidades == tuple(f"{number:02d}" for number, _, _ in ENTIDADES)
    assert len(contest.unidades) == 300
    assert [f for f in contest.hallazgos if f.severidad != "informa"] == []
    districts = Counter(unit.id.split("-")[0] for unit in contest.unidades)
    assert districts == {f"{number:02d}": n for number, _, n in ENTIDADES}
    assert len({(acta.clave_acta) for acta in actas(table) if acta.clave_acta}) == 900


def test_districts_are_shared_among_entidades_whatever_their_number() -> None:
    for count in (32, 33, 77, 299, 300, 301, 500):
        units = national_units(count, 1)
        assert len(units) == len(set(units)) == count
        assert len({unit.entidad for unit in units}) == 32
    with pytest.raises(ValueError, match="entidad"):
        national_units(31, 1)
    with pytest.raises(ValueError, match="entidad"):
        election("GUB", casillas=40, unidades=32, cortes=hours(2), semilla=1, entidad=None)


@pytest.mark.parametrize("code", ["GUB", "DIP", "AYU"])
def test_counted_acta_stays_counted_and_few_are_corrected(code: str, tmp_path: Path) -> None:
    made = make(code, casillas=3_000, unidades=20, cuts=8)
    before: dict[str, Acta] = {}
    order: list[str] = []
    kinds: Counter[str] = Counter()
    for i in range(8):
        found = read(made, i, tmp_path)
        keys = [acta.clave_acta or acta.sha for acta in found]
        assert keys[: len(order)] == order  # rows stay where they were; those fuera de catálogo are added at the end
        assert all(acta.estado is Estado.FUERA_CATALOGO for acta in found[3_000:])
        order = keys
        for key, acta in zip(keys, found, strict=True):
            old = before.get(key)
            if old is not None and old.estado is not Estado.PENDIENTE:
                assert acta.estado is old.estado
                if acta.votos != old.votos:
                    changed = [(a, b) for a, b in zip(old.votos, acta.votos, strict=True) if a != b]
                    assert len(changed) == 1
                    kinds["guion" if changed[0][1] == "no_contiende" else "cifra"] += 1
                    assert acta.observaciones.strip(" -") == ""
        before = dict(zip(keys, found, strict=True))
    assert 2 <= kinds.total() <= 30
    assert (kinds["guion"] > 0) is (code != "GUB")


def test_going_back_to_a_cut_gives_its_bytes_again() -> None:
    made = make("DIP")
    first = [made.actas_csv(i) for i in range(6)]
    assert [made.actas_csv(i) for i in (3, 0, 5, 5, 1)] == [first[i] for i in (3, 0, 5, 5, 1)]
    assert make("DIP").actas_csv(4) == first[4]
    assert make("DIP", seed=8).actas_csv(4) != first[4]
    with pytest.raises(IndexError):
        made.actas_csv(6)


def test_one_dialect_says_the_same_as_another(tmp_path: Path) -> None:
    plain, other = (compute(make("DIP", style=style), 4, tmp_path) for style in (None, "qroo-2019"))
    assert dict(plain.encabezado) == dict(other.encabezado)
    # By position: a dialect has its own name for NO_REGISTRADAS.
    assert [(u.id, *u.contendientes.values()) for u in plain.unidades] == [
        (u.id, *u.contendientes.values()) for u in other.unidades
    ]


def test_night_follows_the_curve_of_2018_and_surges_at_the_end(tmp_path: Path) -> None:
    made = make("GUB", casillas=6_000, unidades=20, cuts=73)
    shares = {}
    for i in (0, 6, 24, 48, 66, 72):
        states = Counter(acta.estado for acta in read(made, i, tmp_path))
        shares[i] = (states[Estado.CONTABILIZADA] / 6_000, states[Estado.NO_CONTABILIZADA] / 6_000)
    counted = [share for share, _ in shares.values()]
    assert counted[0] == 0
    assert counted[1] == pytest.approx(0.013, abs=0.01)  # national 2018 at 22:00: 1.1 %
    assert counted[2] == pytest.approx(0.40, abs=0.05)
    assert counted[3] == pytest.approx(0.73, abs=0.04)
    assert counted[5] == pytest.approx(0.885, abs=0.02)
    assert shares[72][1] - shares[66][1] > 0.5 * (shares[66][1] - shares[24][1])  # two hours against fourteen
    final = read(made, 72, tmp_path)
    notes = Counter(acta.observaciones for acta in final)
    assert notes["ALGUN CAMPO ILEGIBLE O SIN DATO"] / 6_000 == pytest.approx(0.16, abs=0.02)
    assert notes["TODOS ILEGIBLES O SIN DATO"] / 6_000 == pytest.approx(0.03, abs=0.01)
    assert 5 <= notes["EXCEDE LISTA NOMINAL"] <= 60
    assert notes["FUERA DE CATALOGO"] == 11
    assert sum(n for note, n in notes.items() if note.startswith("SIN ACTA")) / 6_000 == pytest.approx(0.051, abs=0.01)
    pending = sum(acta.estado is Estado.PENDIENTE for acta in final)
    assert pending / 6_000 == pytest.approx(0.03, abs=0.01)
    special = [acta for acta in final if acta.especial]
    assert 0.004 < len(special) / 6_000 < 0.016
    assert {acta.lista_nominal for acta in special} == {0}


def _together(cuts: Sequence[int], pairs: list[tuple[int, int]]) -> float:
    return sum(cuts[a] == cuts[b] for a, b in pairs) / len(pairs)


def test_casillas_of_one_place_arrive_together_in_every_election() -> None:
    units = national_units(300, 7)
    places = catalogue(20_000, units, 7)
    night = arrivals(places, 73, semilla=7, eleccion="PRES", corregir=True)
    sections: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, casilla in enumerate(places):
        sections[casilla.unidad, casilla.seccion].append(place)
    same = [pair for found in sections.values() for pair in itertools.combinations(found, 2)]
    far = [(a, (a * 7_919 + 13) % 20_000) for a in range(20_000)]
    # Puebla 2024: 34 % of the pairs of one sección within 20 minutes, 4 % of those of anywhere.
    assert 0.2 < _together(night.corte, same) < 0.4
    assert _together(night.corte, far) < 0.06
    other = arrivals(places, 73, semilla=7, eleccion="SEN", corregir=True)
    assert _together([*night.corte, *other.corte], [(a, 20_000 + a) for a in range(20_000)]) > 0.2
    assert 20 < len(night.correcciones) < 120


def test_dates_of_an_acta_come_before_its_cut(tmp_path: Path) -> None:
    made = make("PRES", cuts=5)
    seen: set[str] = set()
    for i in range(5):
        for acta in read(made, i, tmp_path):
            if acta.clave_acta in seen or len(acta.sha) != 64 or acta.estado is Estado.FUERA_CATALOGO:
                continue
            seen.add(acta.clave_acta)
            moments = [datetime.strptime(text, "%d/%m/%Y %H:%M:%S").replace(tzinfo=ZONE) for text in acta.fechas]
            assert moments == sorted(moments)
            assert hours(5)[i - 1] < moments[2] < hours(5)[i]
    assert len(seen) > 150


def test_naive_hours_and_more_units_than_casillas_are_refused() -> None:
    with pytest.raises(ValueError, match="cuts"):
        election("GUB", casillas=9, unidades=1, cortes=(), semilla=1, entidad=(12, "X"))
    with pytest.raises(ValueError, match="units"):
        election("GUB", casillas=2, unidades=3, cortes=(datetime.now(UTC),), semilla=1, entidad=(12, "X"))
    with pytest.raises(ValueError, match="election"):
        election("XXX", casillas=2, unidades=1, cortes=(datetime.now(UTC),), semilla=1, entidad=(12, "X"))
