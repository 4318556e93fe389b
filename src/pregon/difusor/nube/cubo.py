"""One bucket, by obstore: put, copy, look, list and remove, with patience, and refusals told in Spanish.

A put is whole or not at all, so nothing half sent is ever visible. What an operation failed for is asked again where
the store says «later» (500, 503, no answer), and told where it will say the same until somebody changes something.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import obstore
from obstore.exceptions import BaseError

from pregon.base.errors import DestinoError, RedError
from pregon.difusor.nube.cuerpos import PARTE_BYTES
from pregon.transport.almacen import Almacen, Negativa, of_obstore, refusal
from pregon.transport.causas import Causa

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pregon.difusor.nube.ajustes import AjustesNube
    from pregon.difusor.nube.cuerpos import Cuerpo
    from pregon.difusor.nube.inventario import Cabeceras

PARTES = 2
"""Parts of one long body that travel at once."""
POR_BORRADO = 1000
"""Objects that S3 removes by one request, at most."""


@dataclass(frozen=True)
class Paciencia:
    """How long a store is waited for, in seconds.

    ``stall_s``: one request and its answer, or one part of a long body (8 MiB in a minute is a slow link, 1.1 Mb/s).
    ``pausas_s``: before each time that it is asked again; the client itself asks twice each time.
    """

    connect_s: float = 10.0
    stall_s: float = 60.0
    pausas_s: tuple[float, ...] = (0.5, 2.0, 6.0)


METADATO_SHA256 = "pregon-sha256"
METADATO_DE = "pregon-de"

_PERMISOS = (
    "Revise «clave_acceso» y «secreto», y que permitan s3:ListBucket, s3:GetObject, s3:PutObject y s3:DeleteObject "
    "en ese prefijo («pregon difusor configura s3» escribe la política)."
)
_LLENO = 500
"""What a store without room answers when it has no better word; it goes on saying it."""
_ALTERADO = ("BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch")
"""The body changed on the way: the same again is worth sending."""
T = TypeVar("T")


@dataclass(frozen=True)
class Ficha:
    """What the store says of one object. ``de``: who put it; ``sha256``: of its content; None where it does not say."""

    bytes: int
    etag: str
    cabeceras: Cabeceras
    sha256: str | None
    de: str | None


class Cubo:
    """The bucket of one target. Any number of threads may use it at once. ``parar``: set by who no longer wants."""

    def __init__(
        self,
        ajustes: AjustesNube,
        *,
        folder: Path,
        environment: Mapping[str, str],
        parar: threading.Event,
        paciencia: Paciencia,
    ) -> None:
        """
        Raises:
            AjustesError: what opens the store is not there or cannot be used.
        """
        connect_s, stall_s = paciencia.connect_s, paciencia.stall_s
        almacen = Almacen(
            ajustes, folder=folder, environment=environment, connect_s=connect_s, stall_s=stall_s, suma=True
        )
        self._store = almacen.store
        self._place = ajustes.sin_secretos.rstrip("/")
        self._stop = parar
        self._pauses = paciencia.pausas_s

    def pon(self, ruta: str, cuerpo: Cuerpo, cabeceras: Cabeceras, *, sha256: str, de: str) -> str:
        """Put one object, whole; its ETag.

        Raises:
            RedError, DestinoError: it is not there, or it is not known; what was there before is still whole.
        """
        tipo, cache, coding = cabeceras
        attributes: dict[Any, str] = {"Content-Type": tipo, "Cache-Control": cache}
        if coding is not None:
            attributes["Content-Encoding"] = coding
        attributes |= {METADATO_SHA256: sha256, METADATO_DE: de}
        parts = not isinstance(cuerpo.datos, bytes)

        def put() -> str:
            done = obstore.put(
                self._store,
                ruta,
                cuerpo.datos,
                attributes=attributes,
                use_multipart=parts,
                chunk_size=PARTE_BYTES,
                max_concurrency=PARTES,
            )
            return _tag(done["e_tag"])

        return self._patiently("publicar", ruta, put, writing=True)

    def copia(self, desde: str, ruta: str) -> None:
        """Have the store copy one object of its own, headers and all: its bytes do not travel. Raises as ``pon``."""
        self._patiently("publicar", ruta, lambda: obstore.copy(self._store, desde, ruta), writing=True)

    def mira(self, ruta: str) -> Ficha | None:
        """What the store says of one object; None where it is not there.

        Raises:
            RedError, DestinoError: it does not answer, or may not.
        """

        def look() -> Ficha | None:
            try:
                found = obstore.get(self._store, ruta, options={"head": True})
            except FileNotFoundError as exc:
                if of_obstore(exc).ausente:
                    return None
                raise
            said = found.attributes
            headers = (said.get("Content-Type", ""), said.get("Cache-Control", ""), said.get("Content-Encoding"))
            meta = found.meta
            return Ficha(meta["size"], _tag(meta["e_tag"]), headers, said.get(METADATO_SHA256), said.get(METADATO_DE))

        return self._patiently("mirar", ruta, look)

    def md5(self, ruta: str) -> str:
        """MD5 of the bytes that are stored there now, read as they come: for where an ETag is something else.

        Raises:
            RedError, DestinoError: they cannot be read.
        """

        def read() -> str:
            digest = hashlib.md5(usedforsecurity=False)
            for piece in obstore.get(self._store, ruta).stream():
                digest.update(piece)
            return digest.hexdigest()

        return self._patiently("leer", ruta, read)

    def lee(self, ruta: str, limite: int) -> bytes | None:
        """The first ``limite`` bytes of a small document; None where there is none.

        Raises:
            RedError, DestinoError: it does not come, or may not.
        """

        def read() -> bytes | None:
            try:
                return bytes(obstore.get(self._store, ruta, options={"range": (0, limite)}).bytes())
            except FileNotFoundError as exc:
                if of_obstore(exc).ausente:
                    return None
                raise

        return self._patiently("leer", ruta, read)

    def lista(self, prefijo: str = "") -> dict[str, tuple[int, str]]:
        """Path to stored bytes and ETag of everything below ``prefijo`` (a folder; empty: all that is the target's).

        Raises:
            RedError, DestinoError: it cannot be listed.
        """

        def collect() -> dict[str, tuple[int, str]]:
            pages = obstore.list(self._store, prefijo or None, chunk_size=1000)
            return {entry["path"]: (entry["size"], _tag(entry["e_tag"])) for page in pages for entry in page}

        return self._patiently("listar", prefijo, collect)

    def quita(self, rutas: Sequence[str]) -> None:
        """Remove objects; those that are not there any more are none.

        Raises:
            RedError, DestinoError: some may still be there.
        """
        for start in range(0, len(rutas), POR_BORRADO):
            batch = list(rutas[start : start + POR_BORRADO])
            self._patiently("quitar", batch[0], partial(obstore.delete, self._store, batch))

    def negativa(self, verbo: str, ruta: str, causa: Causa, *, nuestra: bool) -> RedError | DestinoError:
        """The refusal in three sentences."""
        what = f"«{ruta}» en {self._place}" if ruta else self._place
        kind: Any = DestinoError if nuestra else RedError
        failure: RedError | DestinoError = kind(
            f"No se pudo {verbo} {what}: {causa.que}.",
            intacto="Ahí cada página sigue entera, la de antes o la nueva; este difusor sirve lo suyo como estaba.",
            que_hacer=causa.que_hacer,
        )
        return failure

    def _patiently(self, verbo: str, ruta: str, action: Callable[[], T], *, writing: bool = False) -> T:
        for pause in self._pauses:
            try:
                return self._once(verbo, ruta, action, writing=writing)
            except RedError:
                if self._stop.wait(pause):
                    raise
        return self._once(verbo, ruta, action, writing=writing)

    def _once(self, verbo: str, ruta: str, action: Callable[[], T], *, writing: bool = False) -> T:
        if self._stop.is_set():
            raise self.negativa(
                verbo, ruta, Causa("se dejó para después", "Nada: se hará en la siguiente vuelta."), nuestra=False
            )
        try:
            return action()
        except (BaseError, OSError) as exc:
            said = _understood(exc)
            causa = said.causa
            if said.sin_permiso:
                causa = Causa(causa.que, _PERMISOS)
            elif writing and said.estado == _LLENO:
                causa = Causa(
                    f"{causa.que}: no pudo guardarlo, quizá porque no tiene lugar",
                    f"Vea si al almacén le queda lugar. {causa.que_hacer}",
                )
            raise self.negativa(verbo, ruta, causa, nuestra=said.nuestra) from exc


def _understood(exc: Exception) -> Negativa:
    said = of_obstore(exc)
    text = str(exc)
    if said.estado is None and "AccessDenied" in text:  # one object's answer, within the answer about many
        return refusal(403, "<Code>AccessDenied</Code>")
    if said.codigo in _ALTERADO:
        causa = Causa(f"lo que llegó no es lo que se envió ({said.codigo})", "Revise la red; se intentará de nuevo.")
        return Negativa(causa, said.estado, said.codigo, nuestra=False)
    return said


def _tag(e_tag: str | None) -> str:
    return (e_tag or "").strip('"')
