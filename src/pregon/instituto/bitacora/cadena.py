"""Whether the journal is as it was written: pure, over the events as they are kept and the seals that left.

What is found out, and where:

=================  =====================================================================================
``ALTERADO``       an event, or its link, is not what was written (changed, put in, or moved)
``SIN_ESLABON``    an event without a link after the first that has one: Pregón did not write it
``FALTAN``         numbers that were given and are not there (taken out, in the middle or at the end)
``REESCRITA``      the links agree among themselves but not with a seal: all was written again from before it
``RECORTADA``      a seal covers events beyond the last there is: the end was cut off, and the count with it
``SELLO_FALTA``    a seal that the next one names, or the journal tells of, is not there
``SELLO_DISTINTO`` two seals with one number, or one that does not follow the one before
=================  =====================================================================================

The links alone find what somebody changes by hand. Whoever can write the whole base again can make links that agree:
that is found by the seals (``sellos``), and surely only by those that are kept where he does not reach.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pregon.base.cadena import Apunte, Cabeza, enlaza, huella

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

Codigo: TypeAlias = Literal[
    "ALTERADO", "SIN_ESLABON", "FALTAN", "REESCRITA", "RECORTADA", "SELLO_FALTA", "SELLO_DISTINTO"
]
MAX_FALLAS = 200
"""Faults that are told one by one; a journal that is all wrong needs no longer list."""


@dataclass(frozen=True, kw_only=True)
class Sello:
    """One signed head: the chain's link after event ``n``, at ``hora`` (aware), with cut ``corte`` just signed.

    ``numero`` from 1; ``anterior``: SHA-256 of the seal before; ``sha256``: of this one's bytes. ``numero`` 0: a head
    that a person read elsewhere (a mail, a log) and typed, without a signature.
    """

    numero: int
    n: int
    eslabon: str
    hora: datetime | None = None
    corte: int | None = None
    anterior: str | None = None
    sha256: str = ""

    @property
    def nombre(self) -> str:
        """How people read which one it is."""
        return f"sello {self.numero:06d}" if self.numero else f"eslabón dado del suceso {self.n}"


@dataclass(frozen=True)
class Tapado:
    """One event that is not shown: its number, what identifies it, and its link."""

    n: int
    huella: str
    eslabon: str | None


@dataclass(frozen=True)
class Falla:
    """One thing found, in events (or seals: ``SELLO_…``) ``desde`` to ``hasta``, both included; ``que``: Spanish."""

    codigo: Codigo
    desde: int
    hasta: int
    que: str

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {"codigo": self.codigo, "desde": self.desde, "hasta": self.hasta, "que": self.que}


@dataclass(frozen=True)
class Verificacion:
    """What a whole reading found. ``encadenados``: number of the first event with a link, None where none has.

    ``sellado``: the last event that a seal covers, 0 for none.
    """

    sucesos: int
    encadenados: int | None
    cabeza: Cabeza
    sellos: int
    sellado: int
    fallas: tuple[Falla, ...]

    @property
    def ok(self) -> bool:
        """Whether all is as it was written."""
        return not self.fallas

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            "ok": self.ok,
            "sucesos": self.sucesos,
            "encadenados_desde": self.encadenados,
            "cabeza": {"n": self.cabeza.n, "eslabon": self.cabeza.eslabon},
            "sellos": self.sellos,
            "sellado_hasta": self.sellado,
            "fallas": [each.as_dict() for each in self.fallas],
        }


def verifica(apuntes: Iterable[Apunte | Tapado], *, dados: int, sellos: Sequence[Sello] = ()) -> Verificacion:
    """Read the whole journal, one event at a time, and compare it with its seals.

    ``dados``: the highest number that any event was given. ``sellos``: every one at hand, in any order, from any place.
    """
    reading = _Lectura(sellos)
    for apunte in apuntes:
        reading.sigue(apunte)
    reading.termina(dados)
    ordered = sorted(reading.fallas, key=lambda falla: (falla.codigo.startswith("SELLO"), falla.desde))
    return Verificacion(
        reading.sucesos,
        reading.encadenados,
        reading.cabeza,
        len({each.numero for each in sellos if each.numero}),
        max((each.n for each in sellos), default=0),
        (*ordered[:MAX_FALLAS], *series(sellos)),
    )


def series(sellos: Sequence[Sello]) -> tuple[Falla, ...]:
    """What is wrong among the seals themselves: one that is missing, one that another contradicts."""
    found: list[Falla] = []
    by_number: dict[int, Sello] = {}
    for sello in sorted(sellos, key=lambda each: each.numero):
        if sello.numero == 0:
            continue
        known = by_number.setdefault(sello.numero, sello)
        if known.sha256 != sello.sha256:
            found.append(_sello("SELLO_DISTINTO", sello, "hay dos distintos con ese número, los dos firmados"))
    numbers = sorted(by_number)
    for before, number in zip([0, *numbers], numbers, strict=False):
        sello = by_number[number]
        if number != before + 1:
            first, last = before + 1, number - 1
            which = f"el sello {first:06d}" if first == last else f"los sellos {first:06d} a {last:06d}"
            found.append(Falla("SELLO_FALTA", first, last, f"No está {which}, que otro nombra."))
        elif sello.anterior != (by_number[before].sha256 if before else None):
            found.append(_sello("SELLO_DISTINTO", sello, "no sigue al anterior"))
    return tuple(found)


class _Lectura:
    """One pass over the journal. Each event is held against the link kept of the one before: one change, one fault."""

    def __init__(self, sellos: Sequence[Sello]) -> None:
        self.fallas: list[Falla] = []
        self.sucesos = 0
        self.encadenados: int | None = None
        self.cabeza = Cabeza()
        self._sellos: dict[int, list[Sello]] = defaultdict(list)
        for sello in sellos:
            self._sellos[sello.n].append(sello)
        self._reescrita = False
        self._sellado = 0

    def sigue(self, apunte: Apunte | Tapado) -> None:
        self.sucesos += 1
        after = self.cabeza.n + 1
        should = enlaza(self.cabeza.eslabon, _huella(apunte))
        if apunte.n > after:
            self._faltan(after, apunte, matches=apunte.eslabon == should)
        elif apunte.eslabon is None:
            if self.encadenados is not None:
                self._falla("SIN_ESLABON", apunte.n, f"El suceso {apunte.n} no tiene eslabón: no lo escribió Pregón.")
        elif apunte.eslabon != should:
            which = f" ({apunte.tipo}, {apunte.hora})" if isinstance(apunte, Apunte) else ""
            self._falla("ALTERADO", apunte.n, f"El suceso {apunte.n}{which} no es el que se escribió con ese número.")
        if self.encadenados is None and apunte.eslabon is not None:
            self.encadenados = apunte.n
        # The link kept, where there is one: so each event is judged by itself, and not by what is wrong before it.
        self.cabeza = Cabeza(apunte.n, should if apunte.eslabon is None else apunte.eslabon)
        self._compara(self._sellos.pop(apunte.n, ()))

    def termina(self, dados: int) -> None:
        last = self.cabeza.n
        if dados > last:
            self.fallas.append(
                Falla("FALTAN", last + 1, dados, f"No están los últimos sucesos, del {last + 1} al {dados}.")
            )
        beyond = [each for found in self._sellos.values() for each in found if each.n > last]
        if beyond and dados <= last:
            worst = max(beyond, key=lambda each: each.n)
            self.fallas.append(
                Falla(
                    "RECORTADA",
                    last + 1,
                    worst.n,
                    f"El {worst.nombre} abarca hasta el suceso {worst.n} y el último que hay es el {last}.",
                )
            )

    def _faltan(self, after: int, apunte: Apunte | Tapado, *, matches: bool) -> None:
        last = apunte.n - 1
        which = f"No está el suceso {after}" if after == last else f"No están los sucesos {after} a {last}"
        when = (
            f"se quitaron antes de que se escribiera el {apunte.n}"
            if matches
            else f"se quitaron después; el {apunte.n} no puede comprobarse sin ellos"
        )
        self.fallas.append(Falla("FALTAN", after, last, f"{which}: {when}."))

    def _compara(self, sellos: Sequence[Sello]) -> None:
        """The seals of the event just read, all of them: who rewrote the base may have signed one that agrees."""
        other = next((each for each in sellos if each.eslabon != self.cabeza.eslabon), None)
        if self._reescrita or not sellos:
            return
        if other is None:
            self._sellado = self.cabeza.n
            return
        self._reescrita = True
        self.fallas.append(
            Falla(
                "REESCRITA",
                self._sellado + 1,
                other.n,
                f"La bitácora no es la que se selló ({other.nombre}): algo se cambió entre el suceso "
                f"{self._sellado + 1} y el {other.n}, y sus eslabones se hicieron de nuevo.",
            )
        )

    def _falla(self, codigo: Codigo, n: int, que: str) -> None:
        if len(self.fallas) < MAX_FALLAS:
            self.fallas.append(Falla(codigo, n, n, que))


def _huella(apunte: Apunte | Tapado) -> str:
    if isinstance(apunte, Tapado):
        return apunte.huella
    return huella(apunte.n, apunte.hora, apunte.tipo, apunte.dato)


def _sello(codigo: Codigo, sello: Sello, what: str) -> Falla:
    return Falla(codigo, sello.numero, sello.numero, f"El sello {sello.numero:06d}: {what}.")
