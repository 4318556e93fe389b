"""The marks: what the plan alone expects, and that whoever does another thing does not get them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pregon.convocatoria.perfiles import ids, load
from pregon.simulacro.fallas.diario import Ocurrida
from pregon.simulacro.fallas.plan import Falla, PlanFallas, resuelve
from pregon.simulacro.notas.asistencia import asistencia, reunida
from pregon.simulacro.notas.caida import Caida, caida_admitida
from pregon.simulacro.notas.espera import esperado
from pregon.simulacro.notas.notas import Calificacion, Visto, califica, clausulas_por_asunto
from pregon.simulacro.result import Check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.simulacro.notas.espera import Esperado

NAMES = ("difusor-1", "difusor-2")
HORA = datetime(2021, 6, 7, 1, tzinfo=UTC)


def _faults(*entries: dict[str, Any], cortes: int = 5) -> tuple[Falla, ...]:
    plan = PlanFallas.model_validate({"falla": list(entries)})
    return resuelve(plan, difusores=2, cortes=cortes, semilla=1, intervalo_min=20)


def _wanted(*entries: dict[str, Any], periodos: int = 5) -> dict[tuple[str, int], Esperado]:
    return esperado(_faults(*entries), difusores=NAMES, periodos=periodos)


def _shown(wanted: Mapping[tuple[str, int], Esperado], name: str) -> list[int]:
    return [one.muestra for (owner, _), one in wanted.items() if owner == name]


def test_without_faults_each_period_shows_its_own_cut() -> None:
    wanted = _wanted({"clase": "reloj", "corte": 0, "difusor": "difusor-1"})
    assert _shown(wanted, "difusor-1") == _shown(wanted, "difusor-2") == [1, 2, 3, 4, 5]
    assert not any(one.codigos or one.vuelve or one.mientras is not None for one in wanted.values())


@pytest.mark.parametrize(
    ("clase", "codes"),
    [
        ("corrompido", {"HASH"}),
        ("truncado", {"RED"}),
        ("corte_viejo", {"RETROCESO"}),
        ("llave_ajena", {"FIRMA", "UMBRAL"}),
        ("disco_lleno", {"DISCO"}),
        ("reloj", {"EXPIRADO"}),
        ("enlace_cortado", set()),
        ("proceso_muerto", set()),
    ],
)
def test_what_stops_a_cut_leaves_the_one_before_and_ends_by_itself(clase: str, codes: set[str]) -> None:
    wanted = _wanted({"clase": clase, "corte": 3, "difusor": "difusor-1"})
    assert _shown(wanted, "difusor-1") == [1, 2, 2, 4, 5]
    assert _shown(wanted, "difusor-2") == [1, 2, 3, 4, 5]
    hit = wanted["difusor-1", 3]
    assert (set(hit.codigos), hit.vuelve) == (codes, 3)
    assert all(one.vuelve is None for key, one in wanted.items() if key != ("difusor-1", 3))


def test_a_cache_that_refuses_hides_no_cut_but_must_be_told_of_and_be_asked_again() -> None:
    wanted = _wanted({"clase": "purga_negada", "corte": 3, "difusor": "difusor-1"})
    assert _shown(wanted, "difusor-1") == [1, 2, 3, 4, 5]
    hit = wanted["difusor-1", 3]
    assert (set(hit.codigos), hit.vuelve, hit.sigue) == ({"PURGA"}, 3, True)
    faults = _faults({"clase": "purga_negada", "corte": 3, "difusor": "difusor-1"})
    seen = _obedient(wanted)
    assert _marks(faults, seen).ok
    seen["difusor-1", 3] = replace(seen["difusor-1", 3], vuelve=2)
    assert [one.asunto for one in _marks(faults, seen).notas if not one.cumplio] == ["PURGA"]


def test_two_periods_without_a_link_keep_the_same_cut_and_come_back_once() -> None:
    wanted = _wanted({"clase": "enlace_cortado", "corte": 2, "periodos": 2, "difusor": "difusor-2"})
    assert _shown(wanted, "difusor-2") == [1, 1, 1, 4, 5]
    assert [one.vuelve for (owner, _), one in wanted.items() if owner == "difusor-2"] == [None, None, 3, None, None]


@pytest.mark.parametrize("clase", ["enlace_lento", "enlace_con_perdidas", "avalancha"])
def test_what_only_hinders_stops_no_cut(clase: str) -> None:
    assert _shown(_wanted({"clase": clase, "corte": 3, "difusor": "difusor-1"}), "difusor-1") == [1, 2, 3, 4, 5]


def test_a_slow_clock_stops_nothing_once_results_are_public() -> None:
    wanted = _wanted({"clase": "reloj", "corte": 3, "desfase_min": -240, "difusor": "difusor-1"})
    assert _shown(wanted, "difusor-1") == [1, 2, 3, 4, 5]


def test_a_cut_that_is_not_made_takes_no_number() -> None:
    wanted = _wanted({"clase": "corte_omitido", "corte": 2})
    assert _shown(wanted, "difusor-1") == _shown(wanted, "difusor-2") == [1, 1, 2, 3, 4]


@pytest.mark.parametrize("clase", ["corte_tarde", "instituto_perdido", "instituto_relevado", "instituto_recuperado"])
def test_while_the_institute_is_late_everybody_shows_the_cut_before(clase: str) -> None:
    wanted = _wanted({"clase": clase, "corte": 3})
    assert _shown(wanted, "difusor-1") == [1, 2, 3, 4, 5]
    assert [one.mientras for (owner, _), one in wanted.items() if owner == "difusor-2"] == [None, None, 2, None, None]


def _obedient(wanted: Mapping[tuple[str, int], Esperado]) -> dict[tuple[str, int], Visto]:
    """A night in which everybody did as expected."""
    return {
        key: Visto(
            one.difusor,
            one.periodo,
            one.muestra,
            one.mientras,
            tuple(sorted(one.codigos)[:1]),
            one.vuelve,
            2.0 if one.vuelve is None else None,
            None if one.vuelve is None else 1.5,
        )
        for key, one in wanted.items()
    }


def _marks(
    faults: tuple[Falla, ...],
    seen: Mapping[tuple[str, int], Visto],
    *,
    applied: bool = True,
    checks: Mapping[str, Check] | None = None,
    caida: Caida | None = None,
) -> Calificacion:
    held = {name: Check("X", ok=True, detalle="") for name in NAMES}
    return califica(
        "gro-2021",
        NAMES,
        fallas=faults,
        esperados=esperado(faults, difusores=NAMES, periodos=5),
        vistos=seen,
        antes=held,
        mezclas=held if checks is None else checks,
        ultimos=held,
        ocurridas=[Ocurrida(one, HORA, HORA, HORA, HORA, int(applied)) for one in faults],
        transferencia_max_s=600,
        caida=caida_admitida(load("gro-2021")) if caida is None else caida,
    )


FAULTS = _faults(
    {"clase": "corrompido", "corte": 2, "difusor": "difusor-1"},
    {"clase": "enlace_cortado", "corte": 2, "difusor": "difusor-2"},
    {"clase": "corte_tarde", "corte": 3},
)


def test_who_does_as_expected_is_ready_and_each_mark_names_its_clauses() -> None:
    wanted = esperado(FAULTS, difusores=NAMES, periodos=5)
    marks = _marks(FAULTS, _obedient(wanted))
    assert marks.ok
    assert [marks.grado(name) for name in NAMES] == ["listo", "listo"]
    assert [marks.puntos(name) for name in NAMES] == [100, 100]
    early = next(one for one in marks.de("difusor-1") if one.asunto == "NADA_ANTES")
    assert early.clausulas == ("GRO-1.1a",)
    assert {one.asunto for one in marks.notas} == {
        *("NADA_ANTES", "CORTES_PUBLICADOS", "CONTINUIDAD", "INTEGRIDAD", "TRANSFERENCIA", "ULTIMO_CORTE"),
    }
    assert all(one.clausulas for one in marks.notas if one.asunto != "CONTINUIDAD")


@pytest.mark.parametrize(
    ("key", "change", "asunto", "grade"),
    [
        (("difusor-1", 2), {"muestra": 2}, "CORTES_PUBLICADOS", "con_observaciones"),
        (("difusor-1", 2), {"muestra": None}, "CORTES_PUBLICADOS", "con_observaciones"),
        (("difusor-1", 2), {"codigos": ("RED",)}, "INTEGRIDAD", "no_listo"),
        (("difusor-2", 2), {"muestra": 2}, "CORTES_PUBLICADOS", "con_observaciones"),
        (("difusor-2", 2), {"vuelve": 1}, "CORTES_PUBLICADOS", "con_observaciones"),
        (("difusor-2", 3), {"mientras": 3}, "CONTINUIDAD", "no_listo"),
        (("difusor-2", 4), {"muestra": 0}, "CORTES_PUBLICADOS", "con_observaciones"),
        (("difusor-2", 4), {"segundos": 601.0}, "TRANSFERENCIA", "con_observaciones"),
    ],
    ids=["publica-lo-roto", "se-apaga", "otro-codigo", "lo-que-no-llego", "no-vuelve", "adivina", "en-blanco", "lento"],
)
def test_who_does_another_thing_loses_that_mark_alone(
    key: tuple[str, int], change: dict[str, Any], asunto: str, grade: str
) -> None:
    seen = _obedient(esperado(FAULTS, difusores=NAMES, periodos=5))
    seen[key] = replace(seen[key], **change)
    marks = _marks(FAULTS, seen)
    assert not marks.ok
    assert [(one.difusor, one.periodo, one.asunto) for one in marks.notas if not one.cumplio] == [(*key, asunto)]
    assert marks.grado(key[0]) == grade
    other = next(name for name in NAMES if name != key[0])
    assert marks.grado(other) == "listo"


def test_a_difusor_that_nobody_looked_at_has_no_mark_of_that_period() -> None:
    seen = _obedient(esperado(FAULTS, difusores=NAMES, periodos=5))
    del seen["difusor-2", 5]
    marks = _marks(FAULTS, seen)
    assert [(one.periodo, one.evidencia) for one in marks.notas if not one.cumplio] == [(5, "no se miró")]


def test_mixing_cuts_once_is_enough_not_to_be_ready() -> None:
    seen = _obedient(esperado(FAULTS, difusores=NAMES, periodos=5))
    mixed = {"difusor-1": Check("X", ok=False, detalle="mezcla"), "difusor-2": Check("X", ok=True, detalle="")}
    marks = _marks(FAULTS, seen, checks=mixed)
    assert (marks.grado("difusor-1"), marks.grado("difusor-2")) == ("no_listo", "listo")


def test_a_fault_that_the_journal_does_not_show_proves_nothing() -> None:
    seen = _obedient(esperado(FAULTS, difusores=NAMES, periodos=5))
    marks = _marks(FAULTS, seen, applied=False)
    assert not marks.ok
    assert marks.por_aplicar == (1, 2, 3)
    assert marks.to_json()["fallas_sin_aplicar"] == [1, 2, 3]


def test_a_call_whose_clauses_nobody_wrote_gets_marks_all_the_same() -> None:
    assert clausulas_por_asunto("otra-2027") == {}


@pytest.mark.parametrize(("mata", "silence"), [("todo", "breve"), ("web", "breve"), ("sirve", "ninguno")])
def test_a_server_that_is_killed_stops_no_cut_and_may_be_silent_as_its_fault_says(mata: str, silence: str) -> None:
    wanted = _wanted({"clase": "servidor_muerto", "corte": 3, "mata": mata, "difusor": "difusor-1"})
    assert _shown(wanted, "difusor-1") == [1, 2, 3, 4, 5]
    hit = wanted["difusor-1", 3]
    assert (hit.silencio, hit.vuelve, hit.codigos) == (silence, None, frozenset())
    assert [one.silencio for key, one in wanted.items() if key != ("difusor-1", 3)] == [None] * 9


def test_silences_are_added_up_over_the_night_and_one_too_long_fails_the_clause_that_says_so() -> None:
    faults = _faults(
        {"clase": "servidor_muerto", "corte": 2, "difusor": "difusor-1"},
        {"clase": "servidor_muerto", "corte": 3, "mata": "web", "difusor": "difusor-1"},
        {"clase": "servidor_muerto", "corte": 3, "mata": "sirve", "difusor": "difusor-2"},
    )
    seen = _obedient(esperado(faults, difusores=NAMES, periodos=5))

    def silent(first: float, second: float, other: float, caida: Caida | None = None) -> list[tuple[str, int | None]]:
        for key, seconds in {("difusor-1", 2): first, ("difusor-1", 3): second, ("difusor-2", 3): other}.items():
            seen[key] = replace(seen[key], silencio_s=seconds)
        return [(one.asunto, one.periodo) for one in _marks(faults, seen, caida=caida).notas if not one.cumplio]

    day = Caida("DISPONIBILIDAD", 86.4)
    assert silent(3.0, 1.0, 0.0) == []
    assert silent(60.0, 26.4, 0.0, day) == []
    assert silent(60.0, 26.5, 0.0, day) == [("DISPONIBILIDAD", 3)]
    assert silent(700.0, 600.0, 0.0) == [("CONTINUIDAD", 3)]
    assert silent(3.0, 1.0, 0.1) == [("CONTINUIDAD", 3)]  # Of «sirve» alone no reader may notice anything.
    seen["difusor-1", 2] = replace(seen["difusor-1", 2], silencio_s=None)
    [nobody] = [one for one in _marks(faults, seen).notas if one.periodo == 2 and not one.cumplio]
    assert (nobody.asunto, nobody.ocurrido, nobody.clausulas) == ("CONTINUIDAD", "nadie le preguntó", ("GRO-1.7b",))


def test_what_silence_is_let_pass_is_what_each_call_says() -> None:
    said = {one: caida_admitida(load(one)) for one in ids()}
    assert said["ine-2021"] == Caida("DISPONIBILIDAD", 86.4)
    minutes = {"dgo-2024": 15, "gro-2021": 20, "mex-2021": 20, "mor-2024": 10}
    assert {one: limit for one, limit in said.items() if one != "ine-2021"} == {
        one: Caida("CONTINUIDAD", 60.0 * interval) for one, interval in minutes.items()
    }
    assert clausulas_por_asunto("ine-2021")["DISPONIBILIDAD"] == ("INE-IV-a",)


def test_attendance_is_of_the_simulacro_of_that_day_alone() -> None:
    call = load("ine-2021")
    day = next(one for one in call.simulacros if one.nombre == "Primer simulacro")
    rows = asistencia(call.simulacros, day.fecha, {"uno": 6, "dos": 0}, cortes=6)
    assert len(rows) == 2 * len(call.simulacros)
    said = {(row["simulacro"], row["difusor"]): row["asistio"] for row in rows}
    assert said["Primer simulacro", "uno"] is True
    assert said["Primer simulacro", "dos"] is False
    assert said["Segundo simulacro", "uno"] is None
    later = asistencia(call.simulacros, day.fecha + timedelta(days=7), {"uno": 4, "dos": 6}, cortes=6)
    both = {(row["simulacro"], row["difusor"]): row["asistio"] for row in reunida([rows, later])}
    assert (
        both["Primer simulacro", "uno"] is both["Segundo simulacro", "uno"] is both["Segundo simulacro", "dos"] is True
    )
    assert both["Primer simulacro", "dos"] is False
    assert both["Tercer simulacro", "uno"] is None


def test_a_call_without_official_simulacros_has_no_attendance() -> None:
    assert asistencia(load("gro-2021").simulacros, HORA.date(), {"uno": 6}, cortes=6) == ()
