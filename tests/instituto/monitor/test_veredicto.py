"""The verdict, case by case: pure, on hours written by hand. Tolerance ten minutes, a cut every twenty from 20:00."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from pregon.convocatoria import perfiles
from pregon.instituto.monitor.modelo import Dictamen, Muestra, Observacion, Periodo, Vista
from pregon.instituto.monitor.periodos import periodos
from pregon.instituto.monitor.veredicto import Firmado, Reglas, debe_el_instituto, dictamina, mirada

INICIO = datetime(2021, 6, 7, 1, 0, tzinfo=UTC)
MINUTO = timedelta(minutes=1)
PASO = 20 * MINUTO
REGLAS = Reglas(inicio=INICIO, intervalo=PASO, tolerancia=10 * MINUTO, periodos_aviso=3)
WELL = Muestra("index.html", "a" * 64, "a" * 64)
WRONG = Muestra("index.html", "a" * 64, "b" * 64)
MISSING = Muestra("index.html", "a" * 64, None)


def slots(*firmados: float | None, total: int = 12) -> tuple[Periodo, ...]:
    """Slots whose cuts were signed so many minutes after their hour; None: the institute missed it."""
    made, number = [], 0
    for index in range(total):
        due = INICIO + index * PASO
        late = firmados[index] if index < len(firmados) else None
        if late is None:
            made.append(Periodo(index, due, due + PASO))
        else:
            number += 1
            made.append(Periodo(index, due, due + PASO, number, due + late * MINUTO, f"{number:064d}"))
    return tuple(made)


def at(minutes: float) -> datetime:
    return INICIO + minutes * MINUTO


def seen(minutes: float, corte: int | None = None, *, punto: str = "a", url: str = "https://uno.mx/") -> Observacion:
    """A good look at a portal that shows ``corte``; None: it does not answer."""
    base = Observacion(punto=punto, difusor="uno", url=url, hora=at(minutes), alcanzable=False, codigo="RED", n=7)
    if corte is None:
        return base
    return replace(
        base,
        alcanzable=True,
        codigo=None,
        estado=200,
        forma="resultados",
        corte=corte,
        manifiesto_sha256=f"{corte:064d}",
        muestras=(WELL,),
    )


def page(minutes: float, forma: str) -> Observacion:
    return replace(seen(minutes, 1), forma=forma, corte=None, manifiesto_sha256=None, muestras=())  # type: ignore[arg-type]


def judge(minutes: float, *observaciones: Observacion, cuts: tuple[Periodo, ...] | None = None, **more: object) -> str:
    """«veredicto causa MOTIVOS corte» at that minute."""
    one = dictum(minutes, *observaciones, cuts=cuts, **more)
    shown = "" if one.corte is None else f" {one.corte}"
    return f"{one.veredicto} {one.causa} {','.join(one.motivos)}{shown}".strip()


def dictum(
    minutes: float, *observaciones: Observacion, cuts: tuple[Periodo, ...] | None = None, **more: object
) -> Dictamen:
    arguments: dict[str, object] = {
        "ahora": at(minutes),
        "reglas": REGLAS,
        "periodos": slots(0.5, 0.5, 0.5) if cuts is None else cuts,
        "observaciones": observaciones,
    }
    return dictamina("uno", **{**arguments, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("minutes", "corte", "expected"),
    [
        (1.0, 1, "al_dia ninguna  1"),
        (20.9, 1, "al_dia ninguna  1"),  # the second was just signed
        (30.4, 1, "al_dia ninguna  1"),  # the tolerance ends at 30.5
        (30.6, 1, "atrasado difusor CORTE_VIEJO 1"),
        (30.6, 2, "al_dia ninguna  2"),
        (41.0, 1, "atrasado difusor CORTE_VIEJO 1"),
        (41.0, 2, "al_dia ninguna  2"),
        (41.0, 3, "al_dia ninguna  3"),
        (41.0, 4, "alterado difusor CORTE_AJENO 4"),  # nobody signed a fourth
    ],
)
def test_an_older_cut_is_late_once_the_tolerance_passed(minutes: float, corte: int, expected: str) -> None:
    assert judge(minutes, seen(minutes, corte)) == expected


def test_how_late_it_is_counts_from_the_signature_of_the_cut_it_should_show() -> None:
    assert dictum(35.5, seen(35.5, 1)).atraso_s == 15 * 60
    assert dictum(35.5, seen(35.5, 2)).atraso_s is None
    assert dictum(35.5, seen(35.5, 1)).evidencia == (7,)


def test_results_before_the_start_are_early_and_everything_else_is_as_it_should_be() -> None:
    """GRO-1.1a, DGO-I-1a, MOR-I-5a, MEX-I-1a, INE-I-a-1."""
    none = slots()
    assert judge(-5, seen(-5, 1), cuts=none) == "alterado difusor ANTICIPADO 1"
    assert judge(-5, seen(-5, 0), cuts=none) == "alterado difusor ANTICIPADO 0"
    assert judge(-0.01, seen(-0.01, 1)).startswith("al_dia")  # two right clocks differ by less than this
    for forma in ("espera", "aviso", "otra"):
        assert judge(-5, page(-5, forma), cuts=none) == "al_dia ninguna"
    assert judge(-5, seen(-5), cuts=none) == "inaccesible difusor SIN_RESPUESTA"


def test_bytes_that_are_not_the_signed_ones_are_altered_from_wherever_they_are_seen() -> None:
    bad = replace(seen(41, 3), muestras=(WELL, WRONG))
    assert judge(41, bad) == "alterado difusor CONTENIDO 3"
    assert judge(41, bad, seen(41, 3, punto="b")) == "alterado difusor CONTENIDO 3"
    assert judge(41, replace(seen(41, 3), manifiesto_sha256="f" * 64)) == "alterado difusor CORTE_AJENO 3"
    plain = replace(bad, url="http://uno.mx/")
    assert judge(41, plain) == "alterado difusor CONTENIDO 3"
    assert judge(41, plain, seen(41, 3, punto="b", url="http://uno.mx/")) == "alterado red CONTENIDO 3"
    other = replace(seen(41, 3, punto="b"), muestras=(Muestra("otra.html", "c" * 64, "c" * 64),))
    assert judge(41, plain, other) == "alterado difusor CONTENIDO 3"


def test_files_that_did_not_come_are_silence_only_where_they_are_most() -> None:
    assert judge(41, replace(seen(41, 3), muestras=(WELL, WELL, MISSING))) == "al_dia ninguna SIN_RESPUESTA 3"
    assert judge(41, replace(seen(41, 3), muestras=(WELL, MISSING, MISSING))) == ("inaccesible difusor SIN_RESPUESTA 3")
    assert judge(41, replace(seen(41, 3), muestras=())) == "al_dia ninguna  3"


def test_showing_no_results_when_there_are_is_late_by_its_own_fault() -> None:
    assert judge(5, page(5, "espera")) == "al_dia ninguna"
    assert judge(12, page(12, "espera")) == "atrasado difusor ESPERA_TARDIA"
    assert judge(12, page(12, "aviso")) == "atrasado difusor AVISO_PROPIO"
    assert judge(12, page(12, "otra")) == "alterado difusor CORTE_AJENO"


def test_who_was_ordered_the_notice_shows_it_and_who_was_reinstated_has_the_tolerance_to_obey() -> None:
    """GRO-3.3b MEX-I-13."""
    assert judge(50, page(50, "aviso"), mando="aviso") == "al_dia ninguna"
    assert judge(50, page(50, "otra"), mando="aviso") == "al_dia ninguna"
    assert judge(50, seen(50, 3), mando="aviso") == "al_dia ninguna  3"  # seen well from outside: it may return
    assert judge(50, page(50, "aviso"), mando_desde=at(45)) == "al_dia ninguna AVISO_PROPIO"
    assert judge(56, page(56, "aviso"), mando_desde=at(45)) == "atrasado difusor AVISO_PROPIO"


def test_where_the_institute_owes_a_cut_the_newest_is_late_by_the_institute() -> None:
    """Missed cuts of the institute count for nobody (GRO-3.3a)."""
    missed = slots(0.5, None, None)
    assert judge(21, seen(21, 1), cuts=missed) == "al_dia ninguna  1"
    assert judge(25, seen(25, 1), cuts=missed) == "atrasado instituto  1"
    assert judge(45, seen(45, 1), cuts=missed) == "atrasado instituto  1"
    assert judge(5, page(5, "espera"), cuts=slots(None)) == "atrasado instituto"
    late = slots(0.5, 8)
    assert judge(27, seen(27, 1), cuts=late) == "atrasado instituto  1"  # judged at its hour, not at a later one
    assert judge(29, seen(29, 1), cuts=late) == "al_dia ninguna  1"
    assert judge(39, seen(39, 1), cuts=late) == "atrasado difusor CORTE_VIEJO 1"
    own = slots(0.5, 0.5, None)
    assert judge(50, seen(50, 1), cuts=own) == "atrasado difusor CORTE_VIEJO 1"  # its own lateness goes first


def test_the_notice_that_a_difusor_puts_by_itself_after_the_institutes_silence_is_the_institutes() -> None:
    """GRO-3.3b: three periods without a signal, and the difusor interrupts by itself."""
    silent = slots(0.5, None, None, None, None)
    assert judge(50, page(50, "aviso"), cuts=silent) == "atrasado difusor AVISO_PROPIO"  # too early
    assert judge(62, page(62, "aviso"), cuts=silent) == "atrasado instituto AVISO_PROPIO"
    back = slots(0.5, None, None, None, 0.5)
    assert judge(85, page(85, "aviso"), cuts=back) == "atrasado instituto AVISO_PROPIO"
    assert judge(92, page(92, "aviso"), cuts=back) == "atrasado difusor AVISO_PROPIO"


def test_an_old_copy_towards_one_point_is_the_networks_and_the_last_look_before_a_change_is_nobodys() -> None:
    old, new = seen(41, 1), seen(41, 3, punto="b")
    assert judge(41, old, new) == "atrasado red CORTE_VIEJO 1"
    assert judge(41, replace(old, hora=at(40.5)), new) == "al_dia ninguna  3"
    assert judge(41, old, replace(old, punto="b")) == "atrasado difusor CORTE_VIEJO 1"
    assert judge(41, old, seen(41, punto="b")) == "atrasado difusor CORTE_VIEJO 1"


def test_silence_accuses_only_where_two_points_agree_or_there_is_only_one() -> None:
    quiet, awake = seen(41), Vista("a", at(41), con_red=True)
    assert judge(41, quiet) == "inaccesible difusor SIN_RESPUESTA"
    assert judge(41, quiet, vistas=[awake]) == "inaccesible difusor SIN_RESPUESTA"
    assert judge(41, quiet, vistas=[replace(awake, alguien=False)]) == "inaccesible sin_determinar SIN_RESPUESTA"
    asleep = Vista("b", at(41), con_red=False)
    assert judge(41, quiet, seen(41, punto="b"), vistas=[awake, asleep]) == "inaccesible sin_determinar SIN_RESPUESTA"
    assert judge(41, quiet, puntos=2) == "inaccesible sin_determinar SIN_RESPUESTA"
    assert judge(41, quiet, seen(41, punto="b"), puntos=3) == "inaccesible difusor SIN_RESPUESTA"
    assert judge(41, quiet, seen(41, 3, punto="b")) == "al_dia red SIN_RESPUESTA 3"


def test_wrong_tls_is_seen_and_not_silence() -> None:
    """INE-II-a-iii-1."""
    wrong = replace(seen(41), codigo="TLS")
    assert judge(41, wrong, puntos=3) == "inaccesible difusor TLS"
    assert judge(41, wrong, seen(41, 3, punto="b")) == "al_dia red TLS 3"


def test_what_a_point_saw_without_its_own_network_says_nothing() -> None:
    asleep = Vista("a", at(41), con_red=False)
    assert judge(41, seen(41), vistas=[asleep]) == "sin_determinar red"
    assert judge(41, replace(seen(41, 3), muestras=(WRONG,)), vistas=[asleep]) == "sin_determinar red"
    assert judge(41, seen(41), seen(41, 3, punto="b"), vistas=[asleep]) == "al_dia ninguna  3"
    assert judge(41, seen(41), vistas=[asleep, Vista("a", at(40), con_red=True)]) == "sin_determinar red"
    assert judge(41) == "sin_determinar sin_determinar"
    assert judge(41, seen(37, 3)) == "sin_determinar sin_determinar"  # too old to say something of now
    assert judge(41, seen(42)) == "sin_determinar sin_determinar"  # of the future


def test_a_self_report_never_makes_anything_better() -> None:
    assert judge(35, seen(35, 1), visible=2) == "atrasado difusor CORTE_VIEJO,AUTOINFORME 1"
    assert judge(35, seen(35, 1), visible=1) == "atrasado difusor CORTE_VIEJO 1"
    assert judge(35, seen(35), visible=2) == "inaccesible difusor SIN_RESPUESTA"
    assert judge(35, seen(35, 2), visible=None) == "al_dia ninguna  2"
    bad = replace(seen(35, 2), muestras=(WRONG,))
    assert judge(35, bad, visible=2) == "alterado difusor CONTENIDO,AUTOINFORME 2"


def test_what_is_told_and_is_no_failure() -> None:
    noted = replace(seen(41, 3), cabeceras=("falta",), segundos=12.0, desfase_s=-90.0)
    one = dictum(41, noted)
    assert (one.veredicto, one.motivos) == ("al_dia", ("CABECERAS", "HORA", "LENTO"))
    assert not one.falla


def test_each_public_address_is_judged_and_the_worst_is_said() -> None:
    second = replace(seen(41, 1), direccion=1, url="https://dos.mx/")
    assert judge(41, seen(41, 3), second) == "atrasado difusor CORTE_VIEJO 1"
    dead = replace(seen(41), direccion=1, url="https://dos.mx/")
    assert judge(41, seen(41, 3), dead) == "inaccesible difusor SIN_RESPUESTA"


def test_a_cut_signed_besides_the_slots_is_not_foreign() -> None:
    extra = [Firmado(corte=9, firmado=at(41), manifiesto_sha256=f"{9:064d}")]
    assert judge(42, seen(42, 9), firmados=extra) == "al_dia ninguna  9"
    assert judge(42, seen(42, 9)) == "alterado difusor CORTE_AJENO 9"


def test_after_permanence_nobody_is_judged() -> None:
    assert judge(200, seen(200), reglas=replace(REGLAS, hasta=at(199))) == "sin_determinar ninguna"


def test_whether_a_point_has_a_network_is_told_by_its_witnesses_or_by_losing_everybody() -> None:
    def view(testigos: list[bool], alcanzados: list[bool]) -> tuple[bool, bool]:
        one = mirada("a", INICIO, testigos=testigos, alcanzados=alcanzados)
        return one.con_red, one.alguien

    assert view([False, True], [False] * 9) == (True, True)
    assert view([False, False], [True]) == (False, True)
    assert view([], [False] * 3) == (False, False)
    assert view([], [False] * 2) == (True, False)
    assert view([], [False, False, True]) == (True, True)


def test_the_slots_are_those_of_the_call_and_each_has_the_last_cut_of_its_time() -> None:
    call = perfiles.load("gro-2021")
    signed = [
        (Firmado(corte=n, firmado=call.inicio + minute * MINUTO), call.inicio + minute * MINUTO)
        for n, minute in ((0, -60), (1, 0), (2, 20), (3, 47), (4, 59.5))
    ]
    made = periodos(call, signed)
    assert len(made) == 73  # INE: 24 hours of twenty minutes, and the one of the end
    assert [one.corte for one in made[:5]] == [1, 2, 3, 4, None]
    assert all(one.hasta == other.vence for one, other in pairwise(made))
    assert made[-1].vence == call.fin_actualizacion
    closed = periodos(call, signed, cierre=4)
    assert [one.corte for one in closed] == [1, 2, 3, 4]


def test_the_institute_owes_a_cut_from_the_margin_until_it_signs_one() -> None:
    made = slots(0.5, None, 0.5)
    owed = [minute for minute in range(65) if debe_el_instituto(made, REGLAS, at(minute))]
    assert owed == [*range(22, 41), *range(62, 65)]


@pytest.mark.parametrize(
    ("profile", "seconds"),
    [("gro-2021", 600), ("dgo-2024", 60), ("mor-2024", 300), ("mex-2021", 600), ("ine-2021", 600)],
)
def test_the_tolerance_is_the_one_of_each_call(profile: str, seconds: int) -> None:
    """GRO-2.2b says ten minutes and DGO-I-2 one; half the interval where a call says nothing."""
    assert Reglas.de(perfiles.load(profile)).tolerancia == timedelta(seconds=seconds)
