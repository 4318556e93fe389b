"""Totals of one contest at one cut: the values, and their JSON (design §7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pregon.prep.model import Acta, Finding, Nivel

Regla: TypeAlias = Literal["con_especiales", "sin_especiales"]


@dataclass(frozen=True, slots=True)
class ActaCounts:
    """Actas expected, captured and counted, fuera de catálogo apart."""

    esperadas: int
    capturadas: int
    contabilizadas: int

    def as_dict(self) -> dict[str, int]:
        """The keys of design §7."""
        return {
            "esperadas": self.esperadas,
            "capturadas": self.capturadas,
            "contabilizadas": self.contabilizadas,
        }


@dataclass(frozen=True, slots=True)
class SpecialTotals:
    """The votes of one kind of special casilla within a level: a part of its totals, shown apart.

    ``tipo`` is the letter of TIPO_CASILLA (``S``, ``M``, ``A``, ``P``…). What is left of the level after all its kinds
    is the votes of básicas, contiguas and extraordinarias.
    """

    tipo: str
    nombre: str
    contendientes: Mapping[str, int]
    actas: ActaCounts
    lista_nominal: int
    total_votos: int

    def as_dict(self) -> dict[str, Any]:
        """The item of ``especiales``."""
        return {
            "tipo": self.tipo,
            "nombre": self.nombre,
            "contendientes": dict(self.contendientes),
            "lista_nominal": self.lista_nominal,
            "total_votos": self.total_votos,
            "actas": self.actas.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class UnitTotals:
    """Totals of the entity, a district or a municipality, over its counted actas.

    ``contendientes`` is by vote column as the file has it; ``partidos`` after the split of each combination in each
    unit; ``candidaturas`` by who stands together there. Each adds up to ``total_votos`` (no registradas and nulos
    included). ``lista_nominal`` is that of the counted actas. ``con_cifra``: columns with at least one figure in a
    captured acta; a column outside it has only marks, so it most likely does not contest here. ``especiales``: the
    special votes among them, by kind. ``suma_a``: in a district or municipality, the candidatura that each vote column
    adds to there; empty above them, where that may differ from one unit to another.
    """

    id: str
    nombre: str
    contendientes: Mapping[str, int]
    partidos: Mapping[str, int]
    candidaturas: Mapping[str, int]
    actas: ActaCounts
    lista_nominal: int
    total_votos: int
    total_votos_sin_especiales: int
    participacion: str
    con_cifra: frozenset[str]
    especiales: tuple[SpecialTotals, ...] = ()
    suma_a: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The item of ``niveles.entidad`` and ``niveles.distrito|municipio``."""
        return {
            "id": self.id,
            "nombre": self.nombre,
            "contendientes": dict(self.contendientes),
            "partidos": dict(self.partidos),
            "candidaturas": dict(self.candidaturas),
            "lista_nominal": self.lista_nominal,
            "total_votos": self.total_votos,
            "participacion": self.participacion,
            "actas": self.actas.as_dict(),
            "especiales": [special.as_dict() for special in self.especiales],
        }


@dataclass(frozen=True, slots=True)
class SectionTotals:
    """Totals of one sección of one unit. ``votos`` follows ``columnas``."""

    id: str
    unidad: str
    columnas: tuple[str, ...]
    votos: tuple[int, ...]
    actas: ActaCounts
    lista_nominal: int
    total_votos: int

    @property
    def contendientes(self) -> dict[str, int]:
        """Votes by column."""
        return dict(zip(self.columnas, self.votos, strict=True))

    def as_dict(self, nivel: Nivel) -> dict[str, Any]:
        """The item of ``niveles.seccion``."""
        return {
            "id": self.id,
            nivel: self.unidad,
            "contendientes": self.contendientes,
            "lista_nominal": self.lista_nominal,
            "total_votos": self.total_votos,
            "actas": self.actas.as_dict(),
        }


def place_as_dict(acta: Acta, nivel: Nivel) -> dict[str, Any]:
    """Which acta it is: its keys, its unit, its sección and its casilla."""
    return {
        "clave": acta.clave_casilla,
        "clave_acta": acta.clave_acta,
        nivel: acta.unidad or None,
        "seccion": acta.seccion or None,
        "tipo": acta.tipo or None,
        "id_casilla": acta.id_casilla or None,
        "ext_contigua": acta.ext_contigua or None,
    }


