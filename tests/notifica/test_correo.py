"""Mail, through a real SMTP dialogue: encrypted, to several people, in Spanish, and never stuck."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import SystemClock
from pregon.base.errors import AjustesError, DestinoError, RedError
from pregon.base.red import free_port
from pregon.notifica import correo as modulo
from pregon.notifica.canal import abre
from tests.notifica.conftest import HORA, canal, mensaje
from tests.red.servidores.correo import HOST, Correo, Modales

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.notifica.ajustes import AjustesCanal
    from pregon.notifica.canal import Canal
    from tests.red.servidores.nginx import Autoridad

PARA = ("guardia@ejemplo.mx", "sistemas@ejemplo.mx")


def settings(server: Correo, autoridad: Autoridad, **more: object) -> AjustesCanal:
    scheme = "smtps" if server.modales.de_entrada else "smtp"
    keys = {
        "destino": f"{scheme}://{HOST}:{server.puerto}",
        "de": "pregon@ejemplo.mx",
        "para": PARA,
        "ca": autoridad.ca,
    }
    return canal(canal="correo", **{**keys, **more})


def opened(ajustes: AjustesCanal, folder: Path) -> Canal:
    return abre(ajustes, folder, SystemClock(), {"CLAVE": "secreta clave"})


@pytest.mark.parametrize("de_entrada", [False, True])
def test_mail_arrives_encrypted_signed_in_and_readable(
    tmp_path: Path, autoridad: Autoridad, *, de_entrada: bool
) -> None:
    modales = Modales(autoridad.firma("correo"), de_entrada=de_entrada, cuentas={"pregon": "secreta clave"})
    (tmp_path / "clave.txt").write_text("secreta clave\n")
    with Correo(modales) as server:
        for secreto in ("env:CLAVE", "archivo:clave.txt"):
            opened(settings(server, autoridad, usuario="pregon", secreto=secreto), tmp_path).envia(mensaje())
        mail = server.espera(2)[1]
    assert mail.cifrado
    assert mail.cuenta == "pregon"
    assert (mail.de, mail.para) == ("pregon@ejemplo.mx", PARA)
    assert mail.mensaje["subject"] == "[diario-uno.principal] ALARMA DISCO: Queda poco disco"
    assert mail.mensaje["auto-submitted"] == "auto-generated"
    assert mail.mensaje["date"].datetime == HORA
    body = mail.mensaje.get_content()
    assert "señor administrador" in body
    assert "Código: DISCO (alarma)" in body


def test_subject_from_outside_makes_no_header(tmp_path: Path, autoridad: Autoridad) -> None:
    with Correo(Modales(autoridad.firma("correo"))) as server:
        forged = mensaje(titulo="Señal\r\nBcc: otro@ejemplo.mx\r\n\r\nhola", texto="línea\r\n.\r\nMAIL FROM:<x@y>")
        opened(settings(server, autoridad), tmp_path).envia(forged)
        mail = server.espera(1)[0]
        assert len(server.dialogos[0]) == len(
            [line for line in server.dialogos[0] if not line.startswith("MAIL FROM:<x")]
        )
    assert mail.mensaje["bcc"] is None
    assert "Señal#015#012Bcc: otro" in mail.mensaje["subject"]
    assert mail.para == PARA
    assert "\r\n.\r\nMAIL FROM" in mail.mensaje.get_content()


def test_password_is_never_said_in_the_clear(tmp_path: Path, autoridad: Autoridad) -> None:
    with Correo(Modales(cuentas={"pregon": "secreta clave"})) as server:  # no certificate: offers no TLS
        with pytest.raises(DestinoError, match="no ofrece TLS"):
            opened(settings(server, autoridad, usuario="pregon", secreto="env:CLAVE"), tmp_path).envia(mensaje())
        assert [line.split()[0] for line in server.dialogos[0]] == ["ehlo"]
        assert not server.recibidos


def test_own_mail_server_without_tls_serves_without_account(tmp_path: Path, autoridad: Autoridad) -> None:
    with Correo(Modales()) as server:
        opened(settings(server, autoridad), tmp_path).envia(mensaje())
        assert not server.espera(1)[0].cifrado


def test_certificate_of_another_is_refused(tmp_path: Path, autoridad: Autoridad) -> None:
    for certificate in (autoridad.firma("otro", "correo.ejemplo.mx"), autoridad.firma("viejo", vencido=True)):
        with Correo(Modales(certificate)) as server:
            with pytest.raises(RedError, match="certificate"):
                opened(settings(server, autoridad), tmp_path).envia(mensaje())
            assert not server.recibidos


def test_wrong_password_and_nobody_there(tmp_path: Path, autoridad: Autoridad) -> None:
    with Correo(Modales(autoridad.firma("correo"), cuentas={"pregon": "otra"})) as server:
        with pytest.raises(DestinoError, match="535") as caught:
            opened(settings(server, autoridad, usuario="pregon", secreto="env:CLAVE"), tmp_path).envia(mensaje())
        assert "secreta" not in str(caught.value.as_dict())
        with pytest.raises(AjustesError, match="NADIE"):
            opened(settings(server, autoridad, usuario="pregon", secreto="env:NADIE"), tmp_path).envia(mensaje())
        assert not server.recibidos
    gone = canal(canal="correo", destino=f"smtp://{HOST}:{free_port(HOST)}", de="a@b.mx", para=PARA)
    with pytest.raises(RedError):
        opened(gone, tmp_path).envia(mensaje())


def test_one_recipient_refused_and_the_others_told(tmp_path: Path, autoridad: Autoridad) -> None:
    with Correo(Modales(autoridad.firma("correo"), rechaza=PARA[:1])) as server:
        with pytest.raises(DestinoError, match=r"guardia@ejemplo\.mx; a los demás ya se envió"):
            opened(settings(server, autoridad), tmp_path).envia(mensaje())
        assert server.espera(1)[0].para == PARA[1:]
        with pytest.raises(DestinoError, match="550"):
            opened(settings(server, autoridad, para=PARA[:1]), tmp_path).envia(mensaje())
        assert len(server.recibidos) == 1


def test_busy_server_is_worth_another_try(tmp_path: Path, autoridad: Autoridad) -> None:
    with Correo(Modales(autoridad.firma("correo"), ocupado=1)) as server:
        sender = opened(settings(server, autoridad), tmp_path)
        with pytest.raises(RedError, match="451"):
            sender.envia(mensaje())
        sender.envia(mensaje())
        assert len(server.espera(1)) == 1


@pytest.mark.parametrize("how", ["calla", "gotea"])
def test_server_that_says_nothing_or_a_byte_at_a_time_is_cut(
    tmp_path: Path, autoridad: Autoridad, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(modulo, "ENVIO_S", 0.8)
    with Correo(Modales(calla=how == "calla", gotea=how == "gotea")) as server:
        start = time.monotonic()
        with pytest.raises(RedError):
            opened(settings(server, autoridad), tmp_path).envia(mensaje())
        assert time.monotonic() - start < 4
