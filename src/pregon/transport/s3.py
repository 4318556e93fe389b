"""S3 as carrier: a difusor pulls from a bucket (INE-II-a-ii-1), or the institute pushes into one.

Also by a private link: ``extremo`` is its host (INE-II-a-iii-2b). An object appears whole or not at all, so nothing
half sent is ever visible; «nothing new» is one conditional GET of ``metadata/timestamp.json``.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import BaseError, NotModifiedError

from pregon.base.errors import AjustesError, DestinoError, RedError
from pregon.transport.almacen import Almacen, Negativa, of_obstore
from pregon.transport.buzon import MAX_ACUSES, MAX_BYTES, NOMBRE
from pregon.transport.destino import Entregado
from pregon.transport.peticion import CONNECT_S, STALL_S, tls_of
from pregon.transport.pieza import pieces
from pregon.transport.subida import LINES, OLD, Linea
from pregon.trust.metadatos import TIMESTAMP, TIMESTAMP_MAX_BYTES
from pregon.trust.ritmo import time_for

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.transport.caudal import Caudal
    from pregon.transport.destino import Envio
    from pregon.transport.lugar import Lugar
    from pregon.transport.pieza import Pieza
    from pregon.transport.subida import Empezado

_ABSENT_RANGE = 416
T = TypeVar("T")


class S3Source:
    """Reads a repository in a bucket; implements ``trust.origen.RepositorySource``.

    TLS 1.2 or newer; ``ca`` is trusted besides the system's authorities. Nothing of the environment is obeyed but the
    credentials, where the settings name none.
    """

    def __init__(
        self,
        lugar: Lugar,
        *,
        folder: Path,
        clock: Clock,
        environment: Mapping[str, str],
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
    ) -> None:
        """Arguments and errors as ``HttpsSource``."""
        self._almacen = _readable(lugar, folder, environment, connect_s=connect_s, stall_s=stall_s)
        self._clock = clock
        self._known: tuple[str, bytes] | None = None

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        """The object's bytes from ``desde`` on, as they travel; None where there is none, or none that we may see.

        The bytes of a ``timestamp.json`` that did not change are the ones that came the last time.

        Raises:
            RedError: no answer, another status, or the answer stopped; the text says why.
        """
        whole_timestamp = ruta == TIMESTAMP and not desde
        options: obstore.GetOptions = {}
        if desde:
            options["range"] = {"offset": desde}
        known = self._known if whole_timestamp else None
        if known is not None:
            options["if_none_match"] = known[0]
        try:
            result = obstore.get(self._almacen.store, ruta, options=options)
        except NotModifiedError as exc:
            if known is None:
                raise self._failed(ruta, of_obstore(exc)) from exc
            return iter((known[1],))
        except (BaseError, OSError) as exc:
            said = of_obstore(exc)
            if said.estado == _ABSENT_RANGE and desde:
                return iter(())
            # Without the timestamp there is nothing to read at all: there «forbidden» is about us, not about the file.
            if said.ausente or (said.sin_permiso and ruta != TIMESTAMP):
                return None
            raise self._failed(ruta, said) from exc
        pieces = self._pieces(ruta, result)
        return self._remembering(result.meta.get("e_tag"), pieces) if whole_timestamp else pieces

    def _pieces(self, ruta: str, result: obstore.GetResult) -> Iterator[bytes]:
        limit = self._clock.monotonic() + time_for(result.meta["size"])
        try:
            # As it comes: whoever waited for a size would wait for ever for one who drips.
            for piece in result.stream(min_chunk_size=1):
                if self._clock.monotonic() > limit:
                    raise RedError(
                        f"Se dejó de leer {self._name(ruta)}: llega demasiado despacio.",
                        intacto="Sólo se leyó; lo publicado sigue como estaba.",
                        que_hacer="Revise la red; se intentará de nuevo en el siguiente ciclo.",
                    )
                yield bytes(piece)
        except (BaseError, OSError) as exc:
            raise self._failed(ruta, of_obstore(exc)) from exc

    def _remembering(self, tag: str | None, pieces: Iterator[bytes]) -> Iterator[bytes]:
        self._known = None
        body = b""
        for piece in pieces:
            if len(body) <= TIMESTAMP_MAX_BYTES:
                body += piece
            yield piece
        if tag and len(body) <= TIMESTAMP_MAX_BYTES:
            self._known = (tag, body)

    def _name(self, ruta: str) -> str:
        return f"{self._almacen.lugar.sin_secretos.rstrip('/')}/{ruta}"

    def _failed(self, ruta: str, said: Negativa) -> RedError:
        return RedError(
            f"No se pudo leer {self._name(ruta)}: {said.causa.que}.",
            intacto="Sólo se leyó; lo publicado sigue como estaba.",
            que_hacer=said.causa.que_hacer,
        )


class S3Destination:
    """Pushes a repository into a bucket; implements ``transport.destino.Destination``.

    The identity needs to put objects below the prefix; if it may also read and list uploads in parts, what is there is
    not sent again, and a long file that was cut goes on from the last whole part.
    """

    def __init__(
        self,
        lugar: Lugar,
        *,
        folder: Path,
        clock: Clock,
        environment: Mapping[str, str],
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
        partes: str = "targets/",
    ) -> None:
        """Arguments and errors as ``HttpsSource``; here ``ca`` takes the place of the system's authorities.

        ``partes``: below what an upload in parts that was cut is looked for.
        """
        self._almacen = Almacen(lugar, folder=folder, environment=environment, connect_s=connect_s, stall_s=stall_s)
        self._tls = tls_of(lugar, folder)
        self._clock = clock
        self._connect_s = connect_s
        self._stall_s = stall_s
        self._partes = partes

    def deliver(self, envio: Envio, caudal: Caudal) -> Entregado:
        """As ``Destination.deliver``. Within a step, up to ``LINES`` files travel at once."""
        with contextlib.ExitStack() as stack:
            stop = threading.Event()
            lines: queue.SimpleQueue[Linea] = queue.SimpleQueue()
            for _ in range(LINES):
                line = Linea(
                    self._almacen,
                    tls=self._tls,
                    clock=self._clock,
                    caudal=caudal,
                    parar=stop,
                    connect_s=self._connect_s,
                    stall_s=self._stall_s,
                )
                stack.callback(line.close)
                lines.put(line)
            pool = stack.enter_context(ThreadPoolExecutor(LINES, thread_name_prefix="s3"))
            stack.callback(stop.set)  # whatever ends this, nobody goes on waiting for the shared rate
            there = _with(lines, partial(Linea.unfinished, ruta=self._partes))
            given = Entregado(0, 0)
            for paso in pieces(envio):
                tasks = [pool.submit(_with, lines, _one(pieza, there)) for pieza in paso]
                given = _all(tasks, stop, given)
            whole = {ruta for paso in envio.pasos for ruta in paso}
            for upload in there or ():
                old = self._clock.now() - upload.desde > OLD and (envio.repositorio / upload.ruta).is_file()
                if upload.ruta in whole or old:  # what our repository has not is somebody else's
                    _with(lines, partial(Linea.drop, upload=upload))
            return given


class S3Acuses:
    """The acuses that a difusor leaves below a prefix; implements ``transport.destino.AcuseBox``."""

    def __init__(
        self,
        lugar: Lugar,
        *,
        folder: Path,
        clock: Clock,  # what every opener of a place gives
        environment: Mapping[str, str],
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
    ) -> None:
        """Arguments and errors as ``HttpsSource``."""
        self._almacen = _readable(lugar, folder, environment, connect_s=connect_s, stall_s=stall_s)

    def collect(self, known: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of each acuse there that is not in ``known``, in order of name. Nothing there is changed.

        Raises:
            RedError, DestinoError: as ``Destination.deliver``.
        """
        try:
            for name in self._names(known):
                found = obstore.get(self._almacen.store, name)
                if found.meta["size"] <= MAX_BYTES:  # it may be another one than was listed
                    yield name, bytes(found.bytes())
        except (BaseError, OSError) as exc:
            said = of_obstore(exc)
            kind = DestinoError if said.nuestra else RedError
            raise kind(
                f"No se pudieron recoger los acuses de {self._almacen.lugar.sin_secretos}: {said.causa.que}.",
                intacto="No se cambió nada ahí; los acuses ya recogidos siguen guardados.",
                que_hacer=said.causa.que_hacer,
            ) from exc

    def _names(self, known: Collection[str]) -> list[str]:
        found: list[str] = []
        seen = 0
        for batch in obstore.list(self._almacen.store):
            for entry in batch:
                seen += 1
                name = entry["path"]
                if NOMBRE.fullmatch(name) and name not in known:
                    found.append(name)
            if seen > MAX_ACUSES:
                break
        return sorted(found)


