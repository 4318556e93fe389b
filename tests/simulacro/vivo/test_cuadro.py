"""What the page of a rehearsal says, out of what was read: how far each cut got, each fault, and the end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.errors import DanadoError, EntradaError
from pregon.convocatoria.perfiles import load
from pregon.simulacro.fallas.diario import Ocurrida
from pregon.simulacro.fallas.plan import DE_UN_DIFUSOR, DEL_INSTITUTO, todas
from pregon.simulacro.notas.espera import esperado
from pregon.simulacro.result import SignedCut
from pregon.simulacro.vivo import encargo, palabras, vista
from pregon.simulacro.vivo.cuadro import momento
from pregon.simulacro.vivo.modelo import AcuseLeido, Dicho, DifusorLeido, Leido
from tests.simulacro.vivo.noches import FALLAS, SHA, fallas_de, plan_de, resultado_de

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.simulacro.vivo.encargo import Encargo
    from pregon.simulacro.vivo.modelo import Celda

GRO = load("gro-2021")
T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""The machine's hour at which the first cut was signed; the second, a minute later."""


def _at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def _encargo(*faults: dict[str, Any], cortes: int = 4) -> Encargo:
    placed = fallas_de(*faults, cortes=cortes) if faults else ()
    return encargo.encargo_de(GRO, plan_de(GRO, cortes), difusores=2, semilla=7, fallas=placed, calificada=True)


def _signed(*seconds: float) -> tuple[SignedCut, ...]:
    return tuple(SignedCut(n, T0, _at(one), SHA) for n, one in enumerate(seconds, 1))


def _acuses(*said: tuple[str, int, float]) -> tuple[AcuseLeido, ...]:
    return tuple(AcuseLeido(corte, evento, None, _at(when)) for evento, corte, when in said)


def _leido(one: DifusorLeido, *, faults: tuple[dict[str, Any], ...] = (), minutos: float = 45, **more: Any) -> Leido:
    plan = _encargo(*faults)
    return Leido(
        plan,
        ahora=GRO.inicio + timedelta(minutes=minutos),
        firmados=more.pop("firmados", _signed(0, 60)),
        difusores=(one, DifusorLeido("difusor-2")),
        **more,
    )


def _cell(one: DifusorLeido, cut: int, **more: Any) -> Celda:
    return momento(_leido(one, **more)).renglones[0].celdas[cut - 1]


UNO = DifusorLeido("difusor-1", muestra="0001")


@pytest.mark.parametrize(
    ("acuses", "dichos", "state", "seconds", "code"),
    [
        ((), (), "espera", None, None),
        ((("recibido", 2, 61.0), ("verificado", 2, 61.0)), (), "recibido", None, None),
        ((("recibido", 2, 61.0), ("publicado", 2, 61.5)), (), "publicado", 1.5, None),
        ((("publicado", 2, 61.5), ("visible", 2, 63.0)), (), "visible", 1.5, None),
        ((("publicado", 2, 59.9),), (), "publicado", 0.0, None),
        ((), (("HASH", 62, 70),), "rechazado", None, "HASH"),
        ((("publicado", 2, 75.0),), (("HASH", 62, 70),), "publicado", 15.0, "HASH"),
        ((), (("HASH", 10, 20),), "espera", None, None),
        ((("publicado", 2, 61.5),), (("EXPIRADO", 90, 91),), "publicado", 1.5, None),
        ((("publicado", 3, 130.0),), (), "perdido", None, None),
    ],
    ids=["nada", "recibido", "publicado", "visible", "al-firmar", "rechazo", "tras", "antes", "despues", "perdido"],
)
def test_how_far_a_cut_got_is_what_the_difusor_signed_and_said_since_it_was_signed(
    acuses: tuple[tuple[str, int, float], ...],
    dichos: tuple[tuple[str, float, float], ...],
    state: str,
    seconds: float | None,
    code: str | None,
) -> None:
    told = tuple(Dicho(codigo, _at(since), _at(until)) for codigo, since, until in dichos)
    cell = _cell(replace(UNO, acuses=_acuses(*acuses), dichos=told), 2)
    assert (cell.estado, cell.segundos, cell.codigo) == (state, seconds, code)


def test_a_refusal_is_of_the_cut_that_was_the_newest_when_it_was_told() -> None:
    told = replace(UNO, dichos=(Dicho("HASH", _at(62), _at(70)),))
    found = [_cell(told, cut, firmados=_signed(0, 60, 120)).estado for cut in (1, 2, 3, 4)]
    assert found == ["espera", "rechazado", "espera", "previsto"]


