"""By mail: SMTP over TLS 1.2 or newer, to several people at once."""

from __future__ import annotations

import contextlib
import ipaddress
import smtplib
import socket
import threading
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING

from pregon.notifica.canal import ENVIO_S, failed, refused, secret_of
from pregon.notifica.mensaje import MAX_TEXTO
from pregon.transport.peticion import tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pregon.notifica.ajustes import AjustesCanal
    from pregon.notifica.mensaje import Mensaje

ENLACE_S = 10.0
"""For each wait of the link."""
DOMINIO = "pregon.invalid"
"""Of the ids of our mails: it is nobody's address."""
_READY = 220
_BUSY = range(400, 500)
"""SMTP's own way of saying «not now»."""


class Correo:
    """Messages as mails from ``de`` to ``para``.

    ``smtps://`` is TLS from the first byte; ``smtp://`` must offer STARTTLS, unless it is this machine's own server. A
    password is never said without TLS.
    """

    def __init__(self, ajustes: AjustesCanal, folder: Path, environment: Mapping[str, str]) -> None:
        self._ajustes = ajustes
        self._folder = folder
        self._environment = environment

    def envia(self, mensaje: Mensaje) -> None:
        ajustes = self._ajustes
        secret = secret_of(ajustes, self._folder, self._environment)
        context = tls_context(ca=None if ajustes.ca is None else self._folder / ajustes.ca)
        if secret is not None and not secret.isascii():
            refused(ajustes, "la contraseña tiene caracteres que SMTP no admite (acentos, ñ)")
        mail = mail_of(mensaje, ajustes)
        host, port = ajustes.lugar
        cutter = _Corte()
        try:
            with cutter.limit(ENVIO_S), contextlib.ExitStack() as stack:
                secure = ajustes.partes.scheme == "smtps"
                server = _Servidor(cutter, host, context)
                stack.callback(server.close)
                server.begin(port, encrypted=secure)
                if not secure and server.has_extn("starttls"):
                    server.encrypt()
                    secure = True
                if not secure and (secret is not None or not _this_machine(host)):
                    refused(ajustes, "no ofrece TLS (STARTTLS) y sin él no se envía nada")
                if ajustes.usuario is not None and secret is not None:
                    server.login(ajustes.usuario, secret)
                turned_away = server.send_message(mail, ajustes.de, list(ajustes.para))
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    server.quit()
        except smtplib.SMTPRecipientsRefused as exc:
            worst = max(code for code, _ in exc.recipients.values())
            (failed if worst in _BUSY else refused)(ajustes, f"no aceptan a ningún destinatario ({worst})", exc)
        except smtplib.SMTPResponseException as exc:
            why = f"respondió {exc.smtp_code} {_said(exc.smtp_error)}"
            # What a link that was cut in the middle of an answer had said is no answer.
            again = cutter.cut or exc.smtp_code in _BUSY
            (failed if again else refused)(ajustes, f"tardó más de {ENVIO_S:g} s" if cutter.cut else why, exc)
        except smtplib.SMTPNotSupportedError as exc:
            refused(ajustes, "el servidor no admite lo que hace falta (cuenta y contraseña)", exc)
        except (smtplib.SMTPException, OSError, ValueError) as exc:
            late = f"tardó más de {ENVIO_S:g} s" if cutter.cut else str(exc) or type(exc).__name__
            failed(ajustes, late, exc)
        if turned_away:
            refused(ajustes, f"no aceptan a {', '.join(sorted(turned_away))}; a los demás ya se envió")


def mail_of(mensaje: Mensaje, ajustes: AjustesCanal) -> EmailMessage:
    """The mail: plain text, UTF-8, marked as made by a machine so that nobody's absence answers it (RFC 3834)."""
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["Subject"] = mensaje.asunto
    mail["From"] = ajustes.de or ""
    mail["To"] = ", ".join(ajustes.para)
    mail["Date"] = format_datetime(mensaje.hora)
    mail["Message-ID"] = _message_id(mensaje)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Pregon-Codigo"] = mensaje.codigo
    mail.set_content(
        f"{mensaje.titulo}\n\n{mensaje.texto[:MAX_TEXTO]}\n\n"
        f"Código: {mensaje.codigo} ({mensaje.severidad})\nHora: {mensaje.hora.isoformat(timespec='seconds')}\n"
        f"Lo envía Pregón, {mensaje.origen}.\n",
        charset="utf-8",
        cte="quoted-printable",
    )
    return mail


def _message_id(mensaje: Mensaje) -> str:
    """By its ``clave`` where it has one, so that a mail program shows once what was sent twice."""
    if mensaje.clave is None:
        return make_msgid(domain=DOMINIO)
    return f"<{mensaje.origen}.{mensaje.clave}@{DOMINIO}>"


def _this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _said(words: bytes | str) -> str:
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    return " ".join(text.split())[:200]


class _Servidor(smtplib.SMTP):
    """The dialogue, each of its sockets under the deadline from the first byte: TLS's own exchange too."""

    def __init__(self, cutter: _Corte, host: str, context: ssl.SSLContext) -> None:
        super().__init__(timeout=ENLACE_S)
        self._cutter = cutter
        self._place = host
        self._context = context

    def begin(self, port: int, *, encrypted: bool) -> None:
        """Connect, encrypted or not, hear the greeting and say ours."""
        self.sock = socket.create_connection((self._place, port), ENLACE_S)
        self._cutter.watches(self.sock)
        if encrypted:
            self._wrap()
        code, text = self.getreply()
        if code != _READY:
            raise smtplib.SMTPConnectError(code, text)
        self.ehlo_or_helo_if_needed()

    def encrypt(self) -> None:
        """STARTTLS, and our greeting again: what was said before in the clear does not count (RFC 3207 §4.2)."""
        code, text = self.docmd("STARTTLS")
        if code != _READY:
            raise smtplib.SMTPResponseException(code, text)
        if self.file is not None:
            self.file.close()
        self._wrap()
        self.ehlo_resp = self.helo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False
        self.ehlo()

    def _wrap(self) -> None:
        assert self.sock is not None  # noqa: S101 (for the type checker: both callers have connected)
        safe = self._context.wrap_socket(self.sock, server_hostname=self._place, do_handshake_on_connect=False)
        self.sock, self.file = safe, None
        self._cutter.watches(safe)
        safe.do_handshake()


class _Corte:
    """One deadline for a whole dialogue: a server that says a byte a second would renew every wait."""

    def __init__(self) -> None:
        self.cut = False
        self._socket: socket.socket | None = None

    def watches(self, link: socket.socket | None) -> None:
        self._socket = link
        if self.cut:
            self._cut()

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        self.cut = True
        if self._socket is not None:
            # The plain operation also of a TLS socket, whose own would change it under whoever is reading.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
