"""Files below a web address, read one by one: a repository that is published, or a difusor's portal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit

from pregon.base.errors import RedError, UsoError
from pregon.transport.causas import Causa, of_status
from pregon.transport.peticion import NOT_THERE, READABLE, Peticiones, http_client, tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from pregon.base.clock import Clock

WAIT_S = 10.0
"""For each wait of the link."""
FILE_S = 600.0
"""For one whole file, however slowly it comes."""
SITE_S = 4 * 3600.0
"""For all the files of a site together: a whole package over a slow line. Thousands of slow files would be months."""
_INTACTO = "Sólo se leyó: no se escribió ni se cambió nada."


class WebSource:
    """Reads ``base`` over HTTP(S), one connection kept; implements ``trust.origen.RepositorySource``.

    Follows no redirection, asks for no encoding, obeys no proxy of the environment. Whoever asks limits and checks.
    """

    def __init__(self, base: str, *, clock: Clock, archivo_s: float = FILE_S, sitio_s: float = SITE_S) -> None:
        """``base`` is an address with ``http`` or ``https``; a final ``/`` is added where it lacks one.

        ``archivo_s`` and ``sitio_s``: seconds for one file and for all.

        Raises:
            UsoError: it is not such an address.
        """
        try:
            parts = urlsplit(base)
            complete = (
                parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
            )
        except ValueError:
            complete = False
        if not complete:
            raise UsoError(
                f"«{base}» no es la dirección de un sitio.",
                intacto=_INTACTO,
                que_hacer="Escríbala completa, desde https:// y hasta la carpeta donde empieza, sin «?» ni «#».",
            )
        self.base = base.removesuffix("index.html").rstrip("/") + "/"
        self._clock = clock
        client = http_client(tls_context(), connect_s=WAIT_S, stall_s=WAIT_S)
        self._peticiones = Peticiones(client, clock, _failed)
        self._archivo_s = archivo_s
        self._sitio_s = sitio_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._peticiones.close()

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        """The body of ``ruta`` in pieces from ``desde`` on, or None where the site says that it is not there.

        Raises:
            RedError: no answer, another status, or the answer stopped.
        """
        url = self.base + quote(ruta)
        limit = min(self._archivo_s, self._sitio_s)
        if limit <= 0:
            raise _failed(url, Causa("el sitio ya tardó demasiado con los archivos anteriores", ""))
        start = self._clock.monotonic()

        def spend() -> None:
            self._sitio_s -= self._clock.monotonic() - start

        try:
            answer = self._peticiones.get(url, {"user-agent": "pregon-verifica"}, seconds=limit, desde=desde)
        except RedError:
            spend()
            raise
        answer.al_cerrar(spend)
        if answer.status in NOT_THERE:
            answer.discard()
            return None
        if answer.status not in READABLE:
            raise answer.refused(of_status(answer.status, answer.headers))
        return answer.pieces()


def _failed(url: str, causa: Causa) -> RedError:
    return RedError(
        f"No se pudo leer {url}: {causa.que}.",
        intacto=_INTACTO,
        que_hacer="Revise la dirección y la red; que no se pueda leer no prueba que esté alterado.",
    )