def test_what_is_said_of_another_thing_once_the_cut_is_public_does_not_stain_it() -> None:
    faults = ({"clase": "purga_negada", "corte": 2, "difusor": "difusor-1"},)
    public = replace(UNO, acuses=_acuses(("publicado", 2, 61)))
    for codes, shown in ((("EXPIRADO",), None), (("PURGA",), "PURGA"), (("EXPIRADO", "PURGA"), "PURGA")):
        told = replace(public, dichos=tuple(Dicho(code, _at(70), _at(80)) for code in codes))
        assert _cell(told, 2, faults=faults).codigo == shown
        assert _cell(told, 2).codigo is None
    before = replace(UNO, dichos=(Dicho("EXPIRADO", _at(50), _at(60.5)),))
    assert _cell(before, 2).estado == "espera"


def test_a_cut_that_is_not_made_takes_no_number_and_nobody_owes_it() -> None:
    faults = ({"clase": "corte_omitido", "corte": 2},)
    shown = momento(_leido(UNO, faults=faults, firmados=_signed(0), minutos=41))
    assert [one.numero for one in shown.columnas] == [1, None, 2, 3]
    assert [one.fallas for one in shown.columnas] == [(), (1,), (), ()]
    assert [cell.estado for cell in shown.renglones[0].celdas] == ["espera", "sin_corte", "previsto", "previsto"]
    assert (shown.periodo, shown.renglones[0].atras, shown.al_dia) == (2, 0, 1)
    assert shown.proxima is not None
    assert shown.proxima.numero == 2


def test_who_is_behind_and_who_is_under_a_fault_is_looked_at_first() -> None:
    ours = replace(UNO, muestra="0002")
    shown = momento(_leido(ours))
    assert [(one.atras, one.corte) for one in shown.renglones] == [(0, 2), (2, None)]
    assert shown.foco == ("difusor-2", "difusor-1")
    faults = ({"clase": "avalancha", "corte": 2, "difusor": "difusor-1"},)
    begun = (Ocurrida(fallas_de(*faults)[0], GRO.inicio, _at(50)),)
    under = momento(_leido(ours, faults=faults, ocurridas=begun))
    assert under.foco == ("difusor-1", "difusor-2")
    assert under.renglones[0].en_falla == (1,)


def _tramos(ocurridas: tuple[Ocurrida, ...], one: DifusorLeido, **more: Any) -> list[tuple[str, str, bool | None]]:
    found = momento(_leido(one, faults=FALLAS, ocurridas=ocurridas, **more)).tramos
    return [(tramo.estado, tramo.visto, tramo.cumplio) for tramo in found]


def test_a_fault_is_told_as_it_was_planned_while_it_lasts_and_once_it_is_over() -> None:
    first, second = fallas_de(*FALLAS)
    shown = momento(_leido(UNO, faults=FALLAS)).tramos
    assert [one.espera for one in shown] == [
        "Lo dice (HASH) y sigue el corte 0001; al terminar, por sí mismo el corte 0002",
        "Mientras, sigue el corte 0002; luego, el corte 0003",
    ]
    assert {one.estado for one in shown} == {"prevista"}
    one = replace(UNO, acuses=_acuses(("publicado", 1, 1)), dichos=(Dicho("HASH", _at(62), _at(70)),))
    begun = Ocurrida(first, GRO.inicio, _at(55))
    assert _tramos((begun,), one)[0] == ("en_curso", "Muestra el corte 0001; dice HASH", None)
    ended = replace(begun, hasta=GRO.inicio, hasta_real=_at(72), efectos=3)
    back = replace(one, muestra="0002", acuses=_acuses(("publicado", 1, 1), ("publicado", 2, 73.5)))
    over = "Mostró el corte 0001; dijo HASH; a los 1.5 s, el corte 0002"
    assert _tramos((ended,), back)[0] == ("terminada", over, None)
    late = Ocurrida(second, GRO.inicio, _at(100), GRO.inicio, _at(130), 1)
    going = replace(late, hasta=None, hasta_real=None, efectos=None)
    said = "Muestran: 1 de 2, la página de espera y 1 de 2, el corte 0002"
    assert _tramos((ended, going), back)[1] == ("en_curso", said, None)
    shows = replace(back, muestra="0003", acuses=(*back.acuses, *_acuses(("publicado", 3, 121))))
    said = (
        "Mientras, 1 de 2, la página de espera y 1 de 2, el corte 0002; "
        "luego, 1 de 2, la página de espera y 1 de 2, el corte 0003"
    )
    assert _tramos((ended, late), shows, firmados=_signed(0, 60, 120))[1] == ("terminada", said, None)


