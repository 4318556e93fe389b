"""The journal of the faults: when each began and ended, on whom, how often it had an effect. Durable, chained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pregon.base.state import StateDatabase

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.simulacro.fallas.plan import Falla

EMPIEZA, TERMINA = "falla_empieza", "falla_termina"


@dataclass(frozen=True)
class Ocurrida:
    """A fault as the journal tells it. Instants: the night's, and the machine's (``real``). ``hasta`` None: not over.

    ``efectos``: how many times it made something go wrong; None while it is under way.
    """

    falla: Falla
    desde: datetime
    desde_real: datetime
    hasta: datetime | None = None
    hasta_real: datetime | None = None
    efectos: int | None = None
    detalle: str = ""

    @property
    def aplicada(self) -> bool:
        """Whether it began, ended and had an effect."""
        return self.hasta is not None and bool(self.efectos)

    def to_json(self) -> dict[str, Any]:
        """A row of ``fallas`` of ``simulacro --json``."""
        fault = self.falla
        return {
            "n": fault.n,
            "clase": fault.clase,
            "objetivo": fault.objetivo,
            "corte": fault.corte,
            "periodos": fault.periodos,
            "desde": self.desde.isoformat(),
            "hasta": None if self.hasta is None else self.hasta.isoformat(),
            "desde_real": self.desde_real.isoformat(),
            "hasta_real": None if self.hasta_real is None else self.hasta_real.isoformat(),
            "aplicada": self.aplicada,
            "efectos": self.efectos,
            "detalle": self.detalle,
        }


class Diario:
    """Writes and reads the journal in the file ``path``. One thread."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._state = StateDatabase(path, clock)

    def empieza(self, falla: Falla) -> None:
        """Before anything is done to its target."""
        self._state.record(EMPIEZA, n=falla.n, clase=falla.clase, objetivo=falla.objetivo, corte=falla.corte, **_real())

    def termina(self, falla: Falla, *, efectos: int, detalle: str) -> None:
        """Once nothing of it is left."""
        self._state.record(TERMINA, n=falla.n, efectos=efectos, detalle=detalle, **_real())

    def ocurridas(self, fallas: tuple[Falla, ...]) -> tuple[Ocurrida, ...]:
        """Of those faults, what the journal tells, by number. One that never began is not there."""
        events = self._state.events(limit=10_000)
        begun = {int(event.dato["n"]): event for event in events if event.tipo == EMPIEZA}
        ended = {int(event.dato["n"]): event for event in events if event.tipo == TERMINA}
        found = []
        for fault in fallas:
            begin, end = begun.get(fault.n), ended.get(fault.n)
            if begin is None:
                continue
            one = Ocurrida(fault, begin.hora, datetime.fromisoformat(begin.dato["real"]))
            if end is not None:
                real = datetime.fromisoformat(end.dato["real"])
                one = Ocurrida(
                    fault, one.desde, one.desde_real, end.hora, real, int(end.dato["efectos"]), end.dato["detalle"]
                )
            found.append(one)
        return tuple(found)


def _real() -> dict[str, str]:
    return {"real": datetime.now(UTC).isoformat()}
