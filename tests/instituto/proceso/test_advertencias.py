"""Delivery of a warning: what each channel answered, tried again, given up, in doubt; and nothing confidential kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pregon.instituto.proceso import advertencias
from pregon.instituto.proceso.advertencias import ESPERAS_S, VIDA
from pregon.notifica import correo as modulo_correo
from tests.instituto.proceso.casa import CONFIDENCIAL, LEGAL, OPERADORA, RADIO, TECNICA

if TYPE_CHECKING:
    import pytest

    from pregon.instituto.proceso.diario import Advertencia
    from tests.instituto.proceso.casa import Casa


def primera(casa: Casa) -> Advertencia:
    return next(iter(casa.proceso().diario.advertencias.values()))


def fases(casa: Casa) -> dict[str, tuple[str, int]]:
    """By kind of channel and contact, how its delivery is and how many times it was tried."""
    return {
        f"{name.split()[0]} {name.rpartition(' ')[2] if 'contacto' in name else ''}".strip(): (one.fase, one.intentos)
        for name, one in primera(casa).envios.items()
    }


def test_what_fails_is_tried_again_with_the_same_id_and_not_before_its_time(casa: Casa) -> None:
    casa.correo.modales.ocupado = 2
    casa.periodo(0, radio="inaccesible")
    assert fases(casa) == {"correo 1": ("fallo", 1), "correo 2": ("fallo", 1), "webhook": ("aceptada", 1)}
    assert "respondió 451" in str(next(iter(primera(casa).envios.values())).que_paso)
    casa.en(1, 0.1 + (ESPERAS_S[0] - 1) / 60)
    assert casa.proceso().atiende() == 0
    assert not casa.correo.recibidos
    casa.en(1, 0.1 + (ESPERAS_S[0] + 1) / 60)
    assert casa.proceso().atiende() == 2
    assert fases(casa) == {"correo 1": ("aceptada", 2), "correo 2": ("aceptada", 2), "webhook": ("aceptada", 1)}
    assert {one.mensaje["message-id"] for one in casa.correo.espera(2)} == {
        "<iedemo.A0000-radio-uno@pregon.invalid>",
    }
    casa.en(1, 10)
    assert casa.proceso().atiende() == 0
    assert (len(casa.correo.recibidos), len(casa.gancho.recibidos)) == (2, 1)
    tried = [
        one.dato["fase"] for one in casa.eventos("advertencia") if one.dato.get("canal", "").endswith("contacto 1")
    ]
    assert tried == ["enviando", "fallo", "enviando", "aceptada"]


def test_address_that_a_server_refuses_is_not_in_the_journal(casa: Casa) -> None:
    casa.correo.modales.rechaza = (TECNICA,)
    casa.periodo(0, radio="inaccesible")
    assert fases(casa) == {"correo 1": ("fallo", 1), "correo 2": ("aceptada", 1), "webhook": ("aceptada", 1)}
    assert [one.para for one in casa.correo.recibidos] == [(LEGAL,)]
    journal = json.dumps([one.dato for one in casa.eventos("advertencia")], ensure_ascii=False)
    assert "550" in journal
    assert not [word for word in CONFIDENCIAL if word in journal]


def test_operators_are_told_when_nobody_of_the_difusor_takes_it(casa: Casa) -> None:
    """The guard of the institute has it, and that is not the difusor: there is the telephone (GRO-3.2)."""

    def dichos() -> list[tuple[str, str]]:
        return [(one.codigo, one.severidad) for one in casa.dichos]

    code = "SIN_ENTREGA_A0000-radio-uno"
    casa.correo.modales.rechaza = (TECNICA, LEGAL)
    casa.periodo(0, radio="inaccesible")
    casa.en(1, 4)
    casa.proceso().atiende()
    assert dichos() == []
    casa.en(1, 5.2)
    process = casa.proceso()
    process.atiende()
    assert dichos() == [(code, "alarma")]
    assert "Llame por teléfono" in casa.dichos[0].texto
    assert "contacto 1" in casa.dichos[0].texto
    casa.correo.modales.rechaza = ()  # somebody corrected the address
    casa.en(1, 30)
    assert process.atiende() == 2
    assert dichos() == [(code, "alarma"), (code, "resuelta")]


def test_what_nobody_takes_is_given_up_after_two_hours(casa: Casa) -> None:
    casa.gancho.respuestas = [503] * 100
    casa.correo.modales.ocupado = 10_000
    casa.periodo(0, radio="inaccesible")
    casa.night.clock.instant = casa.night.clock.instant + VIDA
    process = casa.proceso()
    process.atiende()
    assert {fase for fase, _ in fases(casa).values()} == {"perdida"}
    assert [one.codigo for one in casa.dichos] == ["SIN_ENTREGA_A0000-radio-uno"]
    tries = len(casa.eventos("advertencia"))
    process.atiende()
    assert len(casa.eventos("advertencia")) == tries
    assert len(casa.dichos) == 1


def test_key_of_the_registry_lost_between_two_tries_loses_no_contact(casa: Casa) -> None:
    casa.correo.modales.ocupado = 2
    casa.periodo(0, radio="inaccesible")
    key = casa.folder / "llaves" / "registro.clave"
    data = key.read_bytes()
    key.unlink()
    casa.en(1, 2)
    assert casa.proceso().atiende() == 0
    assert {name: phase for name, (phase, _) in fases(casa).items()} == {
        "correo 1": "fallo",
        "correo 2": "fallo",
        "webhook": "aceptada",
    }
    key.write_bytes(data)
    key.chmod(0o600)
    casa.en(1, 10)
    assert casa.proceso().atiende() == 2


def test_who_died_while_sending_says_so_and_sends_it_again(casa: Casa) -> None:
    """Whether it arrived is not known: it is noted, and who has it twice sees one id."""
    casa.periodo(0, radio="inaccesible")
    sent = primera(casa)
    channel = next(name for name in sent.envios if name.startswith("webhook"))
    casa.periodo(1, radio="inaccesible")
    state = casa.espacio.state()
    second = casa.proceso().diario.advertencias["A0001-radio-uno"]
    state.record("advertencia", fase="enviando", id=second.id, difusor=RADIO, canal=channel, que_paso=None)
    assert casa.proceso().atiende() == 1
    tried = [
        one.dato["fase"]
        for one in casa.eventos("advertencia")
        if one.dato["id"] == second.id and one.dato.get("canal") == channel
    ]
    assert tried == ["enviando", "aceptada", "enviando", "en_duda", "enviando", "aceptada"]
    assert [one["clave"] for one in casa.llamados()] == [sent.id, second.id, second.id]


def test_channel_of_the_difusor_itself_hears_it_without_the_contacts(casa: Casa) -> None:
    settings = casa.folder / "instituto.toml"
    ca = casa.espacio.settings.notifica[1].ca
    settings.write_text(
        settings.read_text()
        + f'[[proceso.canal]]\ndifusor = "{RADIO}"\ncanal = "webhook"\n'
        + f'destino = "{casa.gancho.url}/radio"\nca = "{ca}"\n'
    )
    casa.periodo(0, radio="inaccesible")
    told = {path: json.loads(body) for path, _, body in casa.gancho.espera(2)}
    assert set(told) == {"/guardia", "/radio"}
    assert "A quién llamar" in told["/guardia"]["texto"]
    assert not [word for word in CONFIDENCIAL if word in str(told["/radio"])]
    assert {one.fase for one in primera(casa).envios.values()} == {"aceptada"}
    assert len(primera(casa).envios) == 4


def test_without_the_key_of_the_registry_the_mail_waits_and_the_rest_goes(casa: Casa) -> None:
    key = casa.folder / "llaves" / "registro.clave"
    data = key.read_bytes()
    key.unlink()
    casa.periodo(0, radio="inaccesible")
    assert fases(casa) == {"correo 1": ("fallo", 0), "webhook": ("aceptada", 1)}
    assert "A quién llamar" not in casa.llamados()[0]["texto"]
    key.write_bytes(data)
    key.chmod(0o600)
    casa.en(1, 2)
    assert casa.proceso().atiende() == 1
    assert fases(casa)["correo 1"] == ("aceptada", 1)
    assert [one.para for one in casa.correo.espera(1)] == [(TECNICA,)]


def test_two_senders_at_once_send_once(casa: Casa) -> None:
    """The lock of the deliveries: who finds it held leaves them to the other."""
    from pregon.base import locks
    from pregon.instituto.proceso.avisa import CANDADO_ENVIOS

    casa.en(1, 0.1)
    process = casa.proceso()
    process.cierra(casa.periodos(1), [casa.visto(RADIO, 0, "inaccesible")])
    with locks.exclusive(casa.folder / CANDADO_ENVIOS):
        assert process.atiende() == 0
    assert not casa.correo.recibidos
    assert process.atiende() == 3


def test_word_of_an_order_says_how_to_come_back(casa: Casa) -> None:
    process = casa.fallan(3)
    process.confirma("O0001", OPERADORA, texto="Por fallas de este sitio.")
    process.atiende()
    (notice,) = casa.avisos()
    assert notice.texto == "Por fallas de este sitio."
    told: dict[str, Any] = casa.llamados()[-1]
    assert told["clave"] == "O0001-radio-uno"
    assert "puede volver cuando tenga verificado el corte vigente" in told["texto"]
    assert "periodo 2: observaciones 207, 208" in told["texto"]


def test_mail_server_that_hangs_delays_no_other_place(casa: Casa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modulo_correo, "ENLACE_S", 0.3)
    monkeypatch.setattr(advertencias, "LENTA_S", 0.1)
    monkeypatch.setattr(advertencias, "A_LA_VEZ", 1)
    casa.correo.modales.calla = True
    casa.periodo(0, radio="inaccesible")
    # The second mail is not even tried: its turn comes the next minute, when the first one may be waiting.
    assert fases(casa) == {"correo 1": ("fallo", 1), "correo 2": ("por_enviar", 0), "webhook": ("aceptada", 1)}
    casa.correo.modales.calla = False
    casa.en(1, 2)
    assert casa.proceso().atiende() == 2
    assert {phase for phase, _ in fases(casa).values()} == {"aceptada"}
