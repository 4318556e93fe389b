"""What each page shows: plain values that a template places without computing anything.

Routes are those of the package tree (design §2): ``index.html``, ``<contienda>/index.html``,
``<contienda>/<distrito-001>/index.html``, ``base-de-datos/index.html``. Every link is relative and names its file:
the pages work under a path, inside an iframe, from an object store without index documents, and from a folder.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.convocatoria.tipos import VISTAS
from pregon.instituto.portal import avance as strip
from pregon.instituto.portal import frases
from pregon.instituto.portal.catalogo import Catalogo
from pregon.instituto.portal.formato import numero_unidad
from pregon.instituto.portal.formato import unidad as unit_name
from pregon.instituto.portal.modelo import Resultados, resultados
from pregon.instituto.portal.partidos import Actores
from pregon.instituto.portal.tarjetas import MAX_LIDERES, MAX_MOSAICO, PRIMERAS, Liderazgo, Tarjeta, Tesela

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Self
    from zoneinfo import ZoneInfo

    from pregon.instituto.elecciones import Eleccion, Unidad
    from pregon.instituto.portal.avance import Avance, Nota
    from pregon.paquete.manifest import Autorizacion
    from pregon.prep.candidaturas import Candidatura
    from pregon.tablas.model import ContestTotals, UnitTotals

INDICE = "index.html"
BASE_DE_DATOS = "base-de-datos/index.html"
PROGRAMADORES = "para-programadores/index.html"
CONSULTA = "consulta/index.html"
PREGUNTAS = "preguntas-frecuentes/index.html"
GLOSARIO = "glosario/index.html"
INCRUSTA = "incrusta/index.html"
_SIN_UNIDAD = "sin-"


@dataclass(frozen=True)
class Marco:
    """What frames every page of a cut: whose it is, which cut, of when, and what comes next.

    ``vistas``: the views that the call publishes (``convocatoria.tipos.Vista``).
    """

    nombre: str
    instituto: str
    ambiente: str
    corte: int
    hora_corte: datetime
    zona: ZoneInfo
    ultimo: bool
    proximo: datetime | None
    cierre: str | None
    vistas: frozenset[str] = frozenset(VISTAS)

    @property
    def simulacro(self) -> bool:
        return self.ambiente == "simulacro"


@dataclass(frozen=True)
class Enlace:
    """A contest in the menu of every page: known from its election alone, before anything is counted."""

    id: str
    titulo: str
    ruta: str

    @classmethod
    def to(cls, eleccion: Eleccion) -> Self:
        """The link to the page of an election."""
        return cls(eleccion.id, eleccion.titulo, f"{eleccion.id}/{INDICE}")


@dataclass(frozen=True)
class Descarga:
    """A file offered for download: its route in the package, its size in bytes and its SHA-256."""

    contienda: str
    titulo: str
    ruta: str
    bytes: int
    sha256: str
    contenido: tuple[str, ...]

    @property
    def archivo(self) -> str:
        """The file's own name."""
        return self.ruta.rpartition("/")[2]


