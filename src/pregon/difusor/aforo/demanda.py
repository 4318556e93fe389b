"""How many come: each way of knowing gives its number, with its sum in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pregon.difusor.aforo.ajustes import AjustesAforo

Escenario = Literal["bajo", "esperado", "alto"]
ESCENARIOS: tuple[Escenario, ...] = ("bajo", "esperado", "alto")


@dataclass(frozen=True)
class Estimacion:
    """One way: ``visitantes`` of the whole night, the sum that gives them, and whose numbers they are."""

    nombre: str
    visitantes: int
    cuenta: str
    fuente: str


@dataclass(frozen=True)
class Demanda:
    """Every estimate; ``rige`` is the one that the analysis goes by."""

    estimaciones: tuple[Estimacion, ...]
    rige: Estimacion
    baja: float
    alta: float

    def visitantes(self, escenario: Escenario) -> int:
        """Of the whole night."""
        factor = {"bajo": self.baja, "esperado": 1.0, "alto": self.alta}[escenario]
        return max(1, round(self.rige.visitantes * factor))


def estima(settings: AjustesAforo) -> Demanda:
    """Every estimate that the settings allow. The number that people gave goes first; else the greatest of all.

    INE-II-a-iii-3b asks for «un mínimo esperado»: of several honest estimates, a portal is built for the greatest.

    Raises:
        ValueError: there is none (``ajustes.con_visitantes`` says so to people).
    """
    found = [*_given(settings), *_population(settings), *_past(settings)]
    if not found:
        raise ValueError("no hay de dónde estimar visitantes")
    rules = found[0] if settings.visitantes is not None else max(found, key=lambda one: one.visitantes)
    return Demanda(tuple(found), rules, settings.banda.baja, settings.banda.alta)


def _given(settings: AjustesAforo) -> list[Estimacion]:
    number = settings.visitantes
    if number is None:
        return []
    return [Estimacion("Número decidido", number, f"{number:,}", settings.fuente or "")]


def _population(settings: AjustesAforo) -> list[Estimacion]:
    here = settings.poblacion
    if here is None:
        return []
    number = here.personas * here.internet_pct / 100 * here.interes_pct / 100 * here.cuota
    share = f"1/{here.difusores}" if here.cuota_pct is None else f"{here.cuota_pct:g} %"
    return [
        Estimacion(
            "Población con Internet",
            max(1, round(number)),
            f"{here.personas:,} personas x {here.internet_pct:g} % con Internet x {here.interes_pct:g} % que mira el "
            f"PREP esa noche x {share} que lo mira aquí",
            f"{here.fuente}; {here.fuente_internet}. Interés y parte de este portal: supuestos",
        )
    ]


def _past(settings: AjustesAforo) -> list[Estimacion]:
    found = []
    for past in settings.antecedente:
        if past.visitantes is None:  # ``antecedentes.con_medidas`` gives it
            continue
        number, words = past.visitantes * past.factor, f"{past.visitantes:,} visitantes"
        if past.factor != 1:
            words += f" x {past.factor:g}"
        if past.conectados is not None and settings.poblacion is not None:
            now = round(settings.poblacion.personas * settings.poblacion.internet_pct / 100)
            number *= now / past.conectados
            words += f" x {now:,} personas con Internet hoy / {past.conectados:,} entonces"
        found.append(Estimacion(past.nombre, max(1, round(number)), words, past.fuente))
    return found
