"""The actas of one table as rows of the engine: codes instead of text, and what is learnt on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.prep.circunscripciones import circunscripcion_of
from pregon.prep.inconsistencias import DEFINICIONES, definitions_met
from pregon.prep.model import Acta, ActaTable, Estado
from pregon.prep.revisa import RowFindings
from pregon.prep.rows import actas, counted_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.motor.duck import Tipo

ORDINARIAS = frozenset({"B", "C", "E", ""})
"""Básica, contigua and extraordinaria; every other kind of casilla holds special votes."""
ESPECIALES = {
    "S": "Casillas especiales",
    "M": "Voto en el extranjero",
    "A": "Voto anticipado",
    "P": "Voto en prisión preventiva",
    "V": "Voto en prisión preventiva",  # federal 2021
    "U": "Urna electrónica",
}


def schema(votes: Sequence[str]) -> dict[str, Tipo]:
    """The columns of the engine's table ``actas``; ``votes`` are the names of its vote columns."""
    found: dict[str, Tipo] = {"circunscripcion": "bigint", "entidad": "bigint", "unidad": "bigint", "seccion": "bigint"}
    found |= {"tipo": "bigint", "estado": "varchar"}
    for name in ("especial", "lista_nominal", "calculado", "suma", *(f"inc_{d}" for d in DEFINICIONES), *votes):
        found[name] = "bigint"
    return found


class Codes(dict[str, int]):
    """Consecutive codes for texts, so that no text from outside enters the engine."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code

    def texts(self) -> dict[int, str]:
        """The text of each code."""
        return {code: text for text, code in self.items()}


class Rows:
    """One pass over a table (``lines``); then ``actas``, ``findings``, and the codes of units, secciones and kinds.

    ``entity_of``: the entidad of each unit, in a file of several.
    """

    def __init__(self, table: ActaTable) -> None:
        self.actas: list[Acta] = []
        self.findings = RowFindings()
        self.circunscripciones = Codes()
        self.entities = Codes()
        self.units = Codes()
        self.sections = Codes()
        self.kinds = Codes({"": 0})
        self.entity_of: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._kinds_of: dict[str, set[str]] = {}
        self._table = table

    def lines(self) -> Iterator[str]:
        """The rows of the engine's table, in the order of ``schema``."""
        texts: dict[str, str] = {}
        for acta in actas(self._table):
            self.actas.append(acta)
            self.findings.add(acta)
            met = texts.get(acta.observaciones)
            if met is None:
                met = ",".join(str(int(flag)) for flag in definitions_met(acta.observaciones))
                texts[acta.observaciones] = met
            votes = ",".join([str(v) if type(v) is int else "" for v in acta.votos])
            yield (
                f"{self._place(acta)},{self.sections[acta.seccion]},{self._kind(acta)},{acta.estado.value},"
                f"{int(acta.especial)},{counted_value(acta.lista_nominal)},{counted_value(acta.calculado)},"
                f"{acta.suma},{met},{votes}"
            )

    def name_of(self, unidad: str, nivel: str) -> str:
        """A unit's name; for actas of no district or municipality, the kind of vote they hold."""
        kinds = self._kinds_of.get(unidad)
        if kinds is None:
            return self._names[unidad]
        names = {ESPECIALES[kind] for kind in kinds if kind in ESPECIALES and kind != "S"}
        if not kinds <= set(ESPECIALES) - {"S"}:
            return f"Sin {nivel}"
        return " y ".join(sorted(names, key=list(ESPECIALES.values()).index))

    def _place(self, acta: Acta) -> str:
        """Codes of circunscripción, entidad and unit; -1 where there is none."""
        entity, circunscripcion = -1, -1
        if acta.entidad and acta.estado is not Estado.FUERA_CATALOGO:
            entity = self.entities[acta.entidad]
            circunscripcion = self.circunscripciones[circunscripcion_of(acta.entidad)]
        if not acta.unidad:
            return f"{circunscripcion},{entity},-1"
        if acta.unidad not in self.units:
            self._names[acta.unidad] = acta.unidad_nombre
            if acta.entidad:
                self.entity_of[acta.unidad] = acta.entidad
        if acta.unidad.endswith(f"sin-{self._table.nivel}"):
            self._kinds_of.setdefault(acta.unidad, set()).add(acta.tipo)
        return f"{circunscripcion},{entity},{self.units[acta.unidad]}"

    def _kind(self, acta: Acta) -> int:
        if acta.tipo in ORDINARIAS or acta.estado is Estado.FUERA_CATALOGO:
            return 0
        return self.kinds[acta.tipo]
