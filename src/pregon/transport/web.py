"""Files below a web address, read one by one: a repository that is published, or a difusor's portal."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit

import httpx2

from pregon.base.errors import RedError, UsoError
from pregon.transport.plazo import Plazo

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
_NOT_THERE = frozenset({httpx2.codes.NOT_FOUND, httpx2.codes.GONE, httpx2.codes.FORBIDDEN})
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
        self._client = httpx2.Client(timeout=WAIT_S, follow_redirects=False, trust_env=False)
        self._plazo = Plazo()
        self._archivo_s = archivo_s
        self._sitio_s = sitio_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def stream(self, ruta: str) -> Iterator[bytes] | None:
        """The body of ``ruta`` in pieces, as it travels, or None where the site says that it is not there.

        Raises:
            RedError: no answer, another status, or the answer stopped.
        """
        url = self.base + quote(ruta)
        limit = min(self._archivo_s, self._sitio_s)
        if limit <= 0:
            raise _failed(url, "el sitio ya tardó demasiado con los archivos anteriores")
        answer = contextlib.ExitStack()
        try:
            answer.enter_context(self._spent())
            answer.enter_context(self._plazo.limit(limit))
            asked = {"accept-encoding": "identity", "user-agent": "pregon-verifica"}
            response = answer.enter_context(
                self._client.stream("GET", url, headers=asked, extensions=self._plazo.extensions)
            )
            if response.status_code in _NOT_THERE:
                answer.close()
                return None
            if response.status_code != httpx2.codes.OK:
                raise _failed(url, f"respondió con el estado {response.status_code}")
            encoding = response.headers.get("content-encoding", "identity")
            if encoding != "identity":
                raise _failed(url, f"respondió comprimido ({encoding}) aunque se le pidió sin comprimir")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as exc:
            answer.close()
            raise self._stopped(url, limit, exc) from exc
        except RedError:
            answer.close()
            raise
        return self._pieces(url, limit, response, answer)

    def _pieces(
        self, url: str, limit: float, response: httpx2.Response, answer: contextlib.ExitStack
    ) -> Iterator[bytes]:
        with answer:
            try:
                yield from response.iter_raw()
            except (httpx2.HTTPError, OSError) as exc:
                raise self._stopped(url, limit, exc) from exc
            if self._plazo.vencido:  # Without a length, an answer that was cut looks whole.
                raise self._stopped(url, limit, None)

    @contextlib.contextmanager
    def _spent(self) -> Iterator[None]:
        start = self._clock.monotonic()
        try:
            yield
        finally:
            self._sitio_s -= self._clock.monotonic() - start

    def _stopped(self, url: str, limit: float, exc: Exception | None) -> RedError:
        return _failed(url, f"tardó más de {limit:g} s" if self._plazo.vencido else str(exc) or type(exc).__name__)


def _failed(url: str, reason: str) -> RedError:
    return RedError(
        f"No se pudo leer {url}: {reason}.",
        intacto=_INTACTO,
        que_hacer="Revise la dirección y la red; que no se pueda leer no prueba que esté alterado.",
    )
