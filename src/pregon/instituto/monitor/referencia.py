"""With what a portal is compared: what the institute signed, or what the portal publishes of itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from pregon.base.hashing import sha256_bytes
from pregon.instituto.monitor.catalogo import PORTADA
from pregon.instituto.monitor.modelo import Muestra, Observacion
from pregon.paquete.errors import ManifiestoError
from pregon.paquete.manifest import FileEntry, parse_manifest
from pregon.paquete.names import MANIFIESTO

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pregon.instituto.monitor.catalogo import Corte
    from pregon.instituto.monitor.muestreo import Recorrido
    from pregon.sonda.portal import Mirada, Portal
    from pregon.sonda.probe import CutStamp

ESCONDIDOS = 3
"""Files of the package of before the start that are asked for while the portal says that it waits."""
REFRESCA = 10
"""Rounds after which a point without the institute's list reads the manifest again."""


class Referencia(Protocol):
    """With what a portal is compared: the institute's own list, or what the portal publishes of itself."""

    def archivos(
        self, portal: Portal, difusor: str, ronda: int, sospechosos: Collection[str], stamp: CutStamp | None, cover: str
    ) -> Sequence[FileEntry]:
        """What to read of a portal that shows ``stamp`` and a cover with that hash."""

    def observacion(self, seen: Mirada, base: Observacion) -> Observacion:
        """``base`` with what the comparison says."""


class Cortes(Protocol):
    """What was signed: ``catalogo.Catalogo``, or ``catalogo.Fijo`` where there is no workspace."""

    def corte(self, numero: int, /) -> Corte | None: ...

    def recientes(self) -> Iterable[Corte]: ...


class Firmada:
    """Compares with what was signed. A cover of ours tells its cut although ``corte.json`` is missing."""

    def __init__(self, catalogo: Cortes) -> None:
        self._catalog = catalogo

    def archivos(
        self, portal: Portal, difusor: str, ronda: int, sospechosos: Collection[str], stamp: CutStamp | None, cover: str
    ) -> Sequence[FileEntry]:
        del portal
        number = self._corte(stamp, cover)
        if number is None:
            early = self._antes()
            return () if early is None else _escondidos(early)
        cut = self._catalog.corte(number)
        return () if cut is None else cut.recorrido.elige(difusor, ronda, sospechosos)

    def observacion(self, seen: Mirada, base: Observacion) -> Observacion:
        number = self._corte(seen.estampa, seen.portada_sha256 or "")
        if number is None:
            early = self._antes()
            asked = tuple(Muestra(one.ruta, one.esperado, one.sha256) for one in seen.lecturas)
            open_ = tuple(one for one in asked if one.igual)
            if early is None or not open_:
                return base
            return replace(base, forma="resultados", corte=early.firmado.corte, hora_corte=early.hora, muestras=open_)
        samples = tuple(Muestra(one.ruta, one.esperado, one.sha256) for one in seen.lecturas)
        cut = self._catalog.corte(number)
        shown, samples = self._mezcla(number, samples)
        whole = any(one.ruta == MANIFIESTO and one.igual for one in samples) and shown == number
        return replace(
            base,
            forma="resultados",
            corte=shown,
            hora_corte=None if cut is None else cut.hora,
            manifiesto_sha256=cut.firmado.manifiesto_sha256 if whole and cut is not None else None,
            muestras=samples,
        )

    def _antes(self) -> Corte | None:
        """The package of before the start, where it is all that was signed."""
        newest = next(iter(self._catalog.recientes()), None)
        return newest if newest is not None and newest.firmado.corte == 0 else None

    def corrige(self, one: Observacion) -> Observacion:
        """What another point saw, measured with what was signed and not with what the portal says of itself."""
        cut = None if one.corte is None else self._catalog.corte(one.corte)
        if cut is None or one.corte is None:
            return one
        samples = tuple(
            each if (entry := cut.archivos.get(each.ruta)) is None else replace(each, esperado=entry.sha256)
            for each in one.muestras
        )
        shown, samples = self._mezcla(one.corte, samples)
        return replace(one, corte=shown, muestras=samples)

    def _corte(self, stamp: CutStamp | None, cover: str) -> int | None:
        if stamp is not None:
            return stamp.corte
        return next((cut.firmado.corte for cut in self._catalog.recientes() if cut.portada == cover), None)

    def _mezcla(self, number: int, samples: tuple[Muestra, ...]) -> tuple[int, tuple[Muestra, ...]]:
        """A file of another signed cut is an old copy (or a new one), not an altered one: the oldest is what is shown.

        An address whose own bytes change from cut to cut may be kept on the way longer than the others.
        """
        if all(one.igual or one.sha256 is None for one in samples):
            return number, samples
        oldest, made = number, []
        recent = [cut for cut in self._catalog.recientes() if cut.firmado.corte != number]
        for one in samples:
            same = None
            if not one.igual and one.sha256 is not None:
                same = next(
                    (
                        cut
                        for cut in recent
                        if (entry := cut.archivos.get(one.ruta)) is not None and entry.sha256 == one.sha256
                    ),
                    None,
                )
            if same is None:
                made.append(one)
            else:
                oldest = min(oldest, same.firmado.corte)
                made.append(Muestra(one.ruta, same.archivos[one.ruta].sha256, one.sha256))
        return oldest, tuple(made)


def _escondidos(cut: Corte) -> tuple[FileEntry, ...]:
    """What nobody must be able to read before the start, although the cover says that it is not there yet."""
    return tuple(one for one in cut.recorrido.siempre if one.ruta not in (PORTADA, MANIFIESTO))[:ESCONDIDOS]


class Publicada:
    """Compares a portal with the manifest that it publishes itself: for a point that has nothing of the institute's.

    That proves nothing alone. Whoever receives the observation knows the hash of the manifest that was signed, and one
    that is the same makes every comparison with it as good as the institute's own.
    """

    def __init__(self, ordena: Ordena) -> None:
        self._order = ordena
        self._known: dict[str, tuple[int, str, Recorrido]] = {}

    def archivos(
        self, portal: Portal, difusor: str, ronda: int, sospechosos: Collection[str], stamp: CutStamp | None, cover: str
    ) -> Sequence[FileEntry]:
        del cover
        if stamp is None:
            self._known.pop(portal.url, None)
            return ()
        known = self._known.get(portal.url)
        if known is None or known[0] != stamp.corte or ronda % REFRESCA == 0:
            data = portal.manifiesto()
            if data is None:
                self._known.pop(portal.url, None)
                return ()
            try:
                files = parse_manifest(data).archivos
            except ManifiestoError:
                files = ()
            known = self._known[portal.url] = (stamp.corte, sha256_bytes(data), self._order(files))
        return known[2].elige(difusor, ronda, sospechosos)

    def observacion(self, seen: Mirada, base: Observacion) -> Observacion:
        if seen.estampa is None:
            return base
        known = self._known.get(base.url)
        return replace(
            base,
            forma="resultados",
            corte=seen.estampa.corte,
            hora_corte=_instant(seen.estampa.hora_corte),
            manifiesto_sha256=None if known is None else known[1],
            muestras=tuple(Muestra(one.ruta, one.esperado, one.sha256) for one in seen.lecturas),
        )


class Ordena(Protocol):
    """Puts the files of a manifest in the order of this point (``muestreo.recorrido``)."""

    def __call__(self, archivos: Sequence[FileEntry], /) -> Recorrido: ...


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
