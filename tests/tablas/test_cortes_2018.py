"""The 98 national cuts of 2018: every percentage by truncation, and turnout by the rule of each cut's own flag."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from pregon.prep.percent import parse_percent, trunc4
from pregon.tablas.encabezado import participation_rule, recompute

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.datos

CUTS = 98
PER_CUT = 13 + 7  # parties after the split, and candidaturas


@pytest.fixture(scope="module")
def cuts(datos: Path) -> list[dict[str, Any]]:
    """Every cut in order; percentages as the text that the site published."""
    files = sorted((datos / "ine-2018-presidencia").glob("*_PREP.json"))
    return [json.loads(path.read_text(encoding="utf-8"), parse_float=str) for path in files]


def test_every_percentage_of_votes_is_truncated(cuts: list[dict[str, Any]]) -> None:
    compared, rounded = 0, 0
    for cut in cuts:
        total = cut["totalVotos"]
        for name in ("votacionPartidosConDistribucion", "votosCandidatoPartidoCoalicion"):
            assert sum(row["total"] for row in cut[name]) == total
            for row in cut[name]:
                published = parse_percent(str(row["porcentaje"]))
                assert published == trunc4(row["total"], total), (cut["archivoCorte"], row["siglasPartido"])
                compared += 1
                nearest = round(Fraction(100 * row["total"], total) * 10_000) if total else 0
                rounded += Fraction(published or 0) == Fraction(nearest, 10_000)
    assert (len(cuts), compared) == (CUTS, CUTS * PER_CUT)
    assert rounded == 978  # rounding would reproduce half of the 1,960 by chance


def test_percentages_of_actas_are_over_those_expected(cuts: list[dict[str, Any]]) -> None:
    for cut in cuts:
        for name in ("actasCapturadas", "actasContabilizadas", "actasContabilizadasMR"):
            published = parse_percent(str(cut[name]["porcentaje"]))
            assert published == trunc4(cut[name]["total"], cut["totalActas"]), (cut["archivoCorte"], name)
        share = parse_percent(str(cut["participacionActasContabilizadas"]))
        assert share == trunc4(cut["listaNominal"], cut["listaNominalOficial"])
        places = cut["entidadesContadas"]
        assert parse_percent(str(places["porcentaje"])) == trunc4(places["total"], cut["numeroEntidades"])
        assert cut["actasContabilizadas"]["total"] == cut["totalActasUrbanas"] + cut["totalActasRurales"]


def test_turnout_of_each_cut_follows_its_own_flag(cuts: list[dict[str, Any]]) -> None:
    """Sin especiales in 97 cuts and con especiales in the last: ``corteEspeciales`` says which, and so do we."""
    seen: list[str] = []
    for cut in cuts:
        published = parse_percent(str(cut["porcentajeParticipacionCiudadana"]))
        header: dict[str, int | str | None] = {
            "LISTA_NOMINAL_ACTAS_CONTABILIZADAS": cut["listaNominal"],
            "TOTAL_VOTOS_C_CS": cut["totalVotos"],
            "TOTAL_VOTOS_S_CS": cut["totalVotosBasicasMR"],
            "PORCENTAJE_PARTICIPACION_CIUDADANA": published,
        }
        rows = _rows(cut)
        rule = participation_rule(header, rows)
        assert rule == ("con_especiales" if cut["corteEspeciales"] else "sin_especiales")
        computed = recompute(rows, participacion=rule, inconsistencias="amplia")
        assert computed["PORCENTAJE_PARTICIPACION_CIUDADANA"] == published
        assert computed["PORCENTAJE_ACTAS_CONTABILIZADAS"] == parse_percent(
            str(cut["actasContabilizadas"]["porcentaje"])
        )
        seen.append(rule)
    assert seen == ["sin_especiales"] * 97 + ["con_especiales"]


def test_both_rules_of_the_last_cut_are_the_figures_of_the_record(cuts: list[dict[str, Any]]) -> None:
    before, last = cuts[-2:]
    assert (before["horaCorte"], last["horaCorte"]) == ("20:45", "21:00")
    assert parse_percent(str(before["porcentajeParticipacionCiudadana"])) == "62.6903"
    assert trunc4(last["totalVotos"], last["listaNominal"]) == "63.4497"
    assert last["totalVotos"] == last["totalVotosBasicasMR"] + last["totalVotosEspecialesMR"]
    assert last["totalVotos"] == last["totalVotosVN"] + last["totalVotosVE"]


def test_votes_need_not_grow_from_cut_to_cut(cuts: list[dict[str, Any]]) -> None:
    """Candidaturas no registradas fell once: totals must never be required to be monotonic."""
    unregistered = [
        next(row["total"] for row in cut["votacionPartidosConDistribucion"] if "NO REGISTRAD" in row["nombrePartido"])
        for cut in cuts
    ]
    fell = [pair for pair in pairwise(unregistered) if pair[1] < pair[0]]
    assert (50_035, 50_010) in fell


def _rows(cut: dict[str, Any]) -> dict[str, int]:
    """A cut's figures as the engine gives the whole."""
    captured, counted = cut["actasCapturadas"]["total"], cut["actasContabilizadas"]["total"]
    return {
        "esperadas": cut["totalActas"],
        "capturadas": captured,
        "contabilizadas": counted,
        "no_contabilizadas": captured - counted,
        "fuera_catalogo": 0,
        "inc_amplia": 0,
        "lista_nominal": cut["listaNominal"],
        "calculado_c_cs": cut["totalVotos"],
        "calculado_s_cs": cut["totalVotosBasicasMR"],
    }
