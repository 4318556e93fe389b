"""Why an exchange over HTTP(S) failed, in plain words, and what its operator can do about it."""

from __future__ import annotations

import contextlib
import email.utils
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SKEW_MAX = timedelta(minutes=5)
"""A difference with the other side's clock that is worth saying; S3 forgives 15 minutes, certificates none."""

_RED = "Revise la red y la dirección; se intentará de nuevo en el siguiente ciclo."
_AVISE = "Avise al instituto: su servidor falla. Se intentará de nuevo en el siguiente ciclo."


@dataclass(frozen=True)
class Causa:
    """``que`` completes «No se pudo leer X: …»; ``que_hacer`` is a sentence of its own."""

    que: str
    que_hacer: str


def too_slow(seconds: float) -> Causa:
    """The exchange did not end in its time."""
    return Causa(f"tardó más de {seconds:g} s", _RED)


def skew(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How far ahead ``now`` is of the server's ``Date``, where that is more than ``SKEW_MAX``."""
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        theirs = email.utils.parsedate_to_datetime(headers.get("date", ""))
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=UTC)
        age = headers.get("age", "")  # a cache keeps the date of the day when it asked
        theirs += timedelta(seconds=int(age) if age.isascii() and age.isdigit() else 0)
        if abs(now - theirs) > SKEW_MAX:
            return now - theirs
    return None


def skew_text(ahead: timedelta) -> str:
    """The sentence about a clock that is ``ahead`` (or behind) of the other side's."""
    minutes = abs(ahead) // timedelta(minutes=1)
    way = "adelantado" if ahead > timedelta() else "atrasado"
    return f"el reloj de este equipo está {way} {minutes:,} minutos respecto del servidor"


def of_status(status: int, headers: Mapping[str, str], body: bytes = b"") -> Causa:
    """Why an answer with this status is no answer. ``body``: its beginning, for telling one 400 from another."""
    if status == httpx2.codes.BAD_REQUEST and b"certificate" in body:
        return Causa(
            "pide un certificado de cliente, o no acepta el de este equipo",
            "Ponga en «certificado» y «clave_certificado» los que le dio el instituto.",
        )
    if status in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
        return Causa(
            f"no acepta las credenciales de este equipo (estado {status})",
            "Revise «secreto», «clave_acceso» o el certificado: que sean los que dio el instituto y no hayan vencido.",
        )
    if status == httpx2.codes.PROXY_AUTHENTICATION_REQUIRED:
        return _PROXY_407
    if 300 <= status < 400:
        place = headers.get("location", "otra dirección")[:200]
        return Causa(
            f"envía a {place!r}, y no se sigue a otra dirección (estado {status})",
            "Si el instituto cambió de dirección, póngala en los ajustes; si no, alguien más responde por él.",
        )
    if status in (httpx2.codes.TOO_MANY_REQUESTS, httpx2.codes.SERVICE_UNAVAILABLE):
        wait = headers.get("retry-after", "")[:40]
        later = f" y pide esperar {wait} s" if wait.isdigit() else f" hasta {wait}" if wait else ""
        return Causa(
            f"pide que se pregunte menos o más tarde (estado {status}){later}",
            "Se intentará de nuevo en el siguiente ciclo; si sigue, alargue «sondeo_s».",
        )
    return Causa(f"respondió con el estado {status}", _AVISE)


def of_exception(exc: BaseException, *, now: datetime) -> Causa:
    """Why there was no answer, or no more of it, at the instant ``now`` of this machine's clock."""
    for link in _links(exc):
        if isinstance(link, ssl.SSLCertVerificationError):
            return _certificate(link, now)
        if isinstance(link, ssl.SSLError):
            return _tls(link)
        if isinstance(link, socket.gaierror):
            return Causa("ese nombre de equipo no existe o no se pudo consultar", "Revise la dirección y el DNS.")
    if isinstance(exc, httpx2.ProxyError):
        return _PROXY_407 if str(exc).startswith("407") else Causa(f"el proxy no da paso ({exc})", "Revise «proxy».")
    if isinstance(exc, httpx2.TimeoutException):
        doing = "no contesta quien atiende ahí" if isinstance(exc, httpx2.ConnectTimeout) else "dejó de responder"
        return Causa(doing, _RED)
    if isinstance(exc, httpx2.RemoteProtocolError):
        return Causa(f"la respuesta se cortó o no es de HTTP ({exc})", _RED)
    if isinstance(exc, httpx2.ConnectError):
        return Causa(f"no se pudo conectar ({exc})", _RED)
    if isinstance(exc, httpx2.NetworkError):
        return Causa(f"la conexión se cortó ({exc})" if str(exc) else "la conexión se cortó", _RED)
    return Causa(str(exc) or type(exc).__name__, _RED)


_PROXY_407 = Causa(
    "el proxy pide credenciales (estado 407)", "Pida que el proxy deje pasar a este equipo sin contraseña."
)


def _links(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__


def _certificate(exc: ssl.SSLCertVerificationError, now: datetime) -> Causa:
    here = f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    match exc.verify_code:
        case 9:
            what = f"su certificado todavía no vale: el reloj de este equipo dice {here}"
        case 10:
            what = f"su certificado venció, según el reloj de este equipo ({here})"
        case 62 | 64:
            what = "su certificado es de otro equipo: no lleva el nombre de esta dirección"
        case 18 | 19 | 20 | 21:
            what = "su certificado lo firma una autoridad que este equipo no conoce"
        case _:
            what = f"su certificado no se acepta ({exc.verify_message})"
    if exc.verify_code in (9, 10):
        return Causa(what, "Si el reloj está bien, avise al instituto: debe renovar su certificado.")
    return Causa(what, "Revise «ca» y la dirección con el instituto; si son correctas, alguien más responde por él.")


def _tls(exc: ssl.SSLError) -> Causa:
    reason = exc.reason or ""
    if any(word in reason for word in ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW", "NO_PROTOCOLS")):
        return Causa("no habla TLS 1.2 ni posterior", "Avise al instituto: se exige TLS 1.2 o posterior.")
    if any(word in reason for word in ("ALERT_CERTIFICATE", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA")):
        return Causa(
            f"pide un certificado de cliente, o no acepta el de este equipo ({reason})",
            "Ponga en «certificado» y «clave_certificado» los que le dio el instituto.",
        )
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return Causa("ahí no se habla TLS", "Revise el puerto de la dirección.")
    return Causa(f"no se pudo acordar una conexión segura ({reason or exc})", _RED)