@dataclass(frozen=True)
class VistaUnidad:
    """A district or municipality."""

    id: str
    carpeta: str
    ruta: str
    palabra: str
    numero: str
    nombre: str
    avance: Avance
    resultados: Resultados

    @property
    def archivo(self) -> str:
        """The name of its data file, without extension: ``007``."""
        return file_id(self.id)

    @property
    def rotulo(self) -> str:
        """``Distrito 7``; the name alone where the file gives no number."""
        return f"{self.palabra} {self.numero}" if self.numero else self.nombre

    @property
    def titulo(self) -> str:
        """``7. Tenabo``."""
        return f"{self.numero}. {self.nombre}" if self.numero else self.nombre

    @property
    def sin_cambios(self) -> str:
        """What its page says, before an hour, where a later cut left it as it was: ``Distrito sin cambios``."""
        return f"{self.palabra} sin cambios" if self.numero else "Sin cambios"

    @property
    def con_nombres(self) -> bool:
        return self.resultados.con_nombres

    @property
    def titular(self) -> str:
        return frases.de_persona(self.resultados.cabeza, self.avance.porcentaje_contabilizadas)

    @property
    def lider(self) -> str:
        """Who is ahead, for the tile that only shows a colour."""
        head = self.resultados.cabeza
        if head.primero is None:
            return "sin actas contabilizadas"
        if head.estado == "empate":
            return "empate"
        return f"encabeza {frases.quien(head.primero)}, {head.primero.porcentaje} por ciento"

    @property
    def colores(self) -> tuple[str, ...]:
        """Colour classes of whoever is ahead: one per party of the line; none where nobody is."""
        head = self.resultados.cabeza
        if head.estado != "encabeza" or head.primero is None:
            return ()
        return tuple(party.color for party in head.primero.partidos)

    @property
    def tesela(self) -> Tesela:
        return Tesela(self.carpeta, self.numero, self.nombre, self.rotulo, self.lider, self.colores)


@dataclass(frozen=True)
class VistaContienda:
    """A contest at the level of the entity, with its units."""

    id: str
    eleccion: Eleccion
    titulo: str
    ruta: str
    palabra: Unidad
    avance: Avance
    resultados: Resultados
    unidades: tuple[VistaUnidad, ...]
    liderazgos: tuple[Liderazgo, ...]
    empates: int
    sin_votos: int
    datos: str
    autorizaciones: tuple[Autorizacion, ...] = ()

    @property
    def demarcaciones(self) -> tuple[VistaUnidad, ...]:
        """Its districts or municipalities: ``unidades`` without the actas of none (voto en el extranjero…)."""
        return tuple(unit for unit in self.unidades if unit.numero)

    @property
    def con_nombres(self) -> bool:
        """People are named at this level only where the whole entity votes for the same ones."""
        return self.eleccion.unico_cargo and self.resultados.con_nombres

    @property
    def mosaico(self) -> tuple[Tesela, ...]:
        """A tile of each district or municipality."""
        return tuple(unit.tesela for unit in self.demarcaciones)

    @property
    def tarjeta(self) -> Tarjeta:
        """What the pages of the whole site show of it."""
        one = self.eleccion.unico_cargo
        units = len(self.demarcaciones)
        return Tarjeta(
            id=self.id,
            titulo=self.titulo,
            ruta=self.ruta,
            datos=self.datos,
            palabra=self.palabra,
            unico_cargo=one,
            con_nombres=self.con_nombres,
            sin_votos=self.resultados.cabeza.estado == "sin_votos",
            titular=self.titular_breve,
            avance=self.avance,
            demarcaciones=units,
            primeras=self.resultados.candidaturas[:PRIMERAS] if one else (),
            liderazgos=() if one else self.liderazgos[:MAX_LIDERES],
            mosaico=() if one or units > MAX_MOSAICO else self.mosaico,
        )

    @property
    def titular_breve(self) -> str:
        """The sentence of the cover, where the strip above it already says how much is counted."""
        if self.eleccion.unico_cargo:
            return frases.de_persona(self.resultados.cabeza, None)
        return self.titular

    @property
    def titular(self) -> str:
        if self.eleccion.unico_cargo:
            return frases.de_persona(self.resultados.cabeza, self.avance.porcentaje_contabilizadas)
        return frases.de_unidades(
            [(entry.renglon.siglas, entry.unidades) for entry in self.liderazgos],
            len(self.demarcaciones),
            self.palabra,
            ties=self.empates,
            without_votes=self.sin_votos,
        )

    @property
    def todas(self) -> str:
        return frases.todas(len(self.demarcaciones), self.palabra)


@dataclass(frozen=True)
class Portal:
    """What the pages of the whole site show of one cut; the pages of a contest are made from its own view."""

    marco: Marco
    contiendas: tuple[Tarjeta, ...]
    descargas: tuple[Descarga, ...]


