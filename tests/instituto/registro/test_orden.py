"""Orders on a difusor: registered once, notice signed once, state after the signature, whatever stops it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base import locks
from pregon.base.errors import EntradaError, FindingsError, FormatoError, InstanciaError, UsoError
from pregon.base.state import StateDatabase
from pregon.convocatoria.solicitud import logo
from pregon.instituto import avisos
from pregon.instituto.registro import almacen, orden
from pregon.instituto.registro.almacen import Registro
from pregon.trust.aviso import parse_aviso
from tests.instituto.conftest import tree_digest
from tests.instituto.registro.fichas import ANA, PROGRAMA, ficha
from tests.instituto.registro.test_logo import SVG

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.instituto.registro.fichas import Casa


def signed(house: Casa) -> list[tuple[str, tuple[str, ...]]]:
    notices = house.espacio.repository().notices()
    return [(one.tipo, one.difusores) for one in (parse_aviso(data, n=n) for n, data in notices)]


def ordena(house: Casa, nuevo: str, mandato: object = ANA, **words: object) -> orden.Hecho:
    return orden.ordena(house.espacio, "diario-uno", nuevo, mandato, **words)  # type: ignore[arg-type]


def test_registration_is_told_in_the_journal_with_nothing_confidential(gro: Casa) -> None:
    gro.alta()
    [event] = gro.eventos("alta")
    assert (event["difusor"], event["nombre"], event["operador"], event["en_plazo"]) == (
        "diario-uno",
        "Diario Uno",
        "Ana Ruiz",
        False,  # two days before the night; GRO-1.4 says 3 May
    )
    assert gro.registro.en_plazo(gro.clock.now() - timedelta(days=40))
    one = gro.registro.uno("diario-uno")
    assert (one.n, one.estado, one.alta, one.desde) == (1, "solicitado", gro.clock.now(), gro.clock.now())


def test_refused_registrations_leave_the_registry_as_it_was(gro: Casa, de_perfil: Callable[[str], Casa]) -> None:
    gro.alta()
    profile = gro.espacio.convocatoria
    before = (gro.registro.todos(), len(gro.eventos("alta")))
    other = ficha(profile, url="https://otro.example")
    for ident, form, kind, said in (
        ("diario-uno", other, UsoError, "ya está en el registro"),
        ("Diario", other, FormatoError, "identificador"),
        ("../x", other, FormatoError, "identificador"),
        (
            "radio-2",
            ficha(profile, url="https://diario-uno.example/prep"),
            UsoError,
            "es ya la del difusor «diario-uno»",
        ),
        ("radio-2", ficha(profile, url="http://radio-2.example"), FormatoError, "no es https"),
    ):
        with pytest.raises(kind, match=said):
            gro.registro.alta(ident, form, ANA)
        assert (gro.registro.todos(), len(gro.eventos("alta"))) == before
    (gro.folder / "llaves" / "registro.clave").unlink()
    with pytest.raises(EntradaError, match="clave del registro"):
        gro.registro.alta("radio-2", other, ANA)
    assert (gro.registro.todos(), len(gro.eventos("alta"))) == before


def test_a_changed_form_keeps_state_history_and_logo(gro: Casa) -> None:
    gro.alta()
    gro.lleva("diario-uno", "admitido", "activo")
    gro.registro.pone_logo("diario-uno", SVG, logo.admite(SVG, ()), ANA)
    before = gro.registro.uno("diario-uno")
    made = gro.registro.cambia("diario-uno", ficha(gro.espacio.convocatoria, nombre="Diario Uno Digital"), ANA)
    assert made.nombre == "Diario Uno Digital"
    assert (made.estado, made.historia, made.logo, made.n) == (before.estado, before.historia, before.logo, before.n)
    assert gro.registro.ficha("diario-uno").nombre == "Diario Uno Digital"
    with pytest.raises(EntradaError, match="No está en el registro"):
        gro.registro.cambia("radio-2", ficha(gro.espacio.convocatoria), ANA)


def test_an_applicant_whose_form_lacks_something_is_admitted_only_on_purpose(gro: Casa) -> None:
    gro.alta(domicilio=None)
    with pytest.raises(FindingsError, match="Ciudad"):
        orden.admite(gro.espacio, "diario-uno", ANA)
    assert gro.registro.uno("diario-uno").estado == "solicitado"
    done = orden.admite(gro.espacio, "diario-uno", ANA, aunque_falte=True)
    assert (done.inscrito.estado, done.aviso) == ("admitido", None)
    assert gro.eventos("estado_difusor")[0]["motivo"] == "resolución 7"


def test_suspension_attack_and_return_sign_one_notice_each(gro: Casa) -> None:
    """GRO-3.3, MEX-I-13."""
    gro.alta()
    gro.lleva("diario-uno", "admitido", "activo")
    done = ordena(gro, "suspendido", PROGRAMA, texto="Se interrumpió.")
    assert done.aviso is not None
    assert (done.aviso.texto, done.inscrito.historia[-1].aviso) == ("Se interrumpió.", 1)
    ordena(gro, "activo", PROGRAMA)
    ordena(gro, "suspendido")
    ordena(gro, "bloqueado")
    with pytest.raises(UsoError, match="orden de una persona"):
        ordena(gro, "activo", PROGRAMA)
    assert len(signed(gro)) == 4
    ordena(gro, "activo")
    assert signed(gro) == [
        (kind, ("diario-uno",)) for kind in ("suspension", "reinstalacion", "suspension", "ataque", "reinstalacion")
    ]
    events = gro.eventos("estado_difusor")
    assert [(each["a"], each["quien"], each["aviso"]) for each in events[2:]] == [
        ("suspendido", "programa", 1),
        ("activo", "programa", 2),
        ("suspendido", "operador", 3),
        ("bloqueado", "operador", 4),
        ("activo", "operador", 5),
    ]
    assert [each["paso"] for each in events] == [2, 3, 4, 5, 6, 7, 8]


def test_removal_is_final_and_its_exception_is_recorded(de_perfil: Callable[[str], Casa]) -> None:
    """INE-I-d-3: irrevocable, save force majeure, which the institute assesses."""
    house = de_perfil("ine-2021")
    house.alta()
    house.lleva("diario-uno", "admitido", "activo")
    ordena(house, "baja")
    assert signed(house) == [("suspension", ("diario-uno",))]
    assert house.eventos("baja")[0]["clausula"] == "INE-I-d-3"
    for state in ("activo", "suspendido", "bloqueado", "solicitado", "baja", "concluido"):
        with pytest.raises(UsoError, match="no pasa a"):
            ordena(house, state)
    with pytest.raises(UsoError, match="falta la evidencia"):
        ordena(house, "admitido", type(ANA)(quien="operador", operador="Ana", motivo="inundación"))
    assert house.registro.uno("diario-uno").estado == "baja"
    ordena(house, "admitido")
    assert signed(house)[-1] == ("reinstalacion", ("diario-uno",))
    [kept] = [each for each in house.eventos("estado_difusor") if each["orden"] == "exceptua"]
    assert (kept["operador"], kept["evidencia"]) == ("Ana Ruiz", ["observación 12"])


def test_power_lost_between_the_signature_and_the_state_signs_one_notice(
    gro: Casa, monkeypatch: pytest.MonkeyPatch
) -> None:
    gro.alta()
    gro.lleva("diario-uno", "admitido", "activo")

    class Corte(BaseException):
        pass

    def dies(*_: object, **__: object) -> None:
        raise Corte

    for number, (new, kinds) in enumerate(
        (("suspendido", ["suspension"]), ("activo", ["suspension", "reinstalacion"])), start=1
    ):
        before = gro.registro.uno("diario-uno")
        with monkeypatch.context() as patched:
            patched.setattr(Registro, "pasa", dies)
            with pytest.raises(Corte):
                ordena(gro, new)
        assert [kind for kind, _ in signed(gro)] == kinds
        assert gro.registro.uno("diario-uno") == before
        done = ordena(gro, new)
        assert [kind for kind, _ in signed(gro)] == kinds
        assert (done.inscrito.estado, done.inscrito.historia[-1].aviso) == (new, number)


def test_a_text_that_no_difusor_would_read_signs_nothing_and_changes_nothing(gro: Casa) -> None:
    gro.alta()
    gro.lleva("diario-uno", "admitido", "activo")
    before = (tree_digest(gro.folder / "repositorio"), gro.registro.todos())
    with pytest.raises(FormatoError):
        ordena(gro, "suspendido", texto="a\u202eb")
    with pytest.raises(UsoError, match="falta el motivo y falta la evidencia"):
        ordena(gro, "suspendido", type(ANA)(quien="operador", operador="Ana"))
    assert (tree_digest(gro.folder / "repositorio"), gro.registro.todos()) == before


def test_two_at_once_take_turns(gro: Casa, monkeypatch: pytest.MonkeyPatch) -> None:
    gro.alta()
    monkeypatch.setattr(almacen, "TURNO_S", 0.02)
    with locks.exclusive(gro.folder / almacen.CANDADO), pytest.raises(InstanciaError):
        gro.registro.pasa("diario-uno", "admitido", ANA)
    assert gro.registro.uno("diario-uno").estado == "solicitado"
    assert gro.eventos("estado_difusor") == []


def test_nothing_is_signed_while_another_order_is_being_carried_out(gro: Casa, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suspension signed over an attack that was signed a moment before would be what the difusor obeys (MEX-I-13)."""
    gro.alta()
    gro.lleva("diario-uno", "admitido", "activo")
    monkeypatch.setattr(orden, "TURNO_S", 0.02)
    with locks.exclusive(gro.folder / orden.CANDADO), pytest.raises(InstanciaError):
        ordena(gro, "suspendido")
    assert signed(gro) == []
    assert gro.registro.uno("diario-uno").estado == "activo"


