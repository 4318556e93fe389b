"""What the public state says, decided without touching anything: delays, public words, and nothing before the start."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from pregon.convocatoria import perfiles
from pregon.instituto.monitor.modelo import Dictamen
from pregon.instituto.opera.programa import Corte
from pregon.instituto.publico.avance import Avance
from pregon.instituto.publico.estado import estado
from pregon.instituto.publico.frases import frase, lapso, resumen
from pregon.instituto.publico.modelo import Actas, Contienda
from pregon.instituto.publico.retrasos import publica
from pregon.instituto.registro.lista import Renglon
from pregon.trust.aviso import TODOS, Aviso

if TYPE_CHECKING:
    from pregon.instituto.publico.modelo import Difusor, Publico

ZONA = ZoneInfo("America/Mexico_City")
CALL = perfiles.load("gro-2021")
PASO = timedelta(minutes=CALL.intervalo_min)
INICIO = CALL.inicio
AVANCE = Avance((Contienda("gub", "Gubernatura"),), {1: {"gub": Actas(100, 7, 6)}, 2: {"gub": Actas(100, 30, 28)}})


def firmado(corte: int, hueco: float, tras: float = 20, *, ultimo: bool = False) -> Corte:
    """A cut of the slot ``hueco`` signed ``tras`` seconds after its hour."""
    hour = INICIO + hueco * PASO
    return Corte(corte, hour, hour + timedelta(seconds=tras), "ab" * 32, ultimo)


def tarde(n: int, hueco: int, corte: int | None = None) -> Aviso:
    since = INICIO + hueco * PASO + timedelta(seconds=46)
    return Aviso(n, "retraso", (TODOS,), "El disco de Ofelia", f"El corte {hueco} se retrasa.", since, None, corte)


def linea(ident: str = "diario-uno", como: Any = "enlazado") -> Renglon:
    url = "https://uno.example" if como == "enlazado" else None
    return Renglon(ident.title(), ident, como, url, INICIO - timedelta(days=3), None)


def dicho(ident: str = "diario-uno", *, hora: datetime | None = None, **cambios: Any) -> Dictamen:
    made = Dictamen(difusor=ident, hora=hora or INICIO, veredicto="al_dia", causa="ninguna", corte=1)
    return replace(made, **cambios)


def todo(hueco: float, cortes: tuple[Corte, ...] = (), avisos: tuple[Aviso, ...] = (), **cambios: Any) -> Publico:
    """The state at that place of the night."""
    given: dict[str, Any] = {
        "ahora": INICIO + hueco * PASO,
        "renglones": (),
        "dictamenes": {},
        "avance": AVANCE,
        "razones": {},
        "disponibilidad": {},
        "margen": timedelta(seconds=45),
        "vale": timedelta(minutes=3),
    }
    return estado(CALL, cortes, avisos, **given | cambios)


def uno(**cambios: Any) -> Difusor:
    """How one difusor is, whose last verdict is that, at the second slot."""
    como = cambios.pop("como", "enlazado")
    now = INICIO + 1.5 * PASO
    told = dicho(hora=now - timedelta(seconds=cambios.pop("hace", 30)), **cambios)
    cuts = (firmado(1, 0), firmado(2, 1))
    found = todo(1.5, cuts, renglones=(linea(como=como),), dictamenes={"diario-uno": told})
    [one] = found.difusores
    return one


def test_before_the_start_no_cut_is_told_though_it_is_signed() -> None:
    lines = (linea(),)
    seen = {"diario-uno": dicho(hora=INICIO - timedelta(seconds=9), veredicto="alterado", causa="difusor")}
    signed = (firmado(0, -1), firmado(1, 0, tras=-30))
    state = todo(-0.001, signed, (tarde(1, 0),), renglones=lines, dictamenes=seen)
    assert (state.noche.fase, state.noche.cortes, state.noche.retrasos) == ("antes", (), ())
    assert (state.noche.contiendas, state.noche.proximo) == ((), INICIO)
    [one] = state.difusores
    assert (one.situacion, one.corte, one.visto) == ("antes", None, None)
    after = todo(0, signed)
    assert [cut.corte for cut in after.noche.cortes] == [1], "the package of before the start tells nothing"
    assert after.noche.cortes[0].actas == {"gub": Actas(100, 7, 6)}


@pytest.mark.parametrize(
    ("veredicto", "causa", "como", "situacion"),
    [
        ("al_dia", "ninguna", "enlazado", "al_dia"),
        ("al_dia", "red", "enlazado", "al_dia"),
        ("atrasado", "instituto", "enlazado", "al_dia"),
        ("atrasado", "difusor", "enlazado", "atrasado"),
        ("atrasado", "red", "enlazado", "parcial"),
        ("alterado", "difusor", "enlazado", "en_revision"),
        ("alterado", "red", "enlazado", "en_revision"),
        ("inaccesible", "difusor", "enlazado", "sin_respuesta"),
        ("inaccesible", "red", "enlazado", "sin_dato"),
        ("inaccesible", "sin_determinar", "enlazado", "sin_dato"),
        ("sin_determinar", "red", "enlazado", "sin_dato"),
        ("alterado", "difusor", "interrumpido", "interrumpido"),
        ("inaccesible", "difusor", "no_valido", "no_valido"),
        ("al_dia", "ninguna", "concluido", "concluido"),
    ],
)
def test_a_verdict_in_public_words(veredicto: Any, causa: Any, como: Any, situacion: str) -> None:
    one = uno(veredicto=veredicto, causa=causa, como=como, atraso_s=95.9)
    assert one.situacion == situacion
    shows = situacion in ("al_dia", "atrasado", "parcial")
    assert (one.corte, one.hora_corte) == ((1, INICIO) if shows else (None, None))
    assert one.atraso_s == (96 if situacion == "atrasado" else None)
    assert (one.visto is None) == (como != "enlazado")


def test_what_was_seen_long_ago_says_nothing_of_now() -> None:
    assert uno(hace=179, veredicto="inaccesible", causa="difusor").situacion == "sin_respuesta"
    stale = uno(hace=181, veredicto="inaccesible", causa="difusor")
    assert (stale.situacion, stale.visto) == ("sin_dato", None)


def test_a_cut_that_nobody_signed_is_not_told() -> None:
    assert (uno(corte=77).situacion, uno(corte=77).corte) == ("al_dia", None)


def test_late_lost_and_owed_cuts_with_why_in_public_words() -> None:
    cuts = (firmado(1, 0), firmado(2, 2, tras=440), firmado(3, 3, tras=45))
    why = {1: "ENTRADA: faltan /srv/ofelia", 2: "HALLAZGOS: acta 7 de Ofelia", 4: "se está haciendo"}
    state = todo(4.1, cuts, (tarde(1, 2, 2), tarde(2, 4)), razones=why)
    lost, late, owed = state.noche.retrasos
    assert (lost.desenlace, lost.corte, lost.segundos, lost.texto) == ("perdido", None, None, None)
    assert lost.porque == "No habían llegado los datos del corte."
    assert (late.desenlace, late.corte, late.segundos) == ("tarde", 2, 440)
    assert (late.texto, late.porque) == ("El corte 2 se retrasa.", "Los datos del corte se estaban revisando.")
    assert (owed.desenlace, owed.segundos) == ("pendiente", round(0.1 * PASO.total_seconds()))
    assert owed.porque == "El instituto aún preparaba el corte."
    assert state.noche.pendiente is owed
    assert state.noche.proximo == owed.vence == INICIO + 4 * PASO
    assert [(cut.corte, cut.a_tiempo, cut.tarde_s) for cut in state.noche.cortes] == [
        (1, True, 20),
        (2, False, 440),
        (3, True, 45),
    ]
    said = frase(state.noche, state.hora, ZONA).replace("\u00a0", " ")
    assert said.startswith(f"El instituto no ha publicado el corte de las {owed.vence:%H:%M} h: lleva ")
    assert "El último es el 3" in said
    assert "Ofelia" not in repr(state)


def test_a_cut_is_not_late_before_its_margin_unless_it_was_announced() -> None:
    soon = 1 + 30 / PASO.total_seconds()
    assert todo(soon, (firmado(1, 0),)).noche.retrasos == ()
    after = 1 + 46 / PASO.total_seconds()
    [owed] = todo(after, (firmado(1, 0),)).noche.retrasos
    assert (owed.desenlace, owed.texto) == ("pendiente", None)
    early = replace(tarde(1, 1), desde=INICIO + PASO + timedelta(seconds=5))
    [told] = todo(soon, (firmado(1, 0),), (early,)).noche.retrasos
    assert told.texto == "El corte 1 se retrasa."


def test_a_second_cut_of_one_slot_is_not_late() -> None:
    state = todo(0.9, (firmado(1, 0), firmado(2, 0.5)))
    assert state.noche.retrasos == ()
    assert [(cut.a_tiempo, cut.tarde_s) for cut in state.noche.cortes] == [(True, 20), (True, 0)]


def test_after_the_closing_cut_nothing_is_owed() -> None:
    state = todo(9, (firmado(1, 0), firmado(2, 1, ultimo=True)))
    assert (state.noche.fase, state.noche.proximo, state.noche.retrasos) == ("cerrada", None, ())
    assert "es el último" in frase(state.noche, state.hora, ZONA)


def test_the_closing_cut_is_owed_though_its_slot_ended() -> None:
    slots = int((CALL.fin_actualizacion - INICIO) / PASO)
    cuts = tuple(firmado(n + 1, n) for n in range(slots))
    [owed] = todo(slots + 1.5, cuts).noche.retrasos
    assert (owed.desenlace, owed.vence) == ("pendiente", CALL.fin_actualizacion)


@pytest.mark.parametrize(
    ("porque", "dice"),
    [
        ("ENTRADA: No están los archivos de /srv/prep", "No habían llegado los datos del corte."),
        ("HALLAZGOS: 3 actas de la casilla 7", "Los datos del corte se estaban revisando."),
        ("CIERRE: espera a Ana Ruiz", "El corte de cierre esperaba la confirmación del instituto."),
        ("DISCO: /dev/sda1 lleno", "Hubo una falla técnica en el instituto."),
        ("FALTANTE_NUEVO: lo que sea", "Hubo una falla técnica en el instituto."),
        ("se está haciendo", "El instituto aún preparaba el corte."),
        ("no se ha podido comenzar", "El instituto aún preparaba el corte."),
        ("Ofelia apagó el servidor", "El instituto no ha dicho la causa."),
        ("Ofelia: apagó el servidor", "El instituto no ha dicho la causa."),
        ("", "El instituto no ha dicho la causa."),
    ],
)
def test_why_a_cut_was_late_in_words_for_anybody(porque: str, dice: str) -> None:
    assert publica(porque) == dice


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3900, "1 h 05 min")]
)
def test_a_lapse_in_whole_units(seconds: int, said: str) -> None:
    assert lapso(seconds).replace("\u00a0", " ") == said


def test_the_sentence_on_difusores_counts_who_publishes() -> None:
    lines = (linea("a1"), linea("b2"), linea("c3", "interrumpido"))
    now = INICIO + 0.5 * PASO
    told = {"a1": dicho("a1", hora=now), "b2": dicho("b2", hora=now, veredicto="inaccesible", causa="difusor")}
    state = todo(0.5, (firmado(1, 0),), renglones=lines, dictamenes=told)
    assert resumen(state.difusores) == "Al día: 1 de 2 difusores."
    assert resumen(state.difusores[2:]) == "Ningún difusor publica por ahora."
    early = todo(-1, renglones=lines)
    assert resumen(early.difusores) == "2 difusores listos para la publicación."
