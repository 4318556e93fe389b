"""A real SMTP server on loopback: STARTTLS or TLS from the first byte, accounts, several recipients, bad manners."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path
    from types import TracebackType

HOST = "127.0.0.1"
WAIT_S = 8.0


@dataclass
class Recibido:
    """One mail as it came: envelope, message, and whether by then the link was encrypted and the account known."""

    de: str
    para: tuple[str, ...]
    mensaje: EmailMessage
    cifrado: bool
    cuenta: str | None


@dataclass
class Modales:
    """What the server does. ``calla``: accepts and says nothing. ``gotea``: a byte of the greeting each 0.2 s.

    ``rechaza``: recipients that it does not take. ``ocupado``: how many mails it answers «not now» first.
    """

    certificado: tuple[Path, Path] | None = None
    de_entrada: bool = False
    cuentas: dict[str, str] = field(default_factory=dict)
    rechaza: tuple[str, ...] = ()
    ocupado: int = 0
    calla: bool = False
    gotea: bool = False


class Correo:
    """``with Correo(modales) as server: server.puerto``; ``server.recibidos`` are the mails, in order."""

    def __init__(self, modales: Modales) -> None:
        self.modales = modales
        self.recibidos: list[Recibido] = []
        self.dialogos: list[list[str]] = []
        self.llego = threading.Condition()
        self._listener = socket.create_server((HOST, 0))
        self.puerto: int = self._listener.getsockname()[1]
        self._links: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._ends = threading.Event()

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._accept, daemon=True)
        self._threads.append(thread)
        thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        # Closing alone does not wake who waits in accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self._links:
            with contextlib.suppress(OSError):
                # The plain operation also of a TLS socket, whose own would change it under its reader.
                socket.socket.shutdown(link, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WAIT_S)
        for link in self._links:
            link.close()

    def espera(self, cuantos: int) -> list[Recibido]:
        """The mails, once there are so many."""
        with self.llego:
            assert self.llego.wait_for(lambda: len(self.recibidos) >= cuantos, WAIT_S), self.dialogos
            return list(self.recibidos)

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            link.settimeout(WAIT_S)
            self._links.append(link)
            thread = threading.Thread(target=self._serve, args=(link,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, link: socket.socket) -> None:
        said: list[str] = []
        self.dialogos.append(said)
        with contextlib.suppress(OSError):
            if self.modales.calla:
                self._ends.wait(WAIT_S)
                return
            if self.modales.gotea:
                while not self._ends.wait(0.2):
                    link.sendall(b"2")
                return
            _Dialogo(self, link, said).run()


class _Dialogo:
    def __init__(self, server: Correo, link: socket.socket, said: list[str]) -> None:
        self._server = server
        self._modales = server.modales
        self._link = link
        self._said = said
        self._secure = False
        self._account: str | None = None
        self._from = ""
        self._to: list[str] = []

    def run(self) -> None:
        if self._modales.de_entrada:
            self._encrypt()
        self._lines = self._link.makefile("rb")
        self._say(220, "correo.prueba ESMTP")
        while line := self._lines.readline(2000).decode().rstrip("\r\n"):
            self._said.append(line)
            verb = line.split(" ")[0].upper()
            if verb == "QUIT":
                self._say(221, "adios")
                return
            getattr(self, f"_on_{verb.lower()}", self._unknown)(line)

    def _encrypt(self) -> None:
        assert self._modales.certificado is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._modales.certificado)
        self._link = context.wrap_socket(self._link, server_side=True)
        self._server._links.append(self._link)
        self._secure = True

    def _say(self, code: int, *texts: str) -> None:
        last = len(texts) - 1
        lines = (f"{code}{' ' if n == last else '-'}{text}\r\n" for n, text in enumerate(texts))
        self._link.sendall("".join(lines).encode())

    def _unknown(self, line: str) -> None:
        self._say(502, f"no conozco {line[:10]}")

    def _on_ehlo(self, line: str) -> None:
        offers = [] if self._secure or self._modales.certificado is None else ["STARTTLS"]
        if self._modales.cuentas and self._secure:
            offers.append("AUTH PLAIN")
        self._say(250, "correo.prueba", *offers, "8BITMIME")

    def _on_starttls(self, line: str) -> None:
        self._say(220, "adelante")
        self._encrypt()
        self._lines = self._link.makefile("rb")

    def _on_auth(self, line: str) -> None:
        parts = line.split(" ")
        if parts[1].upper() != "PLAIN" or not self._secure:
            self._say(504, "solo PLAIN, y cifrado")
            return
        _, name, password = base64.b64decode(parts[2]).decode().split("\0")
        if self._modales.cuentas.get(name) == password:
            self._account = name
            self._say(235, "bien")
        else:
            self._say(535, "no")

    def _on_mail(self, line: str) -> None:
        if self._modales.cuentas and self._account is None:
            self._say(530, "identifiquese")
            return
        if self._modales.ocupado:
            self._modales.ocupado -= 1
            self._say(451, "ahora no")
            return
        self._from, self._to = line[line.index("<") + 1 : line.index(">")], []
        self._say(250, "bien")

    def _on_rcpt(self, line: str) -> None:
        place = line[line.index("<") + 1 : line.index(">")]
        if place in self._modales.rechaza:
            self._say(550, "no existe")
            return
        self._to.append(place)
        self._say(250, "bien")

    def _on_rset(self, line: str) -> None:
        self._say(250, "bien")

    def _on_data(self, line: str) -> None:
        self._say(354, "diga")
        body = b""
        while (piece := self._lines.readline()) not in (b".\r\n", b""):
            body += piece[1:] if piece.startswith(b"..") else piece
        message = message_from_bytes(body, policy=policy.default)
        self._say(250, "tomado")
        with self._server.llego:
            self._server.recibidos.append(Recibido(self._from, tuple(self._to), message, self._secure, self._account))
            self._server.llego.notify_all()
