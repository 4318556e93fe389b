"""Which of the files that an institute without Pregón left are a package, which is the newest, and whether it is whole.

Decides on values: what a look at the folder saw, the profile and the hour. How a package is known to be complete is the
profile's ``recepcion``:

* ``marcador:<name>``: a file of that name is there, and is another than when the last package was taken;
* ``suma``: the sums are there and every file is the one they list; until then it is waited for;
* ``renombrado``: the sender writes under a temporary name and renames, so that what has its final name is whole;
* ``quieto:<s>``: nothing of it changed for so many seconds of our clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pregon.base.errors import EquivocoError
from pregon.paquete.reading import EXTENSIONES
from pregon.paquete.sumas import is_list, subject
from pregon.trust.orden import INTACTO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from pregon.base.clock import Clock
    from pregon.convocatoria.model import Convocatoria
    from pregon.trust.origen import Visto

TEMPORALES = (".part", ".filepart", ".partial", ".parcial", ".tmp", ".crdownload")
"""Endings of names under which programs write what is not whole yet; rsync begins them with a dot instead."""
ESTABLE_S = 60.0
"""With ``suma``: how long what disagrees with its sums must stay as it is to be an error and not a delay."""
PORTADA = "index.html"
"""What a web server answers «/» with."""

_SELLO = re.compile(r"(?<![0-9])([0-9]{8})_([0-9]{4})([0-9]{2})?(?![0-9])")


@dataclass(frozen=True)
class Oferta:
    """One package as it lies in the folder.

    ``nombre`` is the archive's path or the folder's name («.» for the origin itself); ``raiz`` what precedes the names
    of its files; ``archivos`` the files of a folder, or the one archive; ``listas`` the lists of sums beside an
    archive; ``sello`` the instant that its name says.
    """

    nombre: str
    raiz: str
    archivos: tuple[Visto, ...]
    listas: tuple[Visto, ...] = ()
    sello: datetime | None = None
    comprimido: bool = False

    @property
    def huella(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Changes whenever a file of it, or a list beside it, may have."""
        return tuple((seen.ruta, seen.huella) for seen in (*self.archivos, *self.listas))

    @property
    def modificado(self) -> datetime:
        """The newest time of its files."""
        return datetime.fromtimestamp(max(seen.hora_ns for seen in self.archivos) // 10**9, UTC)


def stamp_of(name: str, zone: ZoneInfo) -> datetime | None:
    """The instant that a name states, ``AAAAMMDD_HHMM`` or with seconds, in local time; None where it states none."""
    match = _SELLO.search(name)
    if match is None:
        return None
    try:
        return datetime.strptime(f"{match[1]}{match[2]}{match[3] or '00'}", "%Y%m%d%H%M%S").replace(tzinfo=zone)
    except ValueError:
        return None


def is_temporary(ruta: str) -> bool:
    """Whether the sender has not given it its final name yet, or it is no file for the public (``.htaccess``)."""
    return any(part.startswith(".") for part in ruta.split("/")) or ruta.lower().endswith(TEMPORALES)


def find_offers(seen: Iterable[Visto], call: Convocatoria, *, sin: str | None = None) -> tuple[Oferta, ...]:
    """The packages of a folder, the newest first; ``sin`` is the marker's name, which is of no package.

    ``paquete.archivo`` of the profile says what they are: archives anywhere in the folder; or («dir») folders with a
    stamp in their names, or the folder itself. Where some names have a stamp only those count; where none has, only
    the newest file.
    """
    there = [each for each in seen if each.ruta != sin and not is_temporary(each.ruta)]
    find = _folders if call.paquete.archivo == "dir" else _archives
    found = find(there, call.zona)
    stamped = [offer for offer in found if offer.sello is not None]
    if stamped:
        return tuple(sorted(stamped, key=lambda offer: (offer.sello or offer.modificado, offer.nombre), reverse=True))
    return (max(found, key=lambda offer: (offer.modificado, offer.nombre)),) if found else ()


def _archives(there: Sequence[Visto], zone: ZoneInfo) -> list[Oferta]:
    archives = {each.ruta: each for each in there if each.ruta.lower().endswith(EXTENSIONES)}
    owners = {text: ruta for ruta in archives for text in (ruta.rpartition(".")[0], ruta)}
    lists: dict[tuple[str, str | None], list[Visto]] = {}
    for each in there:
        if is_list(each.ruta):
            owner = owners.get(subject(each.ruta) or "")
            lists.setdefault((each.ruta.rpartition("/")[0], owner), []).append(each)
    found = []
    for ruta, archive in archives.items():
        folder, _, name = ruta.rpartition("/")
        mine = (*lists.get((folder, ruta), ()), *lists.get((folder, None), ()))
        found.append(Oferta(ruta, "", (archive,), mine, stamp_of(name, zone), comprimido=True))
    return found


def _folders(there: Sequence[Visto], zone: ZoneInfo) -> list[Oferta]:
    if any(each.ruta == PORTADA for each in there):
        return [Oferta(".", "", tuple(there))]
    grouped: dict[str, list[Visto]] = {}
    for each in there:
        head, slash, _ = each.ruta.partition("/")
        if slash and stamp_of(head, zone) is not None:
            grouped.setdefault(head, []).append(each)
    if not grouped:
        return [Oferta(".", "", tuple(there))] if there else []
    return [Oferta(head, f"{head}/", tuple(inside), sello=stamp_of(head, zone)) for head, inside in grouped.items()]


def check_only(offer: Oferta, offers: Sequence[Oferta]) -> None:
    """That no other package has the stamp of this one.

    Raises:
        EquivocoError: another has.
    """
    same = sorted(other.nombre for other in offers if other.sello is not None and other.sello == offer.sello)
    if len(same) > 1:
        raise EquivocoError(
            f"Hay {len(same)} paquetes con la misma hora: {' y '.join(f'«{name}»' for name in same[:3])}.",
            intacto=INTACTO,
            que_hacer="Un corte es un solo paquete: deje en la carpeta el bueno, o pida al instituto que los junte.",
        )


class Paciencia:
    """What the rules of reception remember between two looks. Forgets what is no longer offered."""

    def __init__(self, recepcion: str, clock: Clock, *, tomado: tuple[int, ...] | None = None) -> None:
        """``tomado`` is the state of the marker (``estado_marcador``) with which the last package was taken."""
        self._rule, _, self._value = recepcion.partition(":")
        self._clock = clock
        self._since: dict[str, tuple[object, float]] = {}
        self._taken = tomado
        self._marker: tuple[int, ...] | None = None

    @property
    def marcador(self) -> str | None:
        """The marker's name, where that is the rule."""
        return self._value if self._rule == "marcador" else None

    @property
    def por_suma(self) -> bool:
        """Whether sums that do not agree are a delivery that has not ended."""
        return self._rule == "suma"

    @property
    def estado_marcador(self) -> tuple[int, ...] | None:
        """Size and time of the marker at the last look."""
        return self._marker

    def look(self, seen: Iterable[Visto], offers: Sequence[Oferta]) -> None:
        """Take note of what is offered now."""
        now = self._clock.monotonic()
        since: dict[str, tuple[object, float]] = {}
        for offer in offers:
            mark, start = self._since.get(offer.nombre, (None, now))
            since[offer.nombre] = (offer.huella, start if mark == offer.huella else now)
        self._since = since
        self._marker = self.marker_in(seen)

    def marker_in(self, seen: Iterable[Visto]) -> tuple[int, ...] | None:
        """The state of the marker among what a look saw; None where it is not there, or is not a file."""
        found = (each for each in seen if each.ruta == self.marcador and each.tipo == "archivo")
        return next(((each.bytes, each.hora_ns) for each in found), None)

    def quieta_s(self, offer: Oferta) -> float:
        """For how many seconds nothing of it has changed."""
        return self._clock.monotonic() - self._since[offer.nombre][1]

    def ready(self, offer: Oferta) -> bool:
        """Whether it is time to look inside."""
        if self._rule == "marcador":
            return self._marker is not None and self._marker != self._taken
        if self._rule == "quieto":
            return self.quieta_s(offer) >= float(self._value)
        return True

    def take(self) -> None:
        """The package that the marker announced was looked into: the next one needs another marker."""
        self._taken = self._marker
