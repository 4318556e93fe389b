"""Why this difusor must not show results, or must say that they are late: pure functions of what was signed and when.

Three causes take the portal away, and the page «aviso» stands in its place: a **suspension** and an **ataque**, signed
notices that name this difusor (MEX-I-13), and **periodos**, three update periods in which nothing came (GRO-3.3a), only
where the profile asks for it (docs/adr/0012). A **retraso** takes nothing away: the portal says it.

A signed interruption ends by a signed reinstatement with a higher number and never by its own ``hasta``, which is what
the institute expects and not an order. And whatever the cause, it ends only in a pass that verified that the newest
signed cut is the one that we hold, accepted and whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.aceptado import Aceptado
    from pregon.trust.aviso import Aviso

Causa = Literal["suspension", "ataque", "periodos"]


@dataclass(frozen=True)
class Interrupcion:
    """Why the page «aviso» stands in the place of the portal.

    ``desde``: since when by the notice; of ``periodos``, the last sign of the institute. ``hora``: when this difusor
    began to obey. ``n``, ``texto`` and ``hasta`` are of the signed notice.
    """

    causa: Causa
    desde: datetime
    hora: datetime
    n: int | None = None
    texto: str | None = None
    hasta: datetime | None = None

    @property
    def motivo(self) -> str:
        """Why, in one sentence for the administrator."""
        if self.causa == "periodos":
            return "Pasaron los periodos de la convocatoria sin recibir nada del instituto."
        what = "suspende a este difusor" if self.causa == "suspension" else "retira a este difusor por un ataque"
        return f"El aviso firmado {self.n or 0:06d} {what}."

    def to_json(self) -> dict[str, Any]:
        """For the state database."""
        return {
            "causa": self.causa,
            "desde": self.desde.isoformat(),
            "hora": self.hora.isoformat(),
            "n": self.n,
            "texto": self.texto,
            "hasta": None if self.hasta is None else self.hasta.isoformat(),
        }

    @classmethod
    def from_json(cls, data: Any) -> Interrupcion | None:
        """What ``to_json`` gave, or None."""
        if not data:
            return None
        return cls(
            causa=data["causa"],
            desde=datetime.fromisoformat(data["desde"]),
            hora=datetime.fromisoformat(data["hora"]),
            n=data["n"],
            texto=data["texto"],
            hasta=None if data["hasta"] is None else datetime.fromisoformat(data["hasta"]),
        )


@dataclass(frozen=True)
class Dicho:
    """What our own pages must say now: the interruption, if there is one, and the delays that were announced."""

    interrupcion: Interrupcion | None = None
    retrasos: tuple[Aviso, ...] = ()


def order_in_force(avisos: Iterable[Aviso], difusor: str, now: datetime) -> Aviso | None:
    """The suspension or attack that binds ``difusor`` at ``now``; the newest attack before the newest suspension.

    By number: a reinstatement that names us takes away every one with a lower number. What begins later than ``now``
    does not bind yet. Pass as ``now`` the later of our clock and the witness, so that a slow clock defers nothing.
    """
    bound: list[Aviso] = []
    for aviso in sorted(avisos, key=lambda each: each.n):
        if not aviso.names(difusor) or aviso.desde > now:
            continue
        if aviso.tipo == "reinstalacion":
            bound.clear()
        elif aviso.tipo != "retraso":
            bound.append(aviso)
    attacks = [aviso for aviso in bound if aviso.tipo == "ataque"]
    return next(reversed(attacks or bound), None)


def delays_in_force(avisos: Iterable[Aviso], difusor: str, now: datetime, newest: Aceptado | None) -> tuple[Aviso, ...]:
    """The announced delays that still hold at ``now``, oldest first.

    One ends at its ``hasta``, and with the cut that it was waiting for: the one that it names, else the next signed.
    """
    return tuple(
        aviso
        for aviso in sorted(avisos, key=lambda each: each.n)
        if _delays(aviso, difusor)
        and aviso.desde <= now
        and (aviso.hasta is None or now < aviso.hasta)
        and not _arrived(aviso, newest)
    )


def last_delay_ended(avisos: Iterable[Aviso], difusor: str, now: datetime) -> datetime | None:
    """When the last announced delay of known end was over; no period counts before it."""
    ends = [
        a.hasta for a in avisos if _delays(a, difusor) and a.hasta is not None and a.desde <= now and a.hasta <= now
    ]
    return max(ends, default=None)


def _delays(aviso: Aviso, difusor: str) -> bool:
    return aviso.tipo == "retraso" and aviso.names(difusor)


def _arrived(aviso: Aviso, newest: Aceptado | None) -> bool:
    if newest is None:
        return False
    if aviso.corte is not None:
        return newest.corte >= aviso.corte
    return newest.firmado is not None and newest.firmado > aviso.desde


@dataclass(frozen=True)
class Periodos:
    """The rule of the profile: ``limite`` without any sign of the institute, between ``inicio`` and ``fin``."""

    limite: timedelta
    inicio: datetime
    fin: datetime

    def runs_out(self, testigo: datetime | None, newest: Aceptado | None) -> datetime | None:
        """When they run out if nothing more comes; None where they cannot."""
        if newest is None or newest.ultimo or testigo is None:
            return None
        end = max(testigo, self.inicio) + self.limite
        return end if end <= self.fin else None

    @classmethod
    def of(cls, call: Convocatoria) -> Periodos | None:
        """The rule of a convocatoria; None where it has none: there a late cut never takes the portal away.

        Source: GRO-3.3a (periods), GRO-3.3b (the notice on the portal).
        """
        rule = call.fallo
        asked = rule.accion == "interrumpir" and "periodos" in rule.causas and rule.aviso_en_portal
        if not asked or rule.periodos is None:
            return None
        limit = rule.periodos * timedelta(minutes=call.intervalo_min)
        return cls(limit, call.inicio, call.fin_actualizacion)


@dataclass(frozen=True)
class Silencio:
    """How long nothing newer was signed, by whoever can be believed.

    ``testigo``: the newest verified signing instant. ``fiable``: the clock was measured and is right; a simulated one
    never is, for whoever leads it makes hours pass in a second. ``transcurrido``: real time that this process counted
    by itself since it learnt of ``testigo`` (or since it began, if it knew it then). ``visto_aqui``: it learnt of it
    itself.
    """

    testigo: datetime | None
    fiable: bool
    transcurrido: timedelta
    visto_aqui: bool


def silent_for(silence: Silencio, rule: Periodos, now: datetime, newest: Aceptado | None) -> timedelta | None:
    """How long the institute has given no sign of life, inside the hours that count; None where none counts.

    What is counted is what arrived, not how often it was looked for. A cut and a timestamp that is signed again are
    signs alike: with fresh timestamps and no cut it is the institute that is late, and this difusor misses nothing.
    Nothing counts before the start, without a cut, after the last one or after ``fin``.

    A clock alone never decides: unless it was measured and found right, and whenever this process saw the last sign
    itself, what it counted since must agree; so a clock that jumps an hour takes no portal away.
    """
    if newest is None or newest.ultimo or silence.testigo is None:
        return None
    passed = min(now, rule.fin) - max(silence.testigo, rule.inicio)
    if silence.visto_aqui or not silence.fiable:
        passed = min(passed, silence.transcurrido)
    return max(passed, timedelta(0))


def next_interruption(
    before: Interrupcion | None,
    *,
    order: Aviso | None,
    missed_since: datetime | None,
    testigo: datetime | None,
    current: bool,
    now: datetime,
) -> Interrupcion | None:
    """What interrupts after a pass, in this order.

    1. A signed order in force. One that follows another keeps the hour since which there are no results here.
    2. What interrupted before stays until a pass is ``current``: it verified that the newest signed cut is ours. Of
       periods, by something signed later than the sign since which nothing came.
    3. Periods that ran out: ``missed_since`` is the last sign of the institute, None where they did not run out.
    """
    if order is not None:  # 1
        causa: Causa = "ataque" if order.tipo == "ataque" else "suspension"
        hora = now if before is None else before.hora
        return Interrupcion(causa, order.desde, hora, order.n, order.texto, order.hasta)
    if before is not None:  # 2
        signed = before.causa != "periodos" or (testigo is not None and testigo > before.desde)
        if not (current and signed):
            return before
    return None if missed_since is None else Interrupcion("periodos", missed_since, now)  # 3
