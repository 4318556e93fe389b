"""What is wrong now and since when: begun after two observations, ended after two without it, kept in the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

from pregon.difusor.vigilancia.catalogo import Gravedad, catalogo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pregon.base.state import StateDatabase

CLAVE = "alarmas"
"""Of the value in the state database."""
SEGUIDAS = 2
"""Observations in a row that begin an alarm, and that end one."""


@dataclass(frozen=True)
class Sintoma:
    """What one check found now. ``severidad`` None takes the one of the catalogue; ``detalle`` holds JSON types."""

    codigo: str
    que_paso: str
    severidad: Gravedad | None = None
    detalle: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Alarma:
    """One alarm in force. ``texto`` says what happens and what to do; ``desde`` is aware; ``detalle`` for programs."""

    codigo: str
    severidad: Gravedad
    texto: str
    desde: datetime
    detalle: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The alarm as JSON types."""
        return {
            "codigo": self.codigo,
            "severidad": self.severidad,
            "texto": self.texto,
            "desde": self.desde.isoformat(),
            "detalle": dict(self.detalle),
        }

    @classmethod
    def from_json(cls, data: Any) -> Alarma:
        """The alarm that ``to_json`` gave. Raises ValueError, KeyError or TypeError where it is not one."""
        if data["severidad"] not in get_args(Gravedad):
            raise ValueError("severidad")
        return cls(
            codigo=str(data["codigo"]),
            severidad=data["severidad"],
            texto=str(data["texto"]),
            desde=datetime.fromisoformat(data["desde"]),
            detalle=dict(data["detalle"]),
        )


def vigentes(state: StateDatabase) -> tuple[Alarma, ...]:
    """The alarms in force, as the last look left them; the gravest first.

    Raises:
        DiscoError: the state database cannot be read.
    """
    return leidas(state.get(CLAVE))


def leidas(value: Any) -> tuple[Alarma, ...]:
    """The alarms in the value that is kept; none where it is of another version."""
    try:
        return tuple(Alarma.from_json(each) for each in value or ())
    except (ValueError, KeyError, TypeError):
        return ()


@dataclass(frozen=True)
class Cambio:
    """What one observation changed: alarms that began (or got worse), and those that ended."""

    empiezan: tuple[Alarma, ...]
    terminan: tuple[Alarma, ...]


class Libreta:
    """The alarms in force, and how often in a row each code was seen or not. Touches nothing outside."""

    def __init__(self, vigentes: Iterable[Alarma]) -> None:
        known = catalogo()  # A newer version may have left codes that this one does not look at.
        self._vigentes = {alarma.codigo: alarma for alarma in vigentes if alarma.codigo in known}
        self._seen: dict[str, int] = {}
        self._gone: dict[str, int] = {}

    @property
    def vigentes(self) -> tuple[Alarma, ...]:
        """The alarms in force: first those that are «alarma», each kind in the order of the catalogue."""
        order = {code: n for n, code in enumerate(catalogo())}
        return tuple(
            sorted(self._vigentes.values(), key=lambda each: (each.severidad != "alarma", order.get(each.codigo, 999)))
        )

    def observa(self, sintomas: Iterable[Sintoma], examinados: Iterable[str], now: datetime) -> Cambio:
        """Take what was found now. ``examinados`` are the codes that were looked at: of the others nothing is known."""
        rules = catalogo()
        found: dict[str, Sintoma] = {}
        for each in sintomas:
            found.setdefault(each.codigo, each)
        begun, ended = [], []
        for codigo in {*examinados, *found}:
            sintoma = found.get(codigo)
            if sintoma is None:
                self._seen.pop(codigo, None)
                if codigo in self._vigentes:
                    self._gone[codigo] = self._gone.get(codigo, 0) + 1
                    if self._gone[codigo] >= SEGUIDAS:
                        ended.append(self._vigentes.pop(codigo))
                        del self._gone[codigo]
                continue
            self._gone.pop(codigo, None)
            self._seen[codigo] = self._seen.get(codigo, 0) + 1
            rule, before = rules[codigo], self._vigentes.get(codigo)
            if before is None and not rule.inmediata and self._seen[codigo] < SEGUIDAS:
                continue
            severity = sintoma.severidad or rule.gravedad
            text = f"{sintoma.que_paso} {rule.que_hacer}"
            since = now if before is None else before.desde
            alarma = Alarma(codigo, severity, text, since, dict(sintoma.detalle))
            self._vigentes[codigo] = alarma
            if before is None or (before.severidad, severity) == ("aviso", "alarma"):
                begun.append(alarma)
        return Cambio(tuple(begun), tuple(ended))
