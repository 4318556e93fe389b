"""What rsync and ssh say when they fail, in our own words: from exit status and English text to an error of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pregon.base.errors import DestinoError, RedError, TransportError

OCUPADO = re.compile(r"Another instance of rrsync|@ERROR: max connections|[Ss]ession open refused|open failed")
"""The other end takes one session at a time: ``rrsync`` without ``-no-lock``, ``max connections``, ``MaxSessions``."""

MAX_QUOTE = 300
"""Characters of the program's own text that an error repeats."""

_INTACTO = "Lo que ya estaba allá sigue completo; lo que quedó a medias nadie lo lee."
_NADA = "No se envió ni se leyó nada: lo que hay allá sigue como estaba."
_RED = "Se reanuda sola en el siguiente intento; si se repite, revise la red y el equipo del difusor."


class NadieContestaError(RedError):
    """Nobody took the connection at that port: another one may."""


@dataclass(frozen=True)
class Falla:
    """One kind of failure: how it is recognised, and what it means. ``que`` completes «La entrega a X falló: …»."""

    patron: re.Pattern[str]
    error: type[TransportError]
    que: str
    que_hacer: str
    intacto: str = _INTACTO


def _falla(
    patron: str, error: type[TransportError], que: str, que_hacer: str = _RED, *, intacto: str = _INTACTO
) -> Falla:
    return Falla(re.compile(patron), error, que, que_hacer, intacto)


FALLAS = (
    _falla(
        "No space left on device|Disk quota exceeded",
        DestinoError,
        "el disco de allá está lleno",
        "Pida al difusor que libere espacio; la entrega sigue donde quedó.",
    ),
    _falla(
        "@ERROR: auth failed",
        DestinoError,
        "el módulo no admite esa cuenta o esa contraseña",
        "Revise «secreto» y la cuenta de la dirección con el difusor (secrets file de su rsyncd).",
        intacto=_NADA,
    ),
    _falla(
        "@ERROR: Unknown module",
        DestinoError,
        "ahí no hay un módulo con ese nombre",
        "Revise la dirección con el difusor: rsync://equipo/módulo/carpeta.",
        intacto=_NADA,
    ),
    _falla(
        "@ERROR: access denied",
        DestinoError,
        "el módulo no admite la dirección desde la que se llama",
        "Pida al difusor que agregue la dirección del instituto a «hosts allow».",
        intacto=_NADA,
    ),
    _falla(
        OCUPADO.pattern,
        RedError,
        "hay otra entrega en curso en ese lugar",
        "Se intentará de nuevo; si nadie más entrega ahí, quizá aún no termina una que se cortó.",
    ),
    _falla(
        "module is read only",
        DestinoError,
        "el módulo es de sólo lectura",
        "Pida al difusor un módulo en el que se pueda escribir (read only = no).",
        intacto=_NADA,
    ),
    _falla(
        "module is write only|reading from write-only server",
        DestinoError,
        "esa cuenta sólo sirve para entregar: no deja leer",
        "Pida al difusor otra cuenta o módulo, de sólo lectura, para los acuses.",
        intacto=_NADA,
    ),
    _falla(
        "rrsync error|rrsync: error|has been disabled on this server",
        DestinoError,
        "la cuenta está limitada por rrsync y no admite lo que se le pide",
        "Revise con el difusor la línea de la llave (rrsync -wo para entregar, -ro para acuses).",
    ),
    _falla("@ERROR", DestinoError, "el servicio rsync de allá no la atiende", "Revise con el difusor su rsyncd.conf."),
    _falla(
        "Host key verification failed|HOST IDENTIFICATION HAS CHANGED|host key is known",
        DestinoError,
        "la llave del equipo no es la anotada en «anfitriones»: quien contesta puede ser otro",
        "No la cambie sin preguntar: confirme por teléfono con el difusor la huella de su equipo.",
        intacto=_NADA,
    ),
    _falla(
        r"Permission denied \([a-z,-]*\)|Too many authentication failures|UNPROTECTED PRIVATE KEY",
        DestinoError,
        "no se admite la llave de SSH para esa cuenta",
        "Pida al difusor que ponga la parte pública en esa cuenta y que admita la dirección del instituto; "
        "la llave privada debe ser legible sólo para su dueño y no tener frase.",
        intacto=_NADA,
    ),
    _falla(
        "file has vanished|link_stat",
        RedError,
        "un archivo dejó de estar mientras se copiaba",
        "Repita la orden cuando nadie más escriba en esa carpeta.",
    ),
    _falla(
        "rsync: (command )?not found|remote command not found",
        DestinoError,
        "la cuenta entra, pero allá no está el programa rsync",
        "Pida al difusor que instale rsync, o entregue por SFTP.",
        intacto=_NADA,
    ),
    _falla(
        "Permission denied|Operation not permitted|Read-only file system|could not make way|Is a directory"
        "|Not a directory",
        DestinoError,
        "allá no se puede escribir",
        "Pida al difusor que revise dueño y permisos de la carpeta de entrega.",
    ),
    _falla(
        r"mkdir[^\n]*failed|change_dir[^\n]*failed|chdir[^\n]*failed|[Nn]o such file or directory",
        DestinoError,
        "allá no existe la carpeta de la dirección",
        "Revise la dirección con el difusor; la carpeta debe existir antes de la primera entrega.",
    ),
    _falla(
        "protocol version mismatch|is your shell clean|protocol incompatibility|is the remote rsync",
        DestinoError,
        "lo que contesta no habla rsync",
        "Revise la dirección, el puerto, y que la cuenta no imprima mensajes al entrar.",
        intacto=_NADA,
    ),
    _falla(
        "Connection refused",
        NadieContestaError,
        "el equipo rechazó la conexión: el servicio está apagado o el puerto es otro",
    ),
    _falla("getaddrinfo|Could not resolve", RedError, "el nombre del equipo no se encuentra en el DNS"),
    _falla(
        "timeout waiting for daemon connection|Connection timed out|Operation timed out",
        NadieContestaError,
        "no contestó",
    ),
    _falla("No route to host|Network is unreachable", NadieContestaError, "no hay camino hasta el equipo"),
    _falla(r"io timeout|timeout in data|\(code 30\)|not responding", RedError, "dejó de avanzar"),
    _falla(r"\(code (3|11|23)\)", DestinoError, "allá no se pudo escribir algún archivo", "Revise con el difusor."),
    _falla(r"\(code (1|2|4)\)", DestinoError, "los dos programas rsync no se entienden", "Actualice rsync."),
)
"""In the order in which they are tried: the cause before its consequences, which rsync prints too."""

_CORTADA = _falla("", RedError, "se cortó la conexión")


def cause(text: str) -> Falla:
    """The kind of failure that this output tells; a cut where it tells none."""
    return next((falla for falla in FALLAS if falla.patron.search(text)), _CORTADA)


def failure(lugar: str, status: int, text: str) -> TransportError:
    """The error for a program that ended with ``status`` having printed ``text``; ``lugar``: how we name the place."""
    falla = cause(text)
    return falla.error(
        f"No se completó el intercambio con {lugar}: {falla.que} ({_quote(falla, text) or f'estado {status}'}).",
        intacto=falla.intacto,
        que_hacer=falla.que_hacer,
    )


def _quote(falla: Falla, text: str) -> str:
    """The line that decided, without anything that could confuse a terminal: the other end wrote part of it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    found = last if falla is _CORTADA else next((line for line in lines if falla.patron.search(line)), last)
    return "".join(char if char.isprintable() else "?" for char in found)[:MAX_QUOTE]
