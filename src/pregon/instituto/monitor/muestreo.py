"""Which files of a cut to read in one round, and with what probability an altered one is found. Pure.

Three kinds, by what people open:

* ``siempre``: what most people see, whole in every round: the cover, the stamp, the summary, each contest's page, and
  the data of the whole entity that the scripts ask for.
* ``resto``: everything else, ``muestra`` files each round, along an order that only the vantage point knows and that
  begins elsewhere for each difusor. Nothing is read twice before everything was read once: after ``ceil(n/muestra)``
  rounds every file was read.
* ``grandes``: the files that would fill the link, one of them every ``cada_grande`` rounds, in order too.

A file that was seen altered is read in every round until it is well again (``sospechosos``).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pregon.paquete.manifest import FileEntry

MUESTRA = 20
SIEMPRE_MAX = 40
"""Of the first kind at most; the rest of them is read as the others are."""
GRANDE = 2 << 20
"""Bytes above which a file is not read with the others."""
CADA_GRANDE = 10
"""Rounds."""
SOSPECHOSOS_MAX = 20
_SIEMPRE = (
    re.compile(r"index\.html|corte\.json|manifiesto\.json|resumen\.txt"),
    re.compile(r"[a-z0-9-]+/index\.html"),
    re.compile(r"datos/\d+/[a-z0-9-]+/(?:entidad|indice)\.json"),
    re.compile(r"datos/\d+/[a-z0-9-]+/[a-z-]+\.json"),
)
"""By their order where there are too many."""
_CORTE = re.compile(r"^datos/\d+/|\d{8}_\d{4}_")
"""What changes with every cut in a path: the file is the same, and keeps its place in the order."""


@dataclass(frozen=True)
class ReglasMuestreo:
    """How many files of each kind."""

    muestra: int = MUESTRA
    cada_grande: int = CADA_GRANDE
    grande: int = GRANDE


@dataclass(frozen=True)
class Recorrido:
    """The files of one cut in the order of one vantage point. Made once for each cut (``recorrido``)."""

    siempre: tuple[FileEntry, ...]
    resto: tuple[FileEntry, ...]
    grandes: tuple[FileEntry, ...]
    clave: str
    reglas: ReglasMuestreo

    def elige(self, difusor: str, ronda: int, sospechosos: Collection[str] = ()) -> tuple[FileEntry, ...]:
        """What to read of ``difusor`` in the round of that number: suspects first, none twice."""
        chosen: dict[str, FileEntry] = {}
        if sospechosos:
            wanted = set(sorted(sospechosos)[:SOSPECHOSOS_MAX])
            chosen.update(
                (one.ruta, one)
                for kind in (self.siempre, self.resto, self.grandes)
                for one in kind
                if one.ruta in wanted
            )
        chosen.update((one.ruta, one) for one in self.siempre)
        start = _numero(self.clave, difusor)
        for one in _tramo(self.resto, start + ronda * self.reglas.muestra, self.reglas.muestra):
            chosen.setdefault(one.ruta, one)
        if self.grandes and (start + ronda) % self.reglas.cada_grande == 0:
            one = self.grandes[(start + ronda) // self.reglas.cada_grande % len(self.grandes)]
            chosen.setdefault(one.ruta, one)
        return tuple(chosen.values())

    def probabilidad(self, ruta: str, rondas: int, puntos: int = 1) -> float:
        """That some of ``puntos`` reads ``ruta`` within ``rondas`` rounds, whenever it was altered."""
        if any(one.ruta == ruta for one in self.siempre):
            return 1.0 if rondas > 0 else 0.0
        if any(one.ruta == ruta for one in self.grandes):
            each = rondas / (self.reglas.cada_grande * len(self.grandes))
        elif any(one.ruta == ruta for one in self.resto):
            each = rondas * self.reglas.muestra / len(self.resto)
        else:
            return 0.0
        return 1.0 - (1.0 - min(1.0, each)) ** puntos


def recorrido(archivos: Iterable[FileEntry], *, clave: str, reglas: ReglasMuestreo | None = None) -> Recorrido:
    """Put the files of a manifest in the order that ``clave`` (a secret of the vantage point) gives them."""
    rules = reglas or ReglasMuestreo()
    always: list[tuple[int, str, FileEntry]] = []
    others: list[FileEntry] = []
    for one in archivos:
        rank = next((n for n, form in enumerate(_SIEMPRE) if form.fullmatch(one.ruta)), None)
        if rank is None or one.bytes > rules.grande:
            others.append(one)
        else:
            always.append((rank, one.ruta, one))
    always.sort(key=lambda each: each[:2])
    others += [one for _, _, one in always[SIEMPRE_MAX:]]
    others.sort(key=lambda one: _numero(clave, _CORTE.sub("", one.ruta)))
    return Recorrido(
        siempre=tuple(one for _, _, one in always[:SIEMPRE_MAX]),
        resto=tuple(one for one in others if one.bytes <= rules.grande),
        grandes=tuple(one for one in others if one.bytes > rules.grande),
        clave=clave,
        reglas=rules,
    )


def elige(
    archivos: Iterable[FileEntry],
    *,
    difusor: str,
    ronda: int,
    clave: str,
    sospechosos: Collection[str] = (),
    reglas: ReglasMuestreo | None = None,
) -> tuple[str, ...]:
    """The paths to read: ``recorrido(…).elige(…)`` for who asks once."""
    return tuple(one.ruta for one in recorrido(archivos, clave=clave, reglas=reglas).elige(difusor, ronda, sospechosos))


def _tramo(order: Sequence[FileEntry], start: int, count: int) -> Iterable[FileEntry]:
    return (order[(start + i) % len(order)] for i in range(min(count, len(order))))


def _numero(clave: str, text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), key=clave.encode()[:64], digest_size=8).digest())
