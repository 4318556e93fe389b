"""To a syslog (MEX-II-1e): RFC 5424 over UDP (RFC 5426) and TCP (RFC 6587, octet counting), syslog(3) on this machine.

``/dev/log`` takes the older form on purpose: where systemd's journal owns it, RFC 5424 is stored as plain text, without
program nor priority. Each message goes whole in one line: what came from outside cannot begin another.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

from pregon.base.razones import razon
from pregon.notifica.ajustes import LOCAL
from pregon.notifica.canal import failed
from pregon.notifica.mensaje import one_line

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.notifica.ajustes import AjustesCanal
    from pregon.notifica.mensaje import Mensaje, Severidad

DEV_LOG = "/dev/log"
APP = "pregon"
SD_ID = "pregon@32473"
"""RFC 5424 §7: an own SD-ID carries a private enterprise number; 32473 is the one for who has none (RFC 5612)."""
ENLACE_S = 5.0
"""For each wait of the link."""
MAX_BYTES = 2048
"""RFC 5424 §6.1: what every receiver should take."""
GRAVEDAD: dict[Severidad, int] = {"alarma": 1, "aviso": 4, "resuelta": 5, "informe": 6}
"""Severity of RFC 5424: alert, warning, notice, informational."""
_FACILITIES = {"user": 1, "daemon": 3, **{f"local{n}": 16 + n for n in range(8)}}
_BOM = "\ufeff"


class Enlace:
    """Carries lines to the syslog of ``ajustes``; a TCP connection is kept. One thread at a time."""

    def __init__(self, ajustes: AjustesCanal) -> None:
        self._ajustes = ajustes
        self._socket: socket.socket | None = None

    def manda(self, gravedad: int, msgid: str, text: str, data: dict[str, str], hora: datetime) -> None:
        """Send one line; ``data`` is its structured data.

        Raises:
            RedError: nobody took it.
        """
        priority = _FACILITIES[self._ajustes.facilidad] * 8 + gravedad
        local = self._ajustes.destino == LOCAL or self._ajustes.partes.scheme == "unix"
        line = local_line(priority, text) if local else rfc5424(priority, msgid, text, data, hora)
        again = self._socket is not None
        try:
            self._send(line)
        except OSError as exc:
            self.cierra()
            if not again:
                failed(self._ajustes, razon(exc), exc)
            # A connection that was kept may have been closed meanwhile: that is no failure yet.
            try:
                self._send(line)
            except OSError as second:
                self.cierra()
                failed(self._ajustes, razon(second), second)

    def cierra(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def _send(self, line: bytes) -> None:
        scheme = self._ajustes.partes.scheme
        if self._socket is None:
            self._socket = self._open(scheme)
        if scheme == "tcp":
            _still_open(self._socket)
            self._socket.sendall(b"%d %s" % (len(line), line))
        else:
            self._socket.send(line)

    def _open(self, scheme: str) -> socket.socket:
        if scheme == "tcp":
            return socket.create_connection(self._ajustes.lugar, timeout=ENLACE_S)
        if scheme == "udp":
            host, port = self._ajustes.lugar
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            found = socket.socket(family, kind, protocol)
        else:
            found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            address = DEV_LOG if self._ajustes.destino == LOCAL else self._ajustes.partes.path  # type: ignore[assignment]
        try:
            found.settimeout(ENLACE_S)
            found.connect(address)
        except OSError:
            found.close()
            raise
        return found


class Syslog:
    """Messages as lines of a syslog."""

    def __init__(self, ajustes: AjustesCanal) -> None:
        self._ajustes = ajustes

    def envia(self, mensaje: Mensaje) -> None:
        data = {"codigo": mensaje.codigo, "severidad": mensaje.severidad, "origen": mensaje.origen}
        text = f"{mensaje.asunto.removesuffix('.')}. {mensaje.texto}"
        link = Enlace(self._ajustes)
        try:
            link.manda(GRAVEDAD[mensaje.severidad], mensaje.codigo, text, data, mensaje.hora)
        finally:
            link.cierra()


def rfc5424(priority: int, msgid: str, text: str, data: dict[str, str], hora: datetime) -> bytes:
    """One line of RFC 5424, at most ``MAX_BYTES`` long, its control characters escaped."""
    stamp = hora.isoformat(timespec="milliseconds")
    elements = "".join(f' {_name(key, 32)}="{_value(value)}"' for key, value in data.items())
    header = (
        f"<{priority}>1 {stamp} {_name(socket.gethostname(), 255)} {APP} {os.getpid()} {_name(msgid, 32)} "
        f"[{SD_ID}{elements}] "
    )
    body = one_line(text)
    return _cut((header + ("" if body.isascii() else _BOM) + body).encode())


def local_line(priority: int, text: str) -> bytes:
    """One line as syslog(3) writes it to ``/dev/log``: the daemon there adds hour and host."""
    return _cut(f"<{priority}>{APP}[{os.getpid()}]: {one_line(text)}".encode())


def _name(text: str, limit: int) -> str:
    kept = "".join(char for char in text if "!" <= char <= "~" and char not in '="]')
    return kept[:limit] or "-"


def _value(text: str) -> str:
    plain = one_line(text)[:256]
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _cut(line: bytes) -> bytes:
    return line if len(line) <= MAX_BYTES else line[:MAX_BYTES].decode(errors="ignore").encode()


def _still_open(link: socket.socket) -> None:
    """Raise ConnectionResetError where the other side has closed: a first write into it would be lost in silence."""
    link.settimeout(0)
    try:
        if link.recv(1) == b"":
            raise ConnectionResetError("cerraron la conexión")
    except BlockingIOError:
        pass
    finally:
        link.settimeout(ENLACE_S)
