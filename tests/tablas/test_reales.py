"""On real files: header against rows, the split against the official site, and an independent engine.

``diferencias.csv`` is the golden list: every field of every file whose rows give another figure than its header, and
why (paragraphs of the notes on real data). Any other difference, or one that vanishes, fails.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from pregon.prep.candidaturas import read_candidaturas
from pregon.prep.reader import read_actas
from pregon.prep.summary import read_summary
from pregon.tablas.totales import totals
from tests.prep.reales import CAMPECHE, PUEBLA, QROO
from tests.prep.valores import written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pregon.tablas.model import ContestTotals, SectionTotals, UnitTotals

pytestmark = pytest.mark.datos

GOLDEN = Path(__file__).parent / "diferencias.csv"


@cache
def golden() -> dict[str, dict[str, tuple[str, str]]]:
    found: dict[str, dict[str, tuple[str, str]]] = {}
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            assert line["por_que"].startswith("§")
            found.setdefault(line["archivo"], {})[line["campo"]] = (line["encabezado"], line["renglones"])
    return found


def _headed() -> list[Any]:
    """Every real file. Of the rehearsals, those whose header agrees wait for ``make aguante``: that they do is asked in
    ``test_compuerta.py`` too."""
    agrees = [name for name in PUEBLA if "simulacro" in name and name not in golden()]
    return [
        pytest.param(name, marks=pytest.mark.aguante if name in agrees else ()) for name in (*CAMPECHE, *PUEBLA, QROO)
    ]


@pytest.mark.parametrize("name", _headed())
def test_header_agrees_with_rows_or_a_finding_names_the_known_difference(datos: Path, name: str) -> None:
    table = read_actas(datos / name)
    contest = totals(table)
    differences = {
        field: ("" if (stated := contest.encabezado[field]) is None else str(stated), str(computed))
        for field, computed in contest.recalculado.items()
        if contest.encabezado[field] != computed
    }
    assert differences == golden().get(name, {})
    named = {f.donde for f in contest.hallazgos if f.codigo in ("ENCABEZADO_ORIGEN", "ENCABEZADO_SIN_VALOR")}
    assert named == {f"encabezado.{field}" for field in differences}
    assert not [f for f in contest.hallazgos if f.severidad == "bloquea"]
    _adds_up(contest)
    _rewritten(datos / name, contest, written(table, encabezado=contest.recalculado), changed=bool(differences))


def _rewritten(path: Path, contest: ContestTotals, content: bytes, *, changed: bool) -> None:
    """With the header counted from the rows, only the line of its values changes, and only where it disagreed."""
    real, ours = path.read_bytes().split(b"\n"), content.split(b"\n")
    lines = [i for i, (a, b) in enumerate(zip(real, ours, strict=True)) if a != b]
    assert len(lines) == int(changed)
    for i in lines:
        (names,) = csv.reader([real[i - 1].decode()])
        (values,) = csv.reader([ours[i].decode()])
        assert read_summary(dict(zip(names, values, strict=True)))[0] == contest.recalculado


def _adds_up(contest: ContestTotals) -> None:
    for unit in (contest.entidad, *contest.unidades):
        for votes in (unit.contendientes, unit.partidos, unit.candidaturas):
            assert sum(votes.values()) == unit.total_votos
    assert _summed(contest.unidades) == _summed(contest.secciones) == contest.contendientes
    assert contest.entidad.actas.contabilizadas == sum(u.actas.contabilizadas for u in contest.unidades)
    assert contest.entidad.actas.esperadas == sum(s.actas.esperadas for s in contest.secciones)
    for key, n in contest.candidaturas.items():
        assert n == sum(unit.candidaturas.get(key, 0) for unit in contest.unidades)
    for special in contest.entidad.especiales:
        own = [part for unit in contest.unidades for part in unit.especiales if part.tipo == special.tipo]
        assert special.total_votos == sum(part.total_votos for part in own)
        assert special.actas.esperadas == sum(part.actas.esperadas for part in own)
    assert (contest.entidades, contest.circunscripciones) == ((), ())


def _summed(parts: Iterable[UnitTotals | SectionTotals]) -> dict[str, int]:
    """Votes by column. A section counts its own anew each time that it is asked: once here, not once a column."""
    found: Counter[str] = Counter()
    for part in parts:
        found.update(part.contendientes)
    return dict(found)


def test_golden_list_names_only_files_that_exist_and_nine_simulacros() -> None:
    assert set(golden()) <= {*CAMPECHE, *PUEBLA}
    assert len([name for name in golden() if "simulacro" in name]) == 9
    assert not [name for name in golden() if "noche" in name]


@pytest.fixture(scope="module")
def qroo(datos: Path) -> ContestTotals:
    folder = datos / "quintana-roo-2019"
    return totals(read_actas(datos / QROO), candidaturas=read_candidaturas(folder / "QROO_DIP_CANDIDATURAS_2019.csv"))


def _official(datos: Path, name: str) -> Any:
    return json.loads((datos / "quintana-roo-2019" / "json" / name).read_text(encoding="utf-8"))["json"]


def _joined(votes: dict[str, int]) -> dict[str, int]:
    """Our keys as the site has them: lower case, independents together, coalitions without prefix."""
    found: dict[str, int] = {}
    for key, n in votes.items():
        name = "cand_ind" if key.startswith("CAND_IND") else key.lower().removeprefix("c_")
        found[name] = found.get(name, 0) + n
    return found


def test_split_equals_the_official_site_in_every_district_and_party(datos: Path, qroo: ContestTotals) -> None:
    compared = 0
    for official, unit in zip(_official(datos, "distrito_votos_pp_ci.json"), qroo.unidades, strict=True):
        assert str(official["id_distrto"]) == unit.id
        assert official["distrito"] == unit.nombre
        assert official["total"] == unit.total_votos
        assert (official["esperadas"], official["contabilizadas"]) == (unit.actas.esperadas, unit.actas.contabilizadas)
        for name, n in _joined(dict(unit.partidos)).items():
            assert official[name] == n, (unit.id, name)
            compared += name not in ("no_registrados", "nulos")
    assert compared == 15 * 11
    entity = {row["partido"]: row["votos"] for row in _official(datos, "entidad_pp_ci.json")}
    assert {**_joined(dict(qroo.partidos)), "total": qroo.entidad.total_votos} == entity


def test_split_equals_each_district_page_of_the_official_site(datos: Path, qroo: ContestTotals) -> None:
    """The 180 values of the notes: 12 parties and independents in each of 15 districts."""
    compared = 0
    for unit in qroo.unidades:
        ours = _joined(dict(unit.partidos))
        for row in _official(datos, f"distrito_{unit.id}_pp_ci_desgloce.json"):
            if row["partido"] in ours:
                assert int(row["votos"]) == ours[row["partido"]], (unit.id, row["partido"])
                compared += 1
    assert compared >= 180


def test_candidaturas_equal_the_official_site(datos: Path, qroo: ContestTotals) -> None:
    whole = _joined(dict(qroo.candidaturas))
    rows = {str(row["id_distrito"]): row for row in _official(datos, "distrito_votos_candidatura.json")}
    for unit in qroo.unidades:
        ours = _joined(dict(unit.candidaturas))
        assert {key: ours.get(key, 0) for key in whole} == {key: int(rows[unit.id][key]) for key in whole}
    entity = _official(datos, "entidad.json")[0]
    assert whole == {key: entity[key] for key in whole}


def test_coalitions_are_found_from_the_columns_alone(datos: Path, qroo: ContestTotals) -> None:
    alone = totals(read_actas(datos / QROO))
    assert dict(alone.candidaturas) == dict(qroo.candidaturas)
    assert [dict(unit.candidaturas) for unit in alone.unidades] == [dict(unit.candidaturas) for unit in qroo.unidades]


def test_all_actas_of_quintana_roo_equal_the_official_site(datos: Path, qroo: ContestTotals) -> None:
    table = read_actas(datos / QROO)
    columns = [c for c in table.columnas_voto if not c.startswith("CAND_IND")]
    places = [table.columnas.index(c) for c in columns]
    compared = 0
    for unit in qroo.unidades:
        ours = Counter(
            (int(acta.seccion), *(row[i] for i in places))
            for acta, row in zip(qroo.casillas, table.filas, strict=True)
            if acta.unidad == unit.id
        )
        names = [c.lower().removeprefix("c_") for c in columns]
        # Without acta the database writes 0 and the site says so; every other cell is the same text.
        site = Counter(
            (int(row["id_seccion"]), *("0" if row[name] == "SIN ACTA" else row[name] for name in names))
            for row in _official(datos, f"distrito_{unit.id}_seccion_casilla_acta.json")
        )
        assert ours == site
        compared += ours.total()
    assert compared == 2136


@pytest.mark.parametrize(
    "name",
    [
        "puebla-2024/20240603_2000_noche/PUE_AYUN_2024.csv",
        "campeche-2021/20210607_2000_PREP_GOB_CAMP/CAMP_GOB_2021.csv",
    ],
)
def test_polars_computes_the_same_totals_by_itself(datos: Path, name: str) -> None:
    contest = totals(read_actas(datos / name))
    text = (datos / name).read_text(encoding="utf-8-sig")
    frame = pl.read_csv(
        io.StringIO(text[text.index("CLAVE_CASILLA") :]), infer_schema=False, truncate_ragged_lines=False
    )
    columns = frame.columns
    votes = columns[columns.index("TOTAL_VOTOS_SACADOS") + 1 : columns.index("NULOS") + 1]
    unit = "ID_MUNICIPIO" if "ID_MUNICIPIO" in columns else "ID_DISTRITO_LOCAL"
    counted = frame.filter(pl.col("CONTABILIZADA") == "1").with_columns(
        pl.col(*votes, "LISTA_NOMINAL").cast(pl.Int64, strict=False).fill_null(0),
        pl.col(unit).str.strip_chars("'"),
    )
    assert counted.select(votes).sum().row(0) == tuple(contest.contendientes.values())
    assert counted["LISTA_NOMINAL"].sum() == contest.entidad.lista_nominal
    by_unit = counted.group_by(unit).agg(pl.col(*votes).sum()).rows_by_key(unit)
    for totals_of_unit in contest.unidades:
        key = "N/A" if totals_of_unit.id.startswith("sin-") else totals_of_unit.id
        expected = by_unit[key][0] if key in by_unit else (0,) * len(votes)
        assert tuple(totals_of_unit.contendientes.values()) == expected


def test_vote_from_abroad_is_a_unit_with_a_safe_id(datos: Path) -> None:
    contest = totals(read_actas(datos / "puebla-2024/20240603_2000_noche/PUE_GUB_2024.csv"))
    abroad = contest.unidades[-1]
    assert (abroad.id, abroad.nombre) == ("sin-distrito", "Voto en el extranjero")
    assert abroad.total_votos == 9967
    assert contest.regla_participacion == "con_especiales"
    assert list(contest.candidaturas) == [
        "C_PAN_PRI_PRD_PSI",
        "C_PT_PVEM_MORENA_NAP_FXMP",
        "MC",
        "NO_REGISTRADAS",
        "NULOS",
    ]


def test_catalogue_of_puebla_joins_the_coalitions_of_each_municipality(datos: Path) -> None:
    path = datos / "puebla-2024/20240603_2000_noche/PUE_AYUN_2024.csv"
    catalogue = read_candidaturas(datos / "puebla-2024/candidaturas/PUE_AYUN_Candidaturas_2024.csv")
    contest = totals(read_actas(path), candidaturas=catalogue)
    unit = next(u for u in contest.unidades if u.id == "050")
    assert [k for k, n in unit.candidaturas.items() if n] == [
        "C_PAN_PRI_PRD",
        "C_PT_NAP",
        "PVEM",
        "MC",
        "PSI",
        "MORENA",
        "NULOS",
    ]
    assert sum(unit.candidaturas.values()) == unit.total_votos