def casilla_as_dict(acta: Acta, nivel: Nivel) -> dict[str, Any]:
    """The item of ``niveles.casilla``: one acta. A marker is null in ``contendientes`` and named in ``marcas``."""
    return {
        **place_as_dict(acta, nivel),
        "estado": acta.estado.value,
        "contabilizada": acta.contabilizada or None,
        "contendientes": acta.contendientes,
        "marcas": acta.marcas,
        "total_votos": acta.calculado if isinstance(acta.calculado, int) else None,
        "lista_nominal": acta.lista_nominal if isinstance(acta.lista_nominal, int) else None,
        "observaciones": acta.observaciones or None,
        "sha": acta.sha or None,
    }


@dataclass(frozen=True)
class ContestTotals:
    """One contest at one cut: what the source's header says, what its rows give, and the totals of every level.

    ``unidades`` are in the order of their ids; ``casillas`` are the actas in the order of the file. In a federal file
    ``entidad`` is the nation, and ``entidades`` and ``circunscripciones`` are its parts; both are empty in a local one.
    """

    eleccion: str
    titulo: str
    hora_corte: datetime
    dialecto: str
    encabezado: Mapping[str, int | str | None]
    encabezado_crudo: Mapping[str, str]
    recalculado: Mapping[str, int | str]
    regla_participacion: Regla
    regla_inconsistencias: str
    nivel: Nivel
    entidad: UnitTotals
    unidades: tuple[UnitTotals, ...]
    secciones: tuple[SectionTotals, ...]
    casillas: tuple[Acta, ...]
    hallazgos: tuple[Finding, ...]
    entidades: tuple[UnitTotals, ...] = ()
    circunscripciones: tuple[UnitTotals, ...] = ()

    @property
    def contendientes(self) -> Mapping[str, int]:
        """Votes of the entity by vote column."""
        return self.entidad.contendientes

    @property
    def partidos(self) -> Mapping[str, int]:
        """Votes of the entity by party, coalition votes split in each unit."""
        return self.entidad.partidos

    @property
    def candidaturas(self) -> Mapping[str, int]:
        """Votes of the entity by candidatura."""
        return self.entidad.candidaturas

    def to_json(self, *, hasta: Literal["casilla", "unidad"] = "casilla") -> dict[str, Any]:
        """The object of ``prep totales --json`` (design §7).

        ``hasta="unidad"`` leaves out ``hallazgos`` and the levels below the unit: a contest's ``entidad.json``. A file
        of several entidades has the levels ``nacional`` and ``circunscripcion`` above them.
        """
        niveles: dict[str, Any] = {}
        if self.entidades:
            niveles["nacional"] = [self.entidad.as_dict()]
            niveles["circunscripcion"] = [unidad.as_dict() for unidad in self.circunscripciones]
        niveles["entidad"] = [unidad.as_dict() for unidad in self.entidades or (self.entidad,)]
        niveles[self.nivel] = [unidad.as_dict() for unidad in self.unidades]
        data: dict[str, Any] = {
            "titulo": self.titulo,
            "hora_corte": self.hora_corte.isoformat(),
            "dialecto": self.dialecto,
            "encabezado": dict(self.encabezado),
            "encabezado_crudo": dict(self.encabezado_crudo),
            "recalculado": dict(self.recalculado),
            "regla_participacion": self.regla_participacion,
            "regla_inconsistencias": self.regla_inconsistencias,
            "contendientes": dict(self.contendientes),
            "partidos": dict(self.partidos),
            "candidaturas": dict(self.candidaturas),
            "niveles": niveles,
        }
        if hasta == "casilla":
            niveles["seccion"] = [seccion.as_dict(self.nivel) for seccion in self.secciones]
            niveles["casilla"] = [casilla_as_dict(acta, self.nivel) for acta in self.casillas]
            data["hallazgos"] = [finding.as_dict() for finding in self.hallazgos]
        return data