def _readable(
    lugar: Lugar, folder: Path, environment: Mapping[str, str], *, connect_s: float, stall_s: float
) -> Almacen:
    if lugar.certificado is not None:
        raise AjustesError(
            f"No sirven los ajustes de {lugar.sin_secretos}: de un almacén S3 no se lee con certificado de cliente.",
            intacto="No se leyó nada.",
            que_hacer="Quite «certificado» y «clave_certificado»; si el almacén los exige, léalo por https://.",
        )
    return Almacen(lugar, folder=folder, environment=environment, connect_s=connect_s, stall_s=stall_s)


def _one(pieza: Pieza, there: tuple[Empezado, ...] | None) -> Callable[[Linea], int | None]:
    """What a line does with one file: bytes sent, or None where it was there already."""
    return lambda line: None if line.same(pieza) else line.send(pieza, there)


def _with(lines: queue.SimpleQueue[Linea], action: Callable[[Linea], T]) -> T:
    line = lines.get()
    try:
        return action(line)
    finally:
        lines.put(line)


def _all(tasks: list[Future[int | None]], stop: threading.Event, given: Entregado) -> Entregado:
    """``given`` and what the ``tasks`` sent. At the first failure the others stop, and it is raised when all did."""
    done = wait(tasks, return_when=FIRST_EXCEPTION).done
    first = next((error for task in done if (error := task.exception()) is not None), None)
    if first is not None:
        stop.set()
        for task in tasks:
            task.cancel()
        wait(tasks)
        raise first
    sent = [size for task in tasks if (size := task.result()) is not None]
    return Entregado(given.archivos + len(sent), given.bytes + sum(sent))
