"""The due process through real channels: two warnings, an order that waits, its signature, the return (GRO-3.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import EntradaError, UsoError
from pregon.convocatoria.solicitud.modelo import Contacto
from pregon.instituto.proceso.textos import huella, orden
from pregon.instituto.registro import lista
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.estados import Mandato
from pregon.instituto.registro.orden import ordena
from tests.instituto.proceso.casa import CONFIDENCIAL, GUARDIA, LEGAL, OPERADORA, RADIO, TECNICA, TELE, TELEFONO, ficha

if TYPE_CHECKING:
    from tests.instituto.proceso.casa import Casa


def enlazado(casa: Casa) -> dict[str, str | None]:
    """The links of the public list, by id."""
    space = casa.espacio
    return {one.id: one.url for one in lista.renglones(space.convocatoria, Registro(space).todos())}


def test_warning_says_reason_evidence_count_and_contact_by_two_channels(casa: Casa) -> None:
    """GRO-3.2: the institute gets in touch with the difusor; GRO-3.3a: how many are left."""
    casa.periodo(0, radio="inaccesible")
    mails = casa.correo.espera(2)
    assert sorted(one.para for one in mails) == [(TECNICA,), (LEGAL,)]
    mail = next(one.mensaje for one in mails if one.para == (TECNICA,))
    body = mail.get_content()
    assert "Advertencia 1 de 3 a Radio Uno" in mail["subject"]
    for words in (
        "su portal no responde",
        "el corte 0001",
        "1 corte fallido, de 3 que fija la convocatoria",
        "observaciones 7, 8",
        f"SHA-256 {huella(casa.visto(RADIO, 0, 'inaccesible'))}",
        GUARDIA,
        "Cite la advertencia A0000-radio-uno",
        "20:20 del 06/06/2021",
    ):
        assert words in " ".join(body.split()), words
    assert not [one for one in mails if TELEFONO in one.mensaje.get_content()]

    (told,) = casa.llamados()
    assert told["clave"] == "A0000-radio-uno"
    # Who calls by telephone needs the number; the mail of the difusor itself does not.
    assert f"Ana Ruiz, {TELEFONO}, {TECNICA}" in told["texto"]

    (warning,) = casa.proceso().diario.advertencias.values()
    assert {name: (one.fase, one.intentos) for name, one in warning.envios.items()} == {
        f"correo smtp://127.0.0.1:{casa.correo.puerto}, contacto 1": ("aceptada", 1),
        f"correo smtp://127.0.0.1:{casa.correo.puerto}, contacto 2": ("aceptada", 1),
        f"webhook {casa.gancho.url}": ("aceptada", 1),
    }
    journal = str([one.dato for one in casa.eventos("advertencia", "periodo")])
    assert not [word for word in CONFIDENCIAL if word in journal]
    assert casa.proceso().diario.cuenta(TELE).seguidas == 0


def test_two_warnings_then_an_order_that_waits_and_nothing_is_signed_meanwhile(casa: Casa) -> None:
    for index in range(2):
        casa.periodo(index, radio="inaccesible")
        assert casa.proceso().diario.orden_en_pie(RADIO) is None
    process = casa.periodo(2, radio="inaccesible")
    assert list(process.diario.advertencias) == ["A0000-radio-uno", "A0001-radio-uno"]
    order = process.diario.orden_en_pie(RADIO)
    assert order is not None
    assert (order.id, order.accion, order.fase, order.cuenta) == ("O0001", "suspender", "propuesta", 3)
    # The profile of a night is no call's own: there is no clause to name.
    assert order.clausula == "regla de fallo de la convocatoria"
    assert order.evidencia[:3] == tuple(f"periodo {n}: observaciones {100 * n + 7}, {100 * n + 8}" for n in range(3))
    assert "aceptada por correo" in order.evidencia[3]
    assert [one.codigo for one in casa.dichos if one.severidad == "alarma"] == ["ORDEN_O0001"]
    # A fourth failure changes nothing of it: it waits for a person.
    casa.periodo(3, radio="inaccesible")
    assert (casa.avisos(), casa.estado()) == ([], "activo")
    assert len(casa.eventos("orden_propuesta")) == 1
    assert enlazado(casa)[RADIO] is not None


def test_confirmed_order_signs_takes_the_link_off_and_is_told(casa: Casa) -> None:
    """GRO-3.3b and GRO-3.3c: the notice in the portal, the link disabled."""
    process = casa.fallan(3)
    before = len(casa.correo.recibidos)
    done = process.confirma("O0001", OPERADORA)
    assert (done.fase, done.operador) == ("cumplida", OPERADORA)
    assert casa.estado() == "suspendido"
    (notice,) = casa.avisos()
    assert (notice.tipo, notice.difusores) == ("suspension", (RADIO,))
    assert notice.motivo.startswith("Orden O0001: 3 cortes fallidos seguidos")
    assert notice.texto == "El instituto interrumpió la difusión de resultados en este sitio."
    assert enlazado(casa) == {RADIO: None, TELE: "https://prep.tele-dos.ejemplo.mx/"}
    (step,) = [one.dato for one in casa.eventos("estado_difusor") if one.dato["a"] == "suspendido"]
    assert (step["operador"], step["aviso"]) == (OPERADORA, 1)
    process.atiende()
    words = casa.correo.espera(before + 2)[before:]
    assert all(
        "El instituto ordenó suspender a este difusor (orden O0001)" in one.mensaje.get_content() for one in words
    )
    assert ("ORDEN_O0001", "resuelta") in {(one.codigo, one.severidad) for one in casa.dichos}
    with pytest.raises(UsoError, match="ya está cumplida"):
        process.confirma("O0001", OPERADORA)
    assert len(casa.avisos()) == 1


def test_return_waits_for_a_verified_cut_and_for_a_person(casa: Casa) -> None:
    process = casa.fallan(3)
    casa.en(3, 1)
    process.confirma("O0001", OPERADORA)
    casa.periodo(3)  # the slot in which it was suspended says nothing of it
    assert casa.proceso().diario.ultimos[RADIO].periodo == 2
    process = casa.periodo(4, radio="aviso")  # as it must be, but no cut of it is verified
    assert process.diario.ultimos[RADIO].resultado == "cumplio"
    assert process.diario.orden_en_pie(RADIO) is None
    process = casa.periodo(5)  # the newest cut, seen from outside at its preview
    order = process.diario.orden_en_pie(RADIO)
    assert order is not None
    assert (order.accion, order.fase) == ("regreso", "propuesta")
    assert casa.estado() == "suspendido"
    process.confirma(order.id, OPERADORA)
    assert casa.estado() == "activo"
    assert [one.tipo for one in casa.avisos()] == ["suspension", "reinstalacion"]
    assert enlazado(casa)[RADIO] is not None
    # It begins again: one failure more is the first.
    casa.periodo(6)
    process = casa.periodo(7, radio="inaccesible")
    assert process.diario.cuenta(RADIO).seguidas == 1
    assert "A0007-radio-uno" in process.diario.advertencias


def test_slot_is_closed_and_warned_of_once_whoever_asks_again(casa: Casa) -> None:
    for _ in range(3):
        casa.periodo(0, radio="inaccesible")
    process = casa.proceso()
    assert process.cierra(casa.periodos(1), [casa.visto(RADIO, 0, "inaccesible")]) == ()
    assert process.atiende() == 0
    assert len(casa.eventos("periodo")) == 2
    assert len(casa.correo.recibidos) == 2
    assert len(casa.gancho.recibidos) == 1


def test_slot_that_the_institute_missed_counts_for_nobody(casa: Casa) -> None:
    casa.fallan(2)
    casa.en(3, 0.1)
    process = casa.proceso()
    process.cierra(casa.periodos(3, perdidos=(2,)), [casa.visto(RADIO, 2, "inaccesible")])
    assert process.diario.ultimos[RADIO].resultado == "no_cuenta"
    assert process.diario.cuenta(RADIO).seguidas == 2
    assert process.diario.orden_en_pie(RADIO) is None
    assert casa.periodo(3, radio="inaccesible").diario.orden_en_pie(RADIO) is not None


def test_order_lapses_when_the_difusor_fulfils_before_anybody_confirms(casa: Casa) -> None:
    casa.fallan(3)
    process = casa.periodo(3)
    assert process.diario.ordenes["O0001"].fase == "descartada"
    assert process.diario.ordenes["O0001"].operador == "pregon"
    with pytest.raises(UsoError, match="ya está descartada"):
        process.confirma("O0001", OPERADORA)
    assert (casa.avisos(), casa.estado()) == ([], "activo")


def test_discarded_order_leaves_the_count_and_is_proposed_again(casa: Casa) -> None:
    process = casa.fallan(3)
    for operador, motivo, what in (("", "Obra", "quién"), (OPERADORA, " ", "motivo")):
        with pytest.raises(UsoError, match=what):
            process.descarta("O0001", operador, motivo=motivo)
    with pytest.raises(EntradaError, match="O0009"):
        process.confirma("O0009", OPERADORA)
    assert process.diario.ordenes["O0001"].fase == "propuesta"
    process.descarta("O0001", OPERADORA, motivo="Cayó el enlace de toda la ciudad.")
    casa.periodo(2, radio="inaccesible")
    assert len(casa.eventos("orden_propuesta")) == 1
    process = casa.periodo(3, radio="inaccesible")
    assert process.diario.cuenta(RADIO).seguidas == 4
    order = process.diario.orden_en_pie(RADIO)
    assert order is not None
    assert order.id == "O0002"
    assert (casa.avisos(), casa.estado()) == ([], "activo")


def automatica(casa: Casa, *, puntos: int = 2) -> None:
    """The profile says automatic, and so many vantage points watch."""
    path = casa.folder / "convocatoria.toml"
    text = path.read_text()
    assert "automatica = false\n" in text
    path.write_text(text.replace("automatica = false\n", "automatica = true\n"))
    with (casa.folder / "instituto.toml").open("a") as settings:
        for number in range(2, puntos + 1):
            settings.write(f'[[monitor.remoto]]\npunto = "punto-{number}"\nurl = "punto-{number}"\nclave = "p.pem"\n')


def test_profile_that_says_automatic_orders_by_itself(casa: Casa) -> None:
    automatica(casa)
    process = casa.fallan(3)
    order = process.diario.ordenes["O0001"]
    assert (order.fase, order.operador) == ("cumplida", "pregon")
    assert casa.estado() == "suspendido"
    (notice,) = casa.avisos()
    assert notice.tipo == "suspension"


def test_program_takes_away_nobody_who_was_not_warned(casa: Casa) -> None:
    """Fair: without a warning that somebody accepted, a person decides even where the profile is automatic."""
    automatica(casa)
    casa.correo.modales.rechaza = (TECNICA, LEGAL)  # the institute's own guard is told; nobody of the difusor is
    process = casa.fallan(3)
    assert process.diario.ordenes["O0001"].fase == "propuesta"
    assert "SIN_ENTREGA_A0001-radio-uno" in {one.codigo for one in casa.dichos}
    assert (casa.avisos(), casa.estado()) == ([], "activo")


def test_warning_that_arrives_when_nothing_can_be_mended_any_more_is_no_warning(casa: Casa) -> None:
    """All three slots failed while no mail left; that it leaves at last gives nobody the time that a count gives."""
    automatica(casa)
    casa.correo.modales.rechaza = (TECNICA, LEGAL)
    casa.fallan(3)
    casa.correo.modales.rechaza = ()
    casa.en(3, 15)
    process = casa.proceso()
    process.atiende()
    process.cierra(casa.periodos(3), [])
    assert all(one.llego for one in process.diario.advertencias.values())
    assert process.diario.ordenes["O0001"].fase == "propuesta"
    assert (casa.avisos(), casa.estado()) == ([], "activo")


def test_one_vantage_point_alone_leaves_the_order_to_a_person(casa: Casa) -> None:
    automatica(casa, puntos=1)
    process = casa.fallan(3)
    assert process.diario.ordenes["O0001"].fase == "propuesta"
    assert (casa.avisos(), casa.estado()) == ([], "activo")
    body = " ".join(casa.correo.espera(4)[0].mensaje.get_content().split())
    assert "una persona del instituto decidirá si se ordena interrumpir" in body


def test_who_is_still_admitted_at_the_start_is_counted_from_the_first_slot(casa: Casa) -> None:
    """GRO-1.1a: nobody escapes the count by an order that the institute forgot."""
    registro, late = Registro(casa.espacio), "diario-tres"
    mandate = Mandato(quien="operador", operador=OPERADORA, motivo="Cumple.")
    registro.alta(late, ficha(late), mandate)
    ordena(casa.espacio, late, "admitido", mandate)
    casa.en(0, 0.5)
    casa.proceso().cierra(casa.periodos(0), [])
    assert casa.estado(late) == "activo"
    casa.en(1, 0.1)
    process = casa.proceso()
    process.cierra(casa.periodos(1), [casa.visto(late, 0, "inaccesible")])
    assert process.diario.cuenta(late).seguidas == 1
    assert f"A0000-{late}" in process.diario.advertencias


@pytest.mark.parametrize("motive", ["ANTICIPADO", "CONTENIDO", "CORTE_AJENO"])
def test_portal_that_shows_what_it_must_not_is_told_at_once_and_before_the_start_too(casa: Casa, motive: str) -> None:
    """MEX-I-1c, MOR-I-5b, GRO-3.2: no slot has ended, so no warning and no order would say it."""
    casa.en(0, -3)
    now, process = casa.night.clock.instant, casa.proceso()
    seen = casa.visto(RADIO, 0, "alterado", motivos=(motive,))
    early = replace(seen, hora=now - timedelta(minutes=2))
    process.cierra((), [early, casa.visto(TELE, 0, "inaccesible")])
    (told,) = [one for one in casa.dichos if one.severidad == "alarma"]
    assert told.codigo == "ALTERADO_radio-uno"
    assert "observaciones 7, 8" in told.texto
    assert (process.diario.advertencias, process.diario.ordenes, casa.avisos()) == ({}, {}, [])
    # Losing sight of it solves nothing; seeing it well does. The network's doing accuses nobody.
    blind = replace(early, hora=now - timedelta(minutes=1), veredicto="sin_determinar", causa="red", motivos=())
    process.cierra((), [early, blind])
    assert [one.severidad for one in casa.dichos if one.codigo == told.codigo] == ["alarma", "alarma"]
    process.cierra((), [early, blind, replace(casa.visto(RADIO, 0), hora=now)])
    process.cierra((), [replace(early, causa="red")])
    assert [one.severidad for one in casa.dichos if one.codigo == told.codigo][2:] == ["resuelta"]


def test_word_of_a_block_does_not_promise_a_return_that_the_call_does_not_give(casa: Casa) -> None:
    """MOR-I-12, MEX-I-12: back only by an order; GRO-3.3: with a verified cut."""
    process = casa.fallan(3)
    order, call = process.diario.ordenes["O0001"], casa.espacio.convocatoria
    back = {way: orden(order, "Radio Uno", call, GUARDIA, regresa=way) for way in (True, False)}
    assert "puede volver cuando tenga verificado el corte vigente" in back[True]
    assert "verificado" not in back[False]
    assert "sólo vuelve por orden del instituto" in back[False]


def test_order_that_another_hand_made_needless_is_discarded(casa: Casa) -> None:
    casa.fallan(3)
    casa.en(3, 2)
    mandate = Mandato(quien="operador", operador=OPERADORA, motivo="Ataque.", evidencia=("oficio 7",))
    ordena(casa.espacio, RADIO, "bloqueado", mandate)
    process = casa.proceso()
    process.atiende()
    assert process.diario.ordenes["O0001"].fase == "descartada"
    assert "bloqueado" in process.diario.ordenes["O0001"].motivo
    # Blocked for an attack: nothing that is seen of it proposes its return (MEX-I-13).
    casa.periodo(4)
    assert casa.proceso().diario.orden_en_pie(RADIO) is None
    assert [one.tipo for one in casa.avisos()] == ["ataque"]


def test_difusor_without_two_channels_is_told_of_before_the_night(casa: Casa) -> None:
    assert casa.proceso().sin_dos_canales() == ()
    casa.sin("webhook")
    assert casa.proceso().sin_dos_canales() == (RADIO, TELE)
    # Two kinds, but none that ends at the radio: only its mail would, and it gave no address.
    Registro(casa.espacio).cambia(
        RADIO,
        ficha(RADIO).model_copy(update={"contacto": (Contacto(nombre="Ana Ruiz", telefono=TELEFONO),)}),
        Mandato(quien="operador", operador=OPERADORA),
    )
    with (casa.folder / "instituto.toml").open("a") as settings:
        settings.write('[[notifica]]\ncanal = "syslog"\ndestino = "udp://127.0.0.1:9"\n')
        settings.write(f'[[notifica]]\ncanal = "webhook"\ndestino = "{casa.gancho.url}/guardia"\n')
    assert casa.proceso().sin_dos_canales() == (RADIO,)


def test_who_was_not_active_the_whole_slot_is_not_judged_by_it(casa: Casa) -> None:
    casa.en(0, 5)
    mandate = Mandato(quien="operador", operador=OPERADORA, motivo="Prueba.", evidencia=("oficio 1",))
    ordena(casa.espacio, RADIO, "suspendido", mandate)
    ordena(casa.espacio, RADIO, "activo", mandate)
    process = casa.periodo(0, radio="inaccesible")
    assert RADIO not in process.diario.ultimos
    assert process.diario.ultimos[TELE].resultado == "cumplio"
    assert casa.periodo(1, radio="inaccesible").diario.cuenta(RADIO).seguidas == 1


def test_observation_lines_of_the_monitor_go_with_the_warning(casa: Casa) -> None:
    from pregon.instituto.proceso.avisa import Proceso

    casa.en(1, 0.1)
    process = Proceso(casa.espacio, huellas=lambda numbers: [f"observación {n}: {n:064x}" for n in numbers])
    process.cierra(casa.periodos(1), [casa.visto(RADIO, 0, "inaccesible")])
    (warning,) = process.diario.advertencias.values()
    assert f"observación 7: {7:064x}" in warning.texto
    assert casa.night.clock.instant - warning.hora < timedelta(seconds=1)
