"""The border with python-tuf: a source read through its ``FetcherInterface``, its failures told as ours."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from tuf.api import exceptions as tuf_errors
from tuf.ngclient import FetcherInterface

from pregon.base.durable import disk_failure
from pregon.base.errors import (
    ExpiradoError,
    FirmaError,
    HashError,
    PregonError,
    RedError,
    RetrocesoError,
    TrustError,
    UmbralError,
)
from pregon.trust.orden import INTACTO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.trust.origen import RepositorySource

_EXPIRED = re.compile(r"^(?:Final |New )?(\w+)(?:\.json)? is expired$")
_SIGNED_BY = re.compile(r"signed by (\d+)/(\d+) keys")
_NOT_FOUND = 404
_WARN = "Conserve lo recibido como evidencia y avise al instituto si se repite."


class SourceFetcher(FetcherInterface):
    """Gives python-tuf the files of a ``RepositorySource``; ``known`` are files already read, by path."""

    def __init__(self, source: RepositorySource, known: dict[str, bytes]) -> None:
        self._source = source
        self._known = known

    def _fetch(self, url: str) -> Iterator[bytes]:
        if url in self._known:
            return iter((self._known[url],))
        stream = self._source.stream(url)
        if stream is None:
            raise tuf_errors.DownloadHTTPError(f"{url} is not there", _NOT_FOUND)
        return stream


@contextlib.contextmanager
def tuf_border() -> Iterator[None]:
    """Raise our errors for what python-tuf raises inside the block; ours pass as they are.

    Raises:
        TrustError, RedError, DiscoError, EscrituraError.
    """
    try:
        yield
    except PregonError:
        raise
    except OSError as exc:
        disk_failure(exc, exc.filename or "la carpeta de confianza")
    except (tuf_errors.RepositoryError, tuf_errors.DownloadError) as exc:
        if isinstance(exc.__cause__, PregonError):  # its fetcher wraps what a source raises at once
            raise exc.__cause__ from exc
        raise _ours(exc) from exc
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, OverflowError) as exc:
        # Metadata of a shape that the library did not foresee: it is not metadata.
        raise FirmaError(f"Los metadatos recibidos no son admisibles: {exc}", **_rest()) from exc


def _rest() -> dict[str, str]:
    return {"intacto": INTACTO, "que_hacer": _WARN}


def _ours(exc: Exception) -> TrustError | RedError:
    if isinstance(exc, tuf_errors.UnsignedMetadataError):
        return _unsigned(exc)
    if isinstance(exc, tuf_errors.ExpiredMetadataError):
        return expired(_EXPIRED.sub(r"«\1»", str(exc)))
    if isinstance(exc, tuf_errors.BadVersionNumberError) or "is missing info" in str(exc):
        return RetrocesoError(f"Se ofrecieron metadatos más viejos que los ya aceptados: {exc}", **_rest())
    if isinstance(exc, tuf_errors.LengthOrHashMismatchError | tuf_errors.DownloadLengthMismatchError):
        return HashError(f"Unos metadatos no son los que el instituto firmó: {exc}", **_rest())
    if isinstance(exc, tuf_errors.DownloadError):
        return RedError(
            f"No se pudieron leer los metadatos del origen: {exc}",
            intacto=INTACTO,
            que_hacer="Puede ser una entrega a medias; se intentará de nuevo en el siguiente ciclo.",
        )
    return FirmaError(f"Los metadatos recibidos no son admisibles: {exc}", **_rest())


def _unsigned(exc: Exception) -> TrustError:
    """FIRMA when no signature is valid, UMBRAL when some are but not enough. python-tuf says it only in its text."""
    match = _SIGNED_BY.search(str(exc))
    if match is None or int(match[1]) == 0:
        return FirmaError(f"Ninguna firma de los metadatos recibidos es válida: {exc}", **_rest())
    return UmbralError(
        f"Los metadatos recibidos llevan {match[1]} firma(s) válida(s) y hacen falta {match[2]}: {exc}", **_rest()
    )


def expired(what: str) -> ExpiradoError:
    """The refusal of news whose signature is past its date."""
    return ExpiradoError(
        f"Lo que ofrece el origen ya venció: {what}.",
        intacto="Lo publicado sigue como estaba: una firma vencida impide novedades, no borra nada.",
        que_hacer="Compruebe el reloj de este equipo; si está bien, avise al instituto que su firma está vencida.",
    )
