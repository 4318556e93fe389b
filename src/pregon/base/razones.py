"""Why the system refused, in words of a person: what the C library says of it, in Spanish whatever the locale."""

from __future__ import annotations

import errno
from types import MappingProxyType

_RAZONES = MappingProxyType(
    {
        errno.ENOENT: "no existe",
        errno.EACCES: "no hay permiso",
        errno.EPERM: "no está permitido",
        errno.ENOTDIR: "parte de la ruta no es una carpeta",
        errno.EISDIR: "es una carpeta",
        errno.EEXIST: "ya existe",
        errno.ENOTEMPTY: "la carpeta no está vacía",
        errno.ENOSPC: "el disco está lleno",
        errno.EDQUOT: "se acabó la cuota de disco",
        errno.EROFS: "el disco es de sólo lectura",
        errno.EIO: "error de lectura o escritura del disco",
        errno.ELOOP: "hay demasiados enlaces, o no se siguen",
        errno.ENAMETOOLONG: "el nombre es demasiado largo",
        errno.EMFILE: "el programa tiene demasiados archivos abiertos",
        errno.ENFILE: "el equipo tiene demasiados archivos abiertos",
        errno.ENOMEM: "no hay memoria",
        errno.EFBIG: "el archivo es demasiado grande",
        errno.EXDEV: "está en otro disco",
        errno.EBUSY: "está ocupado",
        errno.ETXTBSY: "está ocupado",
        errno.EADDRINUSE: "otro programa ya usa ese puerto",
        errno.EADDRNOTAVAIL: "esa dirección no es de este equipo",
        errno.ECONNREFUSED: "nadie atiende en esa dirección y puerto",
        errno.ECONNRESET: "el otro lado cortó la conexión",
        errno.ECONNABORTED: "la conexión se cortó",
        errno.EPIPE: "el otro lado cerró la conexión",
        errno.ETIMEDOUT: "no respondió a tiempo",
        errno.EHOSTUNREACH: "no hay camino a ese equipo",
        errno.ENETUNREACH: "no hay red hacia esa dirección",
        errno.ENETDOWN: "la red está caída",
    }
)
"""The causes that people meet. Without a subject: «No se pudo leer a.csv: no existe»."""
_NOMBRES = frozenset({-2, -3, -5})
"""EAI_NONAME, EAI_AGAIN and EAI_NODATA of glibc, as ``socket.gaierror`` has them."""


def razon(error: BaseException) -> str:
    """Why, without a final stop; what is not known is told as the system says it."""
    number = getattr(error, "errno", None)
    known = None if number is None or type(error).__module__ == "ssl" else _RAZONES.get(number)
    if known is not None:  # of ``ssl``, ``errno`` is a code of OpenSSL
        return known
    if number in _NOMBRES:
        return "no se encontró ese nombre de equipo"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