def test_nobody_is_done_before_permanence_ends_but_by_a_person_with_a_reason(
    gro: Casa, de_perfil: Callable[[str], Casa]
) -> None:
    """GRO-1.1c; MOR gives no date, so a person decides (clauses.md §7)."""
    gro.alta()
    gro.lleva("diario-uno", "admitido", "activo")
    until = gro.espacio.convocatoria.permanencia_hasta
    assert until is not None
    gro.clock.instant = until
    with pytest.raises(UsoError, match="no ha terminado"):
        ordena(gro, "concluido", type(PROGRAMA)(quien="programa"))
    assert gro.registro.uno("diario-uno").estado == "activo"
    gro.clock.instant = until + timedelta(seconds=1)
    assert ordena(gro, "concluido", type(PROGRAMA)(quien="programa")).aviso is None
    house = de_perfil("mor-2024")
    house.alta()
    house.lleva("diario-uno", "admitido", "activo")
    house.clock.instant += timedelta(days=400)
    with pytest.raises(UsoError, match="lo decide una persona"):
        ordena(house, "concluido", type(PROGRAMA)(quien="programa", motivo="x"))
    ordena(house, "concluido")


def test_from_the_hour_of_the_start_every_admitted_one_is_active(gro: Casa) -> None:
    """GRO-1.1a: who shows nothing from the beginning is counted from the beginning."""
    for ident, path in (("a", ()), ("b", ("admitido",)), ("c", ("admitido", "baja")), ("d", ("admitido", "activo"))):
        gro.alta(f"{ident}-1")
        gro.lleva(f"{ident}-1", *path)
    before = gro.registro.todos()
    gro.clock.instant = gro.espacio.convocatoria.inicio - timedelta(seconds=1)
    assert orden.empieza(gro.espacio) == ()
    assert gro.registro.todos() == before
    gro.clock.instant += timedelta(seconds=1)
    assert [(one.id, one.estado) for one in orden.empieza(gro.espacio)] == [("b-1", "activo")]
    assert [one.estado for one in gro.registro.todos()] == ["solicitado", "activo", "baja", "activo"]
    last = gro.registro.uno("b-1").historia[-1]
    assert (last.quien, last.hora) == ("programa", gro.clock.now())
    assert orden.empieza(gro.espacio) == ()
    assert signed(gro) == []


