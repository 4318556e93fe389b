"""Plans of faults: what is refused, what the seed chooses, and what a plan makes of the cuts of a night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.errors import AjustesError, EntradaError, UsoError
from pregon.simulacro.fallas.plan import (
    DE_UN_DIFUSOR,
    DEL_INSTITUTO,
    INSTITUTO,
    Falla,
    PlanFallas,
    con_fallas,
    cortes_para_todas,
    lee,
    previo_a,
    resuelve,
    todas,
)
from pregon.simulacro.plan import Plan, PlannedCut

if TYPE_CHECKING:
    from pathlib import Path

INICIO = datetime(2024, 6, 3, 2, tzinfo=UTC)


def _placed(*entries: dict[str, Any], difusores: int = 3, cortes: int = 6, semilla: int = 7) -> tuple[Falla, ...]:
    plan = PlanFallas.model_validate({"falla": list(entries)})
    return resuelve(plan, difusores=difusores, cortes=cortes, semilla=semilla, intervalo_min=20)


def _night(cuts: int) -> Plan:
    hours = [INICIO + timedelta(minutes=20 * n) for n in range(1, cuts + 1)]
    return Plan(None, tuple(PlannedCut(n, hour, (), ultimo=n == cuts) for n, hour in enumerate(hours, 1)))


@pytest.mark.parametrize("semilla", range(8))
@pytest.mark.parametrize("difusores", [1, 2, 3, 10])
def test_one_of_each_kind_fits_in_the_night_it_asks_for(difusores: int, semilla: int) -> None:
    cuts = cortes_para_todas(difusores)
    faults = todas(difusores=difusores, cortes=cuts, semilla=semilla, intervalo_min=20)
    assert sorted(one.clase for one in faults) == sorted((*DEL_INSTITUTO, *DE_UN_DIFUSOR))
    assert all(one.ultimo < cuts for one in faults)
    alone = {one.corte for one in faults if one.objetivo == INSTITUTO}
    assert len(alone) == len(DEL_INSTITUTO)
    places = [(one.corte, one.objetivo) for one in faults if one.objetivo != INSTITUTO]
    assert len(places) == len(set(places))
    assert not alone & {period for period, _ in places}


def test_the_same_seed_chooses_the_same_and_another_one_something_else() -> None:
    drawn = [todas(difusores=10, cortes=9, semilla=seed, intervalo_min=20) for seed in (5, 5, 6)]
    assert drawn[0] == drawn[1] != drawn[2]
    entries = [{"clase": kind, "corte": 2} for kind in ("corrompido", "truncado", "llave_ajena")]
    chosen = [[one.objetivo for one in _placed(*entries, difusores=9, semilla=seed)] for seed in range(12)]
    assert all(len(set(names)) == 3 for names in chosen)
    assert len({tuple(names) for names in chosen}) > 6


def test_a_night_too_short_for_all_is_refused_and_says_how_long_it_must_be() -> None:
    with pytest.raises(UsoError, match="hacen falta 9 cortes"):
        todas(difusores=10, cortes=8, semilla=7, intervalo_min=20)


def test_who_has_a_name_keeps_its_place_before_the_seed_chooses_the_others() -> None:
    for seed in range(10):
        first, second = _placed(
            {"clase": "corrompido", "corte": 2}, {"clase": "truncado", "corte": 2, "difusor": "difusor-1"},
            difusores=2, semilla=seed,
        )  # fmt: skip
        assert (first.objetivo, second.objetivo) == ("difusor-2", "difusor-1")


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([{"clase": "corrompido", "corte": 6}], "antes del corte 6"),
        ([{"clase": "enlace_cortado", "corte": 4, "periodos": 3}], "antes del corte 6"),
        ([{"clase": "corrompido", "corte": 2, "difusor": "difusor-4"}], "difusor-4"),
        ([{"clase": "corte_tarde", "corte": 2, "difusor": "difusor-1"}], "no lleva «difusor»"),
        ([{"clase": "corrompido", "corte": 2, "minutos": 5}], "no lleva «minutos»"),
        ([{"clase": "corrompido", "corte": 0}], "sólo puede fallar el reloj"),
        ([{"clase": "corte_viejo", "corte": 1}], "dos cortes"),
        ([{"clase": "instituto_recuperado", "corte": 1}], "ningún corte a la vista"),
        (
            [{"clase": "corte_omitido", "corte": 1}, {"clase": "instituto_recuperado", "corte": 2}],
            "ningún corte a la vista",
        ),
        ([{"clase": "instituto_relevado", "corte": 2, "periodos": 2}], "«periodos» es 1"),
        ([{"clase": "servidor_muerto", "corte": 2, "periodos": 2}], "«periodos» es 1"),
        ([{"clase": "proceso_muerto", "corte": 2, "mata": "web"}], "no lleva «mata»"),
        ([{"clase": "corte_omitido", "corte": 1}, {"clase": "corte_viejo", "corte": 2}], "dos cortes"),
        ([{"clase": "reloj", "corte": 0, "desfase_min": 600}], "desfase_min"),
        ([{"clase": "reloj", "corte": 0, "desfase_min": -30}], "desfase_min"),
        ([{"clase": "reloj", "corte": 2, "desfase_min": 30}], "desfase_min"),
        (
            [{"clase": "corte_tarde", "corte": 2}, {"clase": "corrompido", "corte": 2, "difusor": "difusor-1"}],
            "una ocultaría a la otra",
        ),
        ([{"clase": "corte_tarde", "corte": 2}, {"clase": "corrompido", "corte": 2}], "no queda ningún difusor libre"),
        ([{"clase": "corte_tarde", "corte": 3}, {"clase": "corte_omitido", "corte": 3}], "una ocultaría a la otra"),
        (
            [{"clase": "enlace_cortado", "corte": 2, "periodos": 2, "difusor": "difusor-1"},
             {"clase": "truncado", "corte": 3, "difusor": "difusor-1"}],
            "una ocultaría a la otra",
        ),
        ([{"clase": "truncado", "corte": 2}] * 4, "no queda ningún difusor libre"),
    ],
    ids=["cierre", "cierre-largo", "ajeno", "instituto", "clave", "antes", "viejo", "recuperado",
         "recuperado-omitido", "relevado-largo", "servidor-largo", "mata", "viejo-omitido", "reloj-lejos",
         "reloj-atras", "reloj-poco", "instituto-difusor", "instituto-azar", "instituto-dos", "mismo", "llenos"],
)  # fmt: skip
def test_what_cannot_be_or_would_prove_nothing_is_refused(entries: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(UsoError, match=words) as caught:
        _placed(*entries)
    assert caught.value.intacto == "No se creó nada."


def test_a_plan_is_read_whole_or_refused_with_every_problem(tmp_path: Path) -> None:
    good = tmp_path / "plan.toml"
    good.write_text(
        '[[falla]]\nclase = "reloj"\ncorte = 0\n\n[[falla]]\nclase = "corte_tarde"\ncorte = 3\nminutos = 7\n'
    )
    clock, late = resuelve(lee(good), difusores=2, cortes=4, semilla=1, intervalo_min=20)
    assert (clock.clase, clock.corte, clock.desfase_min) == ("reloj", 0, 20)
    assert (late.objetivo, late.minutos, late.ultimo) == (INSTITUTO, 7, 3)
    bad = tmp_path / "malo.toml"
    bad.write_text(
        '[[falla]]\nclase = "sabotaje"\ncorte = -1\n\n[[falla]]\nclase = "truncado"\ncorte = 2\nhora = "20:15"\n'
    )
    with pytest.raises(AjustesError) as caught:
        lee(bad)
    for key in ("falla[0].clase", "falla[0].corte", "falla[1].hora"):
        assert key in caught.value.que_paso
    # Each said once, and nothing that is not so.
    assert caught.value.que_paso.startswith(f"El archivo {bad} tiene 3 problema(s):")
    bad.write_text("falla = []")
    with pytest.raises(AjustesError, match="la lista no puede estar vacía"):
        lee(bad)
    with pytest.raises(EntradaError, match=r"plan de fallas en .*no-esta\.toml") as absent:
        lee(tmp_path / "no-esta.toml")
    assert "«todas»" in absent.value.que_hacer


def test_a_late_cut_keeps_its_number_and_an_omitted_one_takes_none() -> None:
    faults = _placed({"clase": "corte_tarde", "corte": 2, "minutos": 7}, {"clase": "corte_omitido", "corte": 3})
    periods = con_fallas(_night(6), faults)
    assert [None if one.corte is None else one.corte.numero for one in periods] == [1, 2, None, 3, 4, 5]
    late = periods[1].corte
    assert late is not None
    assert late.sale - late.hora == timedelta(minutes=7)
    assert all(one.corte is None or one.corte.hora == one.previsto.hora for one in periods)
    assert periods[-1].corte is not None
    assert periods[-1].corte.ultimo


def test_the_old_cut_that_is_offered_is_older_than_the_one_that_is_there() -> None:
    plain = _placed({"clase": "corte_viejo", "corte": 4})
    assert previo_a(plain[0], plain) == 2
    after = _placed({"clase": "corte_omitido", "corte": 3}, {"clase": "corte_viejo", "corte": 4})
    assert previo_a(after[1], after) == 1