def of_no_unit(identifier: str) -> bool:
    """Whether an id is of actas that belong to no district or municipality: ``sin-distrito``, ``09-sin-distrito``."""
    return _SIN_UNIDAD in identifier


def folder_of_unit(nivel: str, identifier: str) -> str:
    """The folder of a unit's page: ``distrito-001``; actas of no unit (id ``sin-distrito``) keep their id."""
    name = file_id(identifier)
    return name if of_no_unit(identifier) else f"{nivel}-{name}"


def file_id(identifier: str) -> str:
    """A unit id as part of a file name: ``7`` -> ``007``; anything unusual becomes hyphens."""
    text = identifier.strip()
    if text.isdecimal():
        return f"{int(text):03d}"
    safe = "".join(char if char.isascii() and char.isalnum() else "-" for char in text.lower()).strip("-")
    return safe or "sin-id"


def contienda(
    eleccion: Eleccion,
    totals: ContestTotals,
    candidaturas: Sequence[Candidatura],
    *,
    corte: int,
    autorizaciones: Sequence[Autorizacion] = (),
) -> VistaContienda:
    """The view of one contest and all its units. ``autorizaciones``: those of the cut; the page tells its own."""
    catalogo = Catalogo(candidaturas, unico_cargo=eleccion.unico_cargo)
    actores = Actores(tuple(totals.contendientes))
    word = eleccion.unidad(totals.nivel)
    special = totals.regla_participacion == "con_especiales"
    units = tuple(
        _unit(unit, eleccion.id, totals.nivel, word.singular, actores, catalogo, special=special)
        for unit in totals.unidades
    )
    ahead: Counter[str] = Counter()
    races = [unit for unit in units if unit.numero]
    for unit in races:
        head = unit.resultados.cabeza
        if head.estado == "encabeza" and head.primero is not None:
            ahead[head.primero.clave] += 1
    whole_strip = strip.of_contest(totals)
    whole = resultados(totals, actores, catalogo, None)
    lines = {line.clave: line for line in whole.candidaturas}
    for unit in units:  # a line may exist in one unit only
        for line in unit.resultados.candidaturas:
            lines.setdefault(line.clave, line)
    return VistaContienda(
        id=eleccion.id,
        eleccion=eleccion,
        titulo=eleccion.titulo,
        ruta=f"{eleccion.id}/{INDICE}",
        palabra=word,
        avance=whole_strip,
        resultados=whole,
        unidades=units,
        liderazgos=tuple(Liderazgo(lines[key], count) for key, count in ahead.most_common()),
        empates=sum(unit.resultados.cabeza.estado == "empate" for unit in races),
        sin_votos=sum(unit.resultados.cabeza.estado == "sin_votos" for unit in races),
        datos=f"datos/{corte:04d}/{eleccion.id}/",
        autorizaciones=tuple(item for item in autorizaciones if _concerns(item, eleccion, notes=whole_strip.notas)),
    )


def _concerns(item: Autorizacion, eleccion: Eleccion, *, notes: Sequence[Nota]) -> bool:
    """Whether a page tells an authorisation; one of headers for every contest, only where a header differs."""
    if item.contienda is not None or item.codigo != "ENCABEZADO_ORIGEN":
        return item.contienda in (None, eleccion.id) and item.codigo != "CIERRE_ANTICIPADO"
    return bool(notes)


def _unit(
    unit: UnitTotals,
    contest: str,
    nivel: str,
    word: str,
    actores: Actores,
    catalogo: Catalogo,
    *,
    special: bool,
) -> VistaUnidad:
    folder = folder_of_unit(nivel, unit.id)
    return VistaUnidad(
        id=unit.id,
        carpeta=folder,
        ruta=f"{contest}/{folder}/{INDICE}",
        palabra=word,
        numero="" if of_no_unit(unit.id) else numero_unidad(unit.id),
        nombre=unit_name(unit.id, unit.nombre),
        avance=strip.of_unit(unit, con_especiales=special),
        resultados=resultados(unit, actores, catalogo, unit.id),
    )
