"""The private part of a target: ``<prefix>/historico/``, which no citizen reads and only this difusor writes.

::

    historico/0042/…           the originals of a cut, as they lie in its own ``historico/0042``
    historico/acuses/…         every acuse, byte by byte
    historico/estado/….tar.gz  what ``rehace`` cannot get elsewhere, by its SHA-256
    historico/copia.json       signed: which state is the last, and every original with its SHA-256
    historico/instancia.json   who writes here now, and when it last did

An object appears whole or not at all, and every byte that goes up travels with its MD5, which the store checks; what
comes back is hashed again, by the SHA-256 of the signed list.
"""

from __future__ import annotations

import hashlib
import threading
import zlib
from typing import TYPE_CHECKING

from pregon.base.errors import HashError, RedError
from pregon.base.hashing import sha256_bytes
from pregon.difusor.nube.cubo import Cubo, Paciencia
from pregon.difusor.nube.cuerpos import Cuerpo
from pregon.transport.caudal import Caudal
from pregon.transport.destino import Envio
from pregon.transport.s3 import S3Destination, S3Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.difusor.nube.ajustes import AjustesNube

PRIVADO = "historico"
"""Below the prefix of the target. ``configura s3`` leaves it out of what anybody may read."""
PUBLICO_MAX_BYTES = 1 << 20
"""No public document that is read back is longer: ``corte.json`` has some thousand bytes."""


class Deposito:
    """One target's private part. Every method is one or more requests; nothing is remembered here."""

    def __init__(
        self,
        ajustes: AjustesNube,
        *,
        folder: Path,
        environment: Mapping[str, str],
        clock: Clock,
        parar: threading.Event | None = None,
    ) -> None:
        """``folder``: the workspace of the paths in ``ajustes``. ``environment``: where its secret is. ``parar``: set
        by who no longer wants.

        Raises:
            AjustesError: the secret or the certificates are not there or cannot be used.
        """
        self.nombre = ajustes.nombre
        public = ajustes.model_copy(update={"url": ajustes.url.rstrip("/")})
        private = ajustes.model_copy(update={"url": f"{public.url}/{PRIVADO}"})
        self.lugar = private.sin_secretos
        stop = parar or threading.Event()
        self._cubo = Cubo(private, folder=folder, environment=environment, parar=stop, paciencia=Paciencia())
        self._origen = S3Source(private, folder=folder, clock=clock, environment=environment)
        self._publico = S3Source(public, folder=folder, clock=clock, environment=environment)
        self._destino = S3Destination(private, folder=folder, clock=clock, environment=environment, partes="")
        self._clock = clock

    def sube(self, carpeta: Path, rutas: Sequence[str]) -> int:
        """Have those files of ``carpeta`` there, under the same paths; gives the bytes that travelled.

        What is there with the same MD5 does not travel again; a long file that was cut goes on where it was left.

        Raises:
            RedError, DestinoError: not all of them are there.
        """
        return self._destino.deliver(Envio(carpeta, (tuple(rutas),)), Caudal(self._clock)).bytes

    def pon(self, ruta: str, data: bytes) -> None:
        """Put a small document there, in place of the one that has its name.

        Raises:
            RedError, DestinoError: it is as it was.
        """
        body = Cuerpo(data, len(data), "")
        self._cubo.pon(ruta, body, ("application/json", "no-store", None), sha256=sha256_bytes(data), de=PRIVADO)

    def quita(self, rutas: Sequence[str]) -> None:
        """Remove those objects. Raises as ``pon``."""
        self._cubo.quita(rutas)

    def lista(self, bajo: str = "") -> dict[str, int]:
        """Path and size of everything there, or of what is in the folder ``bajo``.

        Raises:
            RedError, DestinoError: it cannot be known.
        """
        return {ruta: size for ruta, (size, _) in self._cubo.lista(bajo).items()}

    def lee(self, ruta: str, limite: int) -> bytes | None:
        """A small document; None where there is none.

        Raises:
            RedError: it does not come.
            HashError: it is longer than ``limite``.
        """
        return _whole(self._origen, ruta, limite)

    def lee_publico(self, ruta: str) -> bytes | None:
        """A document of the public part, inflated where it is kept so.

        Raises: as ``lee``; RedError too where it cannot be inflated.
        """
        data = _whole(self._publico, ruta, PUBLICO_MAX_BYTES)
        if data is None or not data.startswith(b"\x1f\x8b"):
            return data
        try:
            return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data, PUBLICO_MAX_BYTES)
        except zlib.error as exc:
            raise RedError(
                f"«{ruta}» de la parte pública de {self.nombre} no se puede leer: {exc}.",
                intacto="No se usó nada de él.",
                que_hacer="Repita la orden; si sigue, alguien más escribe ahí: revise sus permisos.",
            ) from exc

    def trae(self, ruta: str, largo: int, sha256: str) -> Iterator[bytes]:
        """The bytes of an object, exactly those that were promised: to be written as they come.

        Raises:
            HashError: it is not there, or is another; raised at the end, before whoever writes gives it a name.
            RedError: it does not come.
        """
        stream = self._origen.stream(ruta)
        digest, left = hashlib.sha256(), largo
        for piece in stream or ():
            left -= len(piece)
            if left < 0:
                break
            digest.update(piece)
            yield piece
        if stream is None or left or digest.hexdigest() != sha256:
            problem = "ya no está" if stream is None else "no es lo que se guardó"
            raise HashError(
                f"«{ruta}» {problem} en {self.lugar}.",
                intacto="No se usó nada de él.",
                que_hacer="Alguien más escribe ahí: revise sus permisos y, si guarda versiones, la anterior.",
            )


def _whole(source: S3Source, ruta: str, limite: int) -> bytes | None:
    stream = source.stream(ruta)
    if stream is None:
        return None
    data = b""
    for piece in stream:
        data += piece
        if len(data) > limite:
            raise HashError(
                f"«{ruta}» mide más de {limite:,} bytes: no es de Pregón.",
                intacto="No se usó nada de él.",
                que_hacer="Alguien más escribe ahí: revise sus permisos.",
            )
    return data
