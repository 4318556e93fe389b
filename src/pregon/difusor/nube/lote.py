"""Sends many objects to one bucket at once, each content once, and looks that what is there is what was sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pregon.base.hilos import each
from pregon.difusor.nube.cuerpos import PARTE_BYTES
from pregon.transport.causas import Causa

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pregon.difusor.nube.cubo import Cubo
    from pregon.difusor.nube.cuerpos import Cuerpo, Cuerpos
    from pregon.difusor.nube.inventario import Cabeceras, Hay, Inventario
    from pregon.difusor.nube.plan import Objeto

LINEAS = 32
"""Requests under way at once: most of the time of each is the way there and back."""
ENVIOS = 2
"""Times that one object is sent where the store took something else, which one that looks at the sum does not."""


class Cuenta:
    """What was done, counted by every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.objetos = 0
        self.bytes = 0
        self.copiados = 0

    def enviado(self, size: int) -> None:
        """One object travelled."""
        with self._lock:
            self.objetos += 1
            self.bytes += size

    def copiado(self) -> None:
        """One was copied by the store."""
        with self._lock:
            self.copiados += 1


class Lotes:
    """The way to one bucket. ``inventario`` learns of each object once it is there."""

    def __init__(self, cubo: Cubo, cuerpos: Cuerpos, inventario: Inventario, *, de: str) -> None:
        """``de``: whose every object is said to be."""
        self._cubo = cubo
        self._bodies = cuerpos
        self._inv = inventario
        self._de = de

    def sube(self, these: Sequence[Objeto], changing: Collection[str], tally: Cuenta) -> None:
        """Have ``these`` there: each content is sent once, and copied by the store where it has it under another name.

        Never from what is ``changing`` itself, nor from what came in parts: a copy of that has another ETag.

        Raises:
            RedError, DestinoError: the store failed or refuses; what is there is known.
            DiscoError: a content of ours is not what it should be.
        """
        sources: dict[tuple[str, Cabeceras], str] = {}
        if these:
            for ruta, hay in self._inv.objetos.items():
                if ruta not in changing and hay.sha256 and "-" not in hay.etag:
                    sources.setdefault((hay.sha256, hay.cabeceras), ruta)
        sent, copied = [], []
        for one in these:
            key = (one.sha256, one.cabeceras)
            if key in sources:
                copied.append(one)
                continue
            sent.append(one)
            if one.bytes <= PARTE_BYTES:
                sources[key] = one.ruta
        each(lambda one: self._upload(one, tally), sent, hilos=LINEAS, pocos=1)
        pairs = [(one, sources[one.sha256, one.cabeceras]) for one in copied]
        each(lambda pair: self._cubo.copia(pair[1], pair[0].ruta), pairs, hilos=LINEAS, pocos=1)
        self._check(pairs, tally)

    def es(self, one: Objeto, body: Cuerpo, size: int, etag: str) -> bool:
        """Whether what is stored, of that length and ETag, is that body; read back where the ETag does not tell.

        Raises:
            RedError, DestinoError: it cannot be read.
        """
        return size == body.bytes and (etag == body.etag or self._cubo.md5(one.ruta) == body.md5())

    def _upload(self, one: Objeto, tally: Cuenta) -> None:
        with self._bodies.de(one) as body:
            for _ in range(ENVIOS):
                etag = self._cubo.pon(one.ruta, body, one.cabeceras, sha256=one.sha256, de=self._de)
                if self.es(one, body, body.bytes, etag):
                    break
            else:
                causa = Causa(
                    "lo que quedó ahí no es lo que se envió",
                    "Se enviará otra vez; si sigue, avise a quien administra el almacén.",
                )
                raise self._cubo.negativa("publicar", one.ruta, causa, nuestra=False)
        self._inv.anota(one, body.bytes, etag)
        tally.enviado(body.bytes)

    def _check(self, pairs: Sequence[tuple[Objeto, str]], tally: Cuenta) -> None:
        """The store says of each copy what it said of its source; where it does not, the content is sent."""
        there: dict[str, tuple[int, str]] = {}
        for folder in sorted({_folder(one.ruta) for one, _ in pairs}):
            there.update(self._cubo.lista(folder))
        doubtful = []
        for one, source in pairs:
            hay = self._inv.objetos[source]
            if there.get(one.ruta) == (hay.bytes, hay.etag):
                self._inv.anota(one, hay.bytes, hay.etag)
                tally.copiado()
            else:
                doubtful.append((one, hay))
        each(lambda pair: self._check_one(*pair, tally), doubtful, hilos=LINEAS, pocos=1)

    def _check_one(self, one: Objeto, source: Hay, tally: Cuenta) -> None:
        """Where a store encrypts, a copy has another ETag: then its length and all that it carries are its source's."""
        found = self._cubo.mira(one.ruta)
        carried = (source.bytes, one.sha256, one.cabeceras, self._de)
        if found is None or (found.bytes, found.sha256, found.cabeceras, found.de) != carried:
            self._upload(one, tally)
            return
        self._inv.anota(one, found.bytes, found.etag)
        tally.copiado()


def _folder(ruta: str) -> str:
    """The folder by whose list a copy is looked at: that of one cut's data, or the file's own."""
    parts = ruta.split("/")
    return "/".join(parts[: min(2, len(parts) - 1)])
