"""What each of the five calls asks for after a slot, by its own text."""

from __future__ import annotations

from typing import Any

import pytest

from pregon.convocatoria import perfiles
from pregon.instituto.proceso.modelo import Cierre, Cuenta, Paso
from pregon.instituto.proceso.regla import Regla, paso, regla_de
from tests.instituto.proceso.relojes import DIFUSOR, INICIO

CONVOCATORIAS = ("gro-2021", "dgo-2024", "mor-2024", "mex-2021", "ine-2021")


def regla(profile: str, *, puntos: int = 2, **fallo: Any) -> Regla:
    call = perfiles.load(profile)
    return regla_de(call.model_copy(update={"fallo": call.fallo.model_copy(update=fallo)}), puntos=puntos)


def cierre(resultado: str = "fallo", **more: Any) -> Cierre:
    values: dict[str, Any] = {"periodo": 3, "corte": 4, "hora": INICIO, "porque": "terminó el periodo así", **more}
    return Cierre(difusor=DIFUSOR, resultado=resultado, **values)  # type: ignore[arg-type]


def tras(rule: Regla, failed: int, *, estado: str = "activo", verificado: int | None = None, **more: Any) -> Paso:
    return paso(rule, Cuenta(difusor=DIFUSOR, seguidas=failed), cierre(**more), estado=estado, verificado=verificado)


def acciones(rule: Regla, **more: Any) -> list[str]:
    return [tras(rule, failed, **more).accion for failed in (1, 2, 3, 4)]


def test_guerrero_warns_twice_and_proposes_at_three() -> None:
    """GRO-3.3a: three updates in a row; the order waits for a person."""
    rule = regla("gro-2021")
    assert acciones(rule) == ["advertir", "advertir", "proponer", "proponer"]
    step = tras(rule, 3)
    assert (step.clausula, step.cuenta) == ("GRO-3.3a", 3)
    assert "3 cortes fallidos seguidos" in step.porque
    assert "el límite es 3" in tras(rule, 2).porque


def test_profile_that_says_automatic_orders() -> None:
    assert acciones(regla("gro-2021", automatica=True)) == ["advertir", "advertir", "ordenar", "ordenar"]


def test_one_vantage_point_alone_orders_nothing() -> None:
    """It cannot tell a silent portal from a broken way of its own: what it proposes waits for a person."""
    assert acciones(regla("gro-2021", automatica=True, puntos=1)) == ["advertir", "advertir", "proponer", "proponer"]
    assert not regla_de(perfiles.load("gro-2021")).automatica


@pytest.mark.parametrize("profile", ["dgo-2024", "mor-2024", "mex-2021", "ine-2021"])
def test_nothing_is_automatic_where_the_text_gives_no_count(profile: str) -> None:
    """DGO-I-12, MOR-I-12, MEX-I-12, INE-I-d-3: «may». A profile that says otherwise is not obeyed in this."""
    assert "ordenar" not in acciones(regla(profile, automatica=True))


@pytest.mark.parametrize(
    ("profile", "clause"), [("dgo-2024", "DGO-I-12"), ("mor-2024", "MOR-I-12"), ("mex-2021", "MEX-I-12")]
)
def test_any_breach_is_proposed_at_once_where_it_is_grave(profile: str, clause: str) -> None:
    rule = regla(profile)
    assert acciones(rule) == ["advertir", "advertir", "proponer", "proponer"]
    for motive in ("CONTENIDO", "ANTICIPADO", "CORTE_AJENO"):
        step = tras(rule, 1, motivos=(motive, "LENTO"), veredicto="alterado")
        assert (step.accion, step.clausula) == ("proponer", clause)
        assert motive in step.porque
    assert tras(rule, 1, motivos=("LENTO", "SIN_RESPUESTA")).accion == "advertir"


def test_in_guerrero_altered_content_counts_as_any_failure() -> None:
    """GRO-3.3a knows one rule: what is not solved in three updates."""
    assert acciones(regla("gro-2021"), motivos=("CONTENIDO",)) == ["advertir", "advertir", "proponer", "proponer"]


def test_in_the_ine_no_count_of_the_night_leads_to_an_order() -> None:
    """INE-I-d-3 removes for papers and minimums, INE-III-c for a rehearsal; no clause counts failures of the night."""
    rule = regla("ine-2021")
    assert acciones(rule) == ["advertir", "advertir", "nada", "nada"]
    assert tras(rule, 1, motivos=("CONTENIDO",)).accion == "advertir"
    assert rule.irrevocable
    assert rule.accion == "baja"


def test_one_period_orders_without_warning_and_five_warn_four_times() -> None:
    assert acciones(regla("gro-2021", periodos=1))[0] == "proponer"
    rule = regla("gro-2021", periodos=5)
    assert [tras(rule, failed).accion for failed in range(1, 6)] == ["advertir"] * 4 + ["proponer"]


@pytest.mark.parametrize("profile", CONVOCATORIAS)
def test_what_fulfilled_or_does_not_count_asks_for_nothing(profile: str) -> None:
    for resultado in ("cumplio", "no_cuenta"):
        assert tras(regla(profile), 3, resultado=resultado).accion == "nada"


@pytest.mark.parametrize("profile", CONVOCATORIAS)
@pytest.mark.parametrize(
    "estado", ["solicitado", "admitido", "suspendido", "bloqueado", "baja", "rechazado", "concluido"]
)
def test_who_is_not_active_is_neither_warned_nor_ordered_away(profile: str, estado: str) -> None:
    assert set(acciones(regla(profile), estado=estado, motivos=("CONTENIDO",))) == {"nada"}


@pytest.mark.parametrize(
    ("profile", "returns"),
    [("gro-2021", True), ("dgo-2024", True), ("mor-2024", False), ("mex-2021", False), ("ine-2021", False)],
)
def test_return_is_proposed_with_a_verified_cut_where_the_order_interrupts(profile: str, *, returns: bool) -> None:
    """An interruption ends with its cause; a block and a removal, by an operator's own order (MEX-I-13, INE-I-d-3)."""
    rule = regla(profile)
    expected = "proponer_regreso" if returns else "nada"
    good: dict[str, Any] = {"estado": "suspendido", "resultado": "cumplio"}
    assert tras(rule, 0, **good, corte_visto=4).accion == expected
    assert tras(rule, 0, **good, corte_visto=None, verificado=4).accion == expected
    assert tras(rule, 0, **good, corte_visto=None, verificado=5).accion == expected
    # Who shows the notice and whose acuses say nothing newer has not verified the cut.
    assert tras(rule, 0, **good, corte_visto=None, verificado=3).accion == "nada"
    assert tras(rule, 0, **good, corte_visto=None).accion == "nada"
    for estado in ("bloqueado", "baja"):
        assert tras(rule, 0, estado=estado, resultado="cumplio", corte_visto=4, verificado=4).accion == "nada"


def test_count_of_another_difusor_is_a_bug() -> None:
    with pytest.raises(ValueError, match="difusores distintos"):
        paso(regla("gro-2021"), Cuenta(difusor="otro"), cierre())
