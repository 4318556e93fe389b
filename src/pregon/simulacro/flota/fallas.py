"""The record of faults of one night: what was made to go wrong, to whom and when. Written by hand or by a seed.

Everything that happens in the fleet comes from here, and so does the truth that its verdicts are compared with. Values
only: nothing reads a clock.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, TypeAlias

Clase: TypeAlias = Literal[
    "muerto",
    "mudo",
    "lento",
    "viejo",
    "alterado",
    "anticipado",
    "tls",
    "autoinforme",
    "intermitente",
    "cdn",
    "camino",
    "reinicio",
    "espera",
    "aviso",
    "ajeno",
]
"""What goes wrong with one difusor.

``muerto``: connections are refused. ``mudo``: they are taken, and nothing is answered. ``lento``: everything comes,
later than the call admits. ``viejo``: it goes on showing
the cut that it showed when the fault began. ``alterado``: one byte of one file (``ruta``) is another. ``anticipado``:
results before the start. ``tls``: a certificate that no browser believes. ``autoinforme``: ``viejo``, while it reports
that the newest is visible. ``intermitente``: by turns ``muerto`` and well. ``cdn``: from one point (``punto``) the cut
before the newest is what is seen. ``camino``: from one point it cannot be reached, which is nobody's fault here.
``reinicio``: ``muerto`` for less than a period admits. ``espera``: after the start, still the page before it.
``aviso``: a notice that nobody ordered. ``ajeno``: a cut that the institute did not sign.
"""


@dataclass(frozen=True, kw_only=True)
class Reloj:
    """The clock of the night: ``inicio`` (aware), ``periodos`` slots of ``intervalo_s``, a look every ``ronda_s``.

    ``antes``: looks before the start. ``tolerancia_s``: what the profile gives a difusor from the signing on.
    ``miradas``: the only looks of a night that is watched less often.
    """

    inicio: datetime
    intervalo_s: int = 1200
    periodos: int = 9
    tolerancia_s: int = 600
    ronda_s: int = 60
    antes: int = 3
    miradas: tuple[datetime, ...] = ()

    def vence(self, indice: int) -> datetime:
        """When the cut of a slot is promised, which is when the slot before it ends."""
        return self.inicio + timedelta(seconds=indice * self.intervalo_s)

    @property
    def fin(self) -> datetime:
        """When the last slot ends."""
        return self.vence(self.periodos)

    @cached_property
    def rondas(self) -> tuple[datetime, ...]:
        """The instants of the looks, oldest first. None falls on the edge of a slot."""
        if self.miradas:
            return self.miradas
        step = timedelta(seconds=self.ronda_s)
        first = self.inicio - self.antes * step + step / 2
        count = self.antes + self.intervalo_s * self.periodos // self.ronda_s
        return tuple(first + n * step for n in range(count))


@dataclass(frozen=True, kw_only=True)
class Falla:
    """One fault of one difusor, from ``desde`` until ``hasta`` (that one no longer).

    ``punto``: the only vantage point that notices. ``ruta``: the file with another byte. ``turno_s``: how long each
    turn of an ``intermitente`` lasts, down first.
    """

    clase: Clase
    difusor: str
    desde: datetime
    hasta: datetime
    punto: str | None = None
    ruta: str | None = None
    turno_s: int = 0

    def activa(self, hora: datetime) -> bool:
        """Whether it shows at that instant."""
        if not self.desde <= hora < self.hasta:
            return False
        turns = (hora - self.desde) // timedelta(seconds=self.turno_s) if self.turno_s else 0
        return turns % 2 == 0


@dataclass(frozen=True, kw_only=True)
class SinRed:
    """The watch's own network is lost at one vantage point."""

    punto: str
    desde: datetime
    hasta: datetime


@dataclass(frozen=True, kw_only=True)
class Corte:
    """One cut that was signed: for which slot, and when."""

    numero: int
    periodo: int
    firmado: datetime


@dataclass(frozen=True, kw_only=True)
class Guion:
    """A whole night. ``firmas``: for each slot, how late its cut was signed, None where it never was.

    ``demoras_s``: what each difusor takes, when it is well, from the signing to the sight; the names are its keys.
    At most one fault of a difusor is under way at a time.
    """

    reloj: Reloj
    demoras_s: dict[str, int]
    puntos: tuple[str, ...]
    firmas: tuple[int | None, ...]
    fallas: tuple[Falla, ...] = ()
    sin_red: tuple[SinRed, ...] = ()
    semilla: int | None = None

    @cached_property
    def difusores(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(sorted(self.demoras_s))

    @cached_property
    def cortes(self) -> tuple[Corte, ...]:
        """The cuts that were signed: numbered from 1, for a missed one takes no number."""
        signed = [(slot, late) for slot, late in enumerate(self.firmas) if late is not None]
        return tuple(
            Corte(numero=n, periodo=slot, firmado=self.reloj.vence(slot) + timedelta(seconds=late))
            for n, (slot, late) in enumerate(signed, 1)
        )

    @cached_property
    def _signed(self) -> list[datetime]:
        return [cut.firmado for cut in self.cortes]

    @cached_property
    def _faults(self) -> dict[str, tuple[Falla, ...]]:
        return {
            name: tuple(sorted((f for f in self.fallas if f.difusor == name), key=lambda f: f.desde))
            for name in self.difusores
        }

    def activa(self, difusor: str, hora: datetime) -> Falla | None:
        """The fault that shows at that instant."""
        return next((fault for fault in self._faults[difusor] if fault.activa(hora)), None)

    def con_red(self, punto: str, hora: datetime) -> bool:
        """Whether a vantage point has its own network."""
        return not any(lost.punto == punto and lost.desde <= hora < lost.hasta for lost in self.sin_red)

    def vigente(self, hora: datetime, *, demora_s: int = 0) -> Corte | None:
        """The newest cut signed at least ``demora_s`` before."""
        found = bisect_right(self._signed, hora - timedelta(seconds=demora_s))
        return self.cortes[found - 1] if found else None
