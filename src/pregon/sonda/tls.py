"""Which versions of TLS a server speaks, and whether its certificate would be believed by a browser."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import ssl
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from pregon.base.errors import EntradaError
from pregon.base.razones import razon

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

SEGUNDOS = 5.0
VERSIONES = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
ANTIGUAS = {"1.0": 0x0301, "1.1": 0x0302}
"""What RFC 8996 forbids. They are asked for by hand: the system's own library may refuse to speak them."""
_SUITES = (0x002F, 0x0035, 0xC009, 0xC00A, 0xC013, 0xC014, 0x000A)
_HANDSHAKE, _SERVER_HELLO = 22, 2


@dataclass(frozen=True)
class Tls:
    """What a server speaks. ``problema``: why a browser would not believe its certificate, in its library's words;
    ``vence``: when the certificate ends; both None where no TLS is spoken there at all (``versiones`` is empty)."""

    versiones: tuple[str, ...]
    problema: str | None = None
    vence: datetime | None = None

    def menor_que(self, least: str) -> tuple[str, ...]:
        """The versions below ``least`` that it still takes."""
        return tuple(one for one in self.versiones if one < least)


def autoridad(path: Path) -> ssl.SSLContext:
    """A context that believes only the authorities of a PEM file.

    Raises:
        EntradaError: it cannot be read, or has none.
    """
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as exc:  # ssl.SSLError is one
        raise EntradaError(
            f"No se pudo leer la autoridad {path}: {razon(exc)}.",
            intacto="No se preguntó nada a nadie.",
            que_hacer="Dé el PEM de la autoridad que firmó el certificado.",
        ) from exc


def mira(
    host: str, port: int, *, nombre: str | None = None, tls: ssl.SSLContext | None = None, segundos: float = SEGUNDOS
) -> Tls:
    """Ask ``host`` once for each version, and believe its certificate for ``nombre`` (``host`` where there is none).

    ``tls``: the authorities that are believed; the system's where there is none.

    Raises:
        OSError: nobody takes the connection.
    """
    name = nombre or host
    with socket.create_connection((host, port), timeout=segundos):
        pass
    spoken = [version for version, code in ANTIGUAS.items() if _takes_old(host, port, name, code, segundos)]
    end: datetime | None = None
    for version, code in VERSIONES.items():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = code
        raw = _handshake(context, host, port, name, segundos)
        if raw is not None:
            spoken.append(version)
            end = x509.load_der_x509_certificate(raw).not_valid_after_utc
    if not spoken:
        return Tls(())
    problem = None
    try:
        _believe(tls or ssl.create_default_context(), host, port, name, segundos)
    except ssl.SSLCertVerificationError as exc:
        problem = exc.verify_message
    except OSError as exc:
        problem = str(exc)
    return Tls(tuple(spoken), problem, end)


def _handshake(context: ssl.SSLContext, host: str, port: int, name: str, seconds: float) -> bytes | None:
    """The certificate that it shows, as DER; None where it does not speak so."""
    with contextlib.suppress(OSError):
        return _believe(context, host, port, name, seconds)
    return None


def _believe(context: ssl.SSLContext, host: str, port: int, name: str, seconds: float) -> bytes | None:
    with (
        socket.create_connection((host, port), timeout=seconds) as link,
        context.wrap_socket(link, server_hostname=name) as secure,
    ):
        return secure.getpeercert(binary_form=True)


def _takes_old(host: str, port: int, name: str, version: int, seconds: float) -> bool:
    """Whether a greeting that offers no version above this one is answered with it."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=seconds) as link:
        link.sendall(_greeting(name, version))
        head = b""
        while len(head) < 11 and (more := link.recv(11 - len(head))):
            head += more
        return len(head) == 11 and head[0] == _HANDSHAKE and head[5] == _SERVER_HELLO and head[9:11] == _u16(version)
    return False


def _greeting(name: str, version: int) -> bytes:
    """A ClientHello of TLS 1.0 or 1.1 (RFC 4346 §7.4.1.2)."""
    suites = b"".join(_u16(suite) for suite in _SUITES)
    groups = _extension(10, _long([0x001D, 0x0017, 0x0018])) + _extension(11, b"\x01\x00")
    if not _is_address(name):
        raw = name.encode("idna")
        groups += _extension(0, _u16(len(raw) + 3) + b"\x00" + _u16(len(raw)) + raw)
    body = _u16(version) + os.urandom(32) + b"\x00" + _u16(len(suites)) + suites + b"\x01\x00"
    body += _u16(len(groups)) + groups
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + _u16(len(message)) + message


def _u16(number: int) -> bytes:
    return struct.pack("!H", number)


def _long(numbers: Sequence[int]) -> bytes:
    return _u16(2 * len(numbers)) + b"".join(_u16(number) for number in numbers)


def _extension(kind: int, data: bytes) -> bytes:
    return _u16(kind) + _u16(len(data)) + data


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def falla_de_tls(exc: BaseException | None) -> str | None:
    """Why TLS is wrong; None where the failure is another. A connection that is cut is no wrong TLS."""
    while exc is not None:
        if isinstance(exc, ssl.SSLCertVerificationError):
            return f"su certificado no se acepta ({exc.verify_message})"
        if isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
            return None
        if isinstance(exc, ssl.SSLError) and exc.reason is not None:
            return f"no se pudo acordar TLS ({exc.reason})"
        exc = exc.__cause__ or exc.__context__
    return None