def test_who_is_watched(gro: Casa) -> None:
    """From admission to permanence, suspended ones too: they come back by what is seen of them (INE-IV-a)."""
    paths: dict[str, tuple[str, ...]] = {
        "solicitado": (),
        "admitido": ("admitido",),
        "activo": ("admitido", "activo"),
        "suspendido": ("admitido", "activo", "suspendido"),
        "bloqueado": ("admitido", "activo", "bloqueado"),
        "baja": ("admitido", "baja"),
        "rechazado": ("rechazado",),
        "concluido": ("admitido", "activo", "concluido"),
    }
    for ident, path in paths.items():
        gro.alta(ident)
        gro.lleva(ident, *path)  # type: ignore[arg-type]
    assert {one.id: one.estado for one in gro.registro.todos()} == {ident: ident for ident in paths}
    assert [one.id for one in gro.registro.vigilables()] == ["admitido", "activo", "suspendido", "bloqueado"]


def test_an_order_signed_before_there_was_a_form_is_not_signed_again(gro: Casa) -> None:
    """A difusor that was only a ``[[destino]]`` and suspended by hand, then registered."""
    avisos.suspend(gro.espacio, "diario-uno", avisos.Orden("m", "Ana"), texto="t", sin_registro=True)
    gro.alta()
    gro.lleva("diario-uno", "admitido", "activo")
    assert ordena(gro, "suspendido").inscrito.historia[-1].aviso == 1
    assert len(signed(gro)) == 1


def test_power_lost_between_the_journal_and_the_state_is_told_twice_and_done_once(
    gro: Casa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing changes that the journal does not tell; the repeated line has the same ``paso``."""
    gro.alta()

    class Corte(BaseException):
        pass

    def dies(*_: object, **__: object) -> None:
        raise Corte

    with monkeypatch.context() as patched:
        patched.setattr(StateDatabase, "put_row", dies)
        with pytest.raises(Corte):
            gro.registro.pasa("diario-uno", "admitido", ANA)
    assert gro.registro.uno("diario-uno").estado == "solicitado"
    gro.registro.pasa("diario-uno", "admitido", ANA)
    assert [(each["a"], each["paso"]) for each in gro.eventos("estado_difusor")] == [("admitido", 2)] * 2
    assert [step.a for step in gro.registro.uno("diario-uno").historia] == ["solicitado", "admitido"]