@pytest.mark.parametrize(
    ("change", "met"),
    [({}, [True, True]), ({"cumplio": False, "ok": False}, [False, True]), ({"aplicada": False}, [True, True])],
    ids=["todo", "una-no", "segun-el-diario"],
)
def test_at_the_end_each_fault_says_what_its_marks_say(change: dict[str, bool], met: list[bool]) -> None:
    first, second = fallas_de(*FALLAS)
    done = tuple(Ocurrida(fault, GRO.inicio, _at(55), GRO.inicio, _at(72), 1) for fault in (first, second))
    result = resultado_de(**change)
    assert [cumplio for _, _, cumplio in _tramos(done, UNO, resultado=result)] == met
    nothing = (replace(done[0], efectos=0), done[1])
    assert [cumplio for _, _, cumplio in _tramos(nothing, UNO, resultado=result)] == [False, True]
    shown = momento(_leido(UNO, faults=FALLAS, ocurridas=done, resultado=result))
    assert shown.fase == "terminada"
    assert shown.conclusion is not None
    assert shown.conclusion.ok is result["ok"]
    assert (shown.conclusion.cumplidas, shown.conclusion.notas) == (2 + met[0], 3)
    assert [one.grado for one in shown.renglones] == ["Listo" if met[0] else "No está listo", "Listo"]
    assert len(shown.conclusion.incumplidas) == (not met[0])


def test_a_fault_cut_short_by_the_end_is_not_under_way_for_ever() -> None:
    first = fallas_de(*FALLAS)[0]
    begun = (Ocurrida(first, GRO.inicio, _at(55)),)
    assert _tramos(begun, UNO)[0][0] == "en_curso"
    assert _tramos(begun, UNO, resultado=resultado_de(ok=False))[0][::2] == ("terminada", False)


def test_a_night_without_marks_ends_with_its_checks() -> None:
    checks = [{"codigo": "BYTES_IGUALES", "ok": ok, "detalle": "uno"} for ok in (True, False)]
    result = {
        "ok": False,
        "fallas": [],
        "notas": None,
        "difusores": [{"id": "difusor-1", "nota": 50, "cortes": [{"comprobaciones": checks}]}],
    }
    end = momento(_leido(UNO, resultado=result)).conclusion
    assert end is not None
    assert (end.ok, end.cumplidas, end.notas, end.con_notas) == (False, 1, 2, False)
    assert end.incumplidas == ("difusor-1: BYTES_IGUALES, uno.",)


@pytest.mark.parametrize(("minutos", "phase"), [(None, "prepara"), (-4, "antes"), (1, "noche")], ids=["nada", "a", "n"])
def test_the_phase_is_by_the_clock_of_the_rehearsal(minutos: float | None, phase: str) -> None:
    when = None if minutos is None else GRO.inicio + timedelta(minutes=minutos)
    assert momento(replace(_leido(UNO), ahora=when)).fase == phase


def test_every_kind_of_fault_has_words_and_says_what_must_be_seen() -> None:
    placed = todas(difusores=10, cortes=9, semilla=11, intervalo_min=20)
    names = tuple(f"difusor-{n}" for n in range(1, 11))
    wanted = esperado(placed, difusores=names, periodos=9)
    assert {one.clase for one in placed} == {*DEL_INSTITUTO, *DE_UN_DIFUSOR} == set(palabras.NOMBRES)
    for fault in placed:
        assert palabras.lo_esperado(fault, wanted, names), fault


def test_what_was_planned_goes_through_its_file_whole(tmp_path: Path) -> None:
    faults = todas(difusores=2, cortes=15, semilla=3, intervalo_min=20)
    told = encargo.encargo_de(
        GRO, plan_de(GRO, 15), difusores=2, semilla=3, fallas=faults, informe=tmp_path / "informe", abierta=True
    )
    (tmp_path / encargo.ENCARGO).write_bytes(told.to_bytes())
    assert encargo.lee(tmp_path) == told
    with pytest.raises(EntradaError, match=r"vivo\.json"):
        encargo.lee(tmp_path / "otra")
    (tmp_path / encargo.ENCARGO).write_bytes(told.to_bytes()[:-40])
    with pytest.raises(DanadoError):
        encargo.lee(tmp_path)


@pytest.mark.parametrize(
    ("cuts", "minutos", "window"), [(4, 45, (0, 4)), (40, 45, (0, 12)), (40, 405, (12, 24)), (40, 900, (28, 40))]
)
def test_of_a_long_night_the_board_shows_the_cuts_around_now(cuts: int, minutos: int, window: tuple[int, int]) -> None:
    long = replace(_leido(UNO, minutos=minutos), encargo=_encargo(cortes=cuts))
    shown = momento(long)
    assert vista.ventana(shown) == window
    assert window[0] <= max(0, shown.periodo - 1) < window[1]
    near = vista.cercanas(shown)
    assert len(near) == 4
    assert min(shown.periodo, cuts) in near
    assert window[0] < near[0] <= near[-1] <= window[1]


def test_the_json_says_what_the_page_says() -> None:
    told = json.loads(json.dumps(vista.de_momento(momento(_leido(UNO, faults=FALLAS)))))
    assert told["formato"] == "pregon/vivo/1"
    assert [one["estado"] for one in told["difusores"][0]["celdas"]] == ["espera", "espera", "previsto", "previsto"]
    assert [(one["clase"], one["objetivo"]) for one in told["fallas"]] == [
        ("corrompido", "difusor-1"),
        ("corte_tarde", "instituto"),
    ]
