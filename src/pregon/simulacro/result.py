"""What a simulacro answers: the object of ``pregon simulacro --json`` (design §7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.simulacro.entregado import Entregado
    from pregon.simulacro.fallas.diario import Ocurrida
    from pregon.simulacro.notas.notas import Calificacion

TOTALES_IGUALES = "TOTALES_IGUALES"
"""The served totals of each contest are those that ``prep totales`` computes from the cut's actas."""
BYTES_IGUALES = "BYTES_IGUALES"
"""Every file asked of the difusor has the SHA-256 that the signed manifest lists."""
NADA_ANTES = "NADA_ANTES"
"""Before the start no URL returned a byte of the package."""
SIN_MEZCLA = "SIN_MEZCLA"
"""No page and no data file answered during the night belonged to two cuts, or to none."""
ULTIMO_PUBLICADO = "ULTIMO_PUBLICADO"
"""At the end the difusor shows, and says it shows, the last signed cut."""


@dataclass(frozen=True)
class Check:
    """One check on one difusor: stable code, whether it held, what was seen."""

    codigo: str
    ok: bool
    detalle: str

    def to_json(self) -> dict[str, Any]:
        return {"codigo": self.codigo, "ok": self.ok, "detalle": self.detalle}


@dataclass(frozen=True)
class SignedCut:
    """A cut as the institute signed it; ``firmado`` is the machine's real instant, not the simulated one."""

    numero: int
    hora_corte: datetime
    firmado: datetime
    manifiesto_sha256: str

    def to_json(self) -> dict[str, Any]:
        return {
            "numero": self.numero,
            "hora_corte": self.hora_corte.isoformat(),
            "firmado": self.firmado.isoformat(),
            "manifiesto_sha256": self.manifiesto_sha256,
        }


@dataclass(frozen=True)
class Horario:
    """The clock of the night: when the call starts, in which zone, the minutes between its cuts, how fast it went."""

    inicio: datetime
    intervalo_min: int
    acelerar: float
    zona: str

    def to_json(self) -> dict[str, Any]:
        return {
            "inicio": self.inicio.isoformat(),
            "intervalo_min": self.intervalo_min,
            "acelerar": self.acelerar,
            "zona": self.zona,
        }


@dataclass
class CutAtDifusor:
    """How one cut went at one difusor. ``segundos_a_visible``: real seconds from signing; None if never seen."""

    numero: int
    segundos_a_visible: float | None
    comprobaciones: list[Check] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "numero": self.numero,
            "segundos_a_visible": None if self.segundos_a_visible is None else round(self.segundos_a_visible, 3),
            "comprobaciones": [check.to_json() for check in self.comprobaciones],
        }


@dataclass
class DifusorResult:
    """The night of one difusor. ``transporte``: how its cuts came, as ``--transporte`` or the scheme of an address."""

    id: str
    url: str
    transporte: str = "carpeta"
    cortes: list[CutAtDifusor] = field(default_factory=list)
    puntos: int | None = None
    """Its marks of a night with faults, 0 to 100; None of any other night."""

    @property
    def checks(self) -> list[Check]:
        return [check for cut in self.cortes for check in cut.comprobaciones]

    @property
    def nota(self) -> int:
        """Share of the checks that held and the cuts that were seen, 0 to 100, rounded down; or its marks."""
        if self.puntos is not None:
            return self.puntos
        points = [check.ok for check in self.checks] + [cut.segundos_a_visible is not None for cut in self.cortes]
        return 100 * sum(points) // len(points) if points else 0

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "url": self.url,
            "transporte": self.transporte,
            "cortes": [cut.to_json() for cut in self.cortes],
            "nota": self.nota,
        }


@dataclass(frozen=True)
class NightResult:
    """A finished simulacro. ``fallas`` and ``notas``: of one with faults on purpose (``simulacro.fallas``)."""

    convocatoria: str
    ambiente: str
    semilla: int
    cortes: tuple[SignedCut, ...]
    difusores: tuple[DifusorResult, ...]
    esperados: int
    paquete: str | None = None
    """What the last cut came in: «zip», «7z» or «dir»."""
    horario: Horario | None = None
    entregas: tuple[Entregado, ...] = ()
    """By difusor, what its cuts really came by and in."""
    como_se_pide: bool = True
    """Whether all of them came as the call asks."""
    fallas: tuple[Ocurrida, ...] = ()
    notas: Calificacion | None = None

    @property
    def ok(self) -> bool:
        """True only if every planned cut was signed, seen at every difusor, and every check held.

        With faults, who was made to miss a cut need not have seen it: that all its marks are met says more.
        """
        if self.notas is not None:
            held = all(check.ok for difusor in self.difusores for check in difusor.checks)
            return len(self.cortes) == self.esperados > 0 and held and self.notas.ok
        return (
            len(self.cortes) == self.esperados > 0
            and len(self.difusores) > 0
            and self.como_se_pide
            and all(
                len(d.cortes) == self.esperados
                and all(cut.segundos_a_visible is not None for cut in d.cortes)
                and all(check.ok for check in d.checks)
                for d in self.difusores
            )
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "convocatoria": self.convocatoria,
            "ambiente": self.ambiente,
            "semilla": self.semilla,
            "paquete": self.paquete,
            "horario": None if self.horario is None else self.horario.to_json(),
            "entregas": [one.to_json() for one in self.entregas],
            "como_se_pide": self.como_se_pide,
            "cortes": [cut.to_json() for cut in self.cortes],
            "difusores": [difusor.to_json() for difusor in self.difusores],
            "fallas": [fault.to_json() for fault in self.fallas],
            "notas": None if self.notas is None else self.notas.to_json(),
            "ok": self.ok,
        }
