"""What each page shows: plain values that a template places without computing anything.

Routes are those of the package tree (design §2): ``index.html``, ``<contienda>/index.html``,
``<contienda>/<distrito-001>/index.html``, ``base-de-datos/index.html``. Every link is relative and names its file:
the pages work under a path, inside an iframe, from an object store without index documents, and from a folder.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pregon.convocatoria.tipos import VISTAS
from pregon.instituto.elecciones import ENTIDAD
from pregon.instituto.portal import avance as strip
from pregon.instituto.portal import frases
from pregon.instituto.portal.catalogo import Catalogo
from pregon.instituto.portal.modelo import Resultados, resultados
from pregon.instituto.portal.partidos import Actores
from pregon.instituto.portal.tarjetas import MAX_LIDERES, MAX_MOSAICO, PRIMERAS, Liderazgo, Tarjeta, Tesela
from pregon.instituto.portal.vista_consulta import Consulta, consulta
from pregon.instituto.portal.vista_unidad import INDICE, Taller, VistaEntidad, VistaUnidad

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Self
    from zoneinfo import ZoneInfo

    from pregon.instituto.elecciones import Eleccion, Unidad
    from pregon.instituto.portal.avance import Avance, Nota
    from pregon.instituto.portal.modelo import Renglon
    from pregon.instituto.portal.partidos import Propio
    from pregon.paquete.manifest import Autorizacion
    from pregon.prep.candidaturas import Candidatura
    from pregon.tablas.model import ContestTotals

BASE_DE_DATOS = "base-de-datos/index.html"
PROGRAMADORES = "para-programadores/index.html"
CONSULTA = "consulta/index.html"
PREGUNTAS = "preguntas-frecuentes/index.html"
GLOSARIO = "glosario/index.html"
INCRUSTA = "incrusta/index.html"


@dataclass(frozen=True)
class Marco:
    """What frames every page of a cut: whose it is, which cut, of when, and what comes next.

    ``vistas``: the views that the call publishes (``convocatoria.tipos.Vista``). ``imagenes_url``: where the images of
    the actas are (``convocatoria.imagenes``). ``verificador_url``: the institute's page that checks a portal, if there
    is one. ``entidad``: the number of the call's entidad, 0 for the whole country.
    ``inicio``, ``fin``, ``permanencia``: since when, until when and how long the call has cuts published, brought up to
    date and kept; None where it does not say.
    ``intervalo_s`` and ``margen_s``: seconds from one cut to the next, and how late one may be before an open page
    says so (docs/adr/0008). ``difusores``: the route of the page that says who publishes these results, where the cut
    carries it.
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
    imagenes_url: str | None = None
    verificador_url: str | None = None
    difusores: str | None = None
    entidad: int = 0
    inicio: datetime | None = None
    fin: datetime | None = None
    permanencia: datetime | None = None
    intervalo_s: int = 1200
    margen_s: int = 120

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
class VistaContienda:
    """A contest at the level of the entity, with its units.

    ``entidades``: those of a federal contest, in the order of their ids; none in a local one. ``carreras``: what it
    decides one by one, its districts or municipalities or, in a senate, its entidades; ``palabra_carrera`` is their
    word, and ``liderazgos``, ``empates`` and ``sin_votos`` count them.
    """

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
    consulta: Consulta
    palabra_carrera: Unidad
    carreras: tuple[VistaUnidad, ...]
    autorizaciones: tuple[Autorizacion, ...] = ()
    entidades: tuple[VistaEntidad, ...] = ()

    @property
    def grupos(self) -> tuple[tuple[VistaEntidad | None, tuple[VistaUnidad, ...]], ...]:
        """Its units with the entidad that they are in: None in a local contest, and for what is of none."""
        inside = {unit.id for entity in self.entidades for unit in entity.unidades}
        rest = tuple(unit for unit in self.unidades if unit.id not in inside)
        return (*((entity, entity.unidades) for entity in self.entidades), (None, rest))

    @property
    def partes(self) -> tuple[VistaUnidad, ...]:
        """What its own page lists: the entidades of a federal contest and what is of none of them; else its units."""
        return (*self.entidades, *self.grupos[-1][1])

    @property
    def palabra_parte(self) -> Unidad:
        """The word for most of ``partes``."""
        return ENTIDAD if self.entidades else self.palabra

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
        """A tile of each district or municipality, or of each entidad of a federal contest."""
        return tuple(unit.tesela for unit in self.partes if unit.numero)

    @property
    def colores(self) -> frozenset[str]:
        """Colour classes of everybody who contends."""
        return frozenset(party.color for line in self.resultados.columnas for party in line.partidos)

    @property
    def tarjeta(self) -> Tarjeta:
        """What the pages of the whole site show of it."""
        one = self.eleccion.unico_cargo
        units = len(self.carreras)
        return Tarjeta(
            id=self.id,
            titulo=self.titulo,
            ruta=self.ruta,
            datos=self.datos,
            palabra=self.palabra_carrera,
            unico_cargo=one,
            con_nombres=self.con_nombres,
            sin_votos=self.resultados.cabeza.estado == "sin_votos",
            titular=self.titular_breve,
            avance=self.avance,
            demarcaciones=units,
            primeras=self.resultados.candidaturas[:PRIMERAS] if one else (),
            liderazgos=() if one else self.liderazgos[:MAX_LIDERES],
            mosaico=() if one or units > MAX_MOSAICO else self.mosaico,
            consulta=self.consulta,
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
            len(self.carreras),
            self.palabra_carrera,
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


def contienda(
    eleccion: Eleccion,
    totals: ContestTotals,
    candidaturas: Sequence[Candidatura],
    *,
    corte: int,
    autorizaciones: Sequence[Autorizacion] = (),
    propios: Mapping[str, Propio] | None = None,
) -> VistaContienda:
    """The view of one contest and all its units. ``autorizaciones``: those of the cut; the page tells its own.

    ``propios``: how the institute wants its actors shown (``Aspecto.actores``).
    """
    federal = bool(totals.entidades)
    catalogo = Catalogo(candidaturas, unico_cargo=eleccion.unico_cargo, varias_entidades=federal)
    actores = Actores(tuple(totals.contendientes), propios)
    word = eleccion.unidad(totals.nivel)
    special = totals.regla_participacion == "con_especiales"
    maker = Taller(eleccion.id, totals.nivel, word.singular, actores, catalogo, special, federal)
    units = tuple(maker.unit(unit) for unit in totals.unidades)
    entities = tuple(maker.entity(entity, units) for entity in totals.entidades)
    whole_strip = strip.of_contest(totals)
    whole = resultados(totals, actores, catalogo, None)
    lines = {line.clave: line for line in whole.candidaturas}
    for unit in (*units, *entities):  # a line may exist in one unit only
        for line in unit.resultados.candidaturas:
            lines.setdefault(line.clave, line)
    races: tuple[VistaUnidad, ...] = tuple(unit for unit in units if unit.numero)
    if eleccion.por_entidad and federal:
        races = entities
    elif not eleccion.unico_cargo:
        entities = tuple(replace(one, carreras=word, **_leads(one.demarcaciones, lines)) for one in entities)
    return VistaContienda(
        id=eleccion.id,
        eleccion=eleccion,
        titulo=eleccion.titulo,
        ruta=f"{eleccion.id}/{INDICE}",
        palabra=word,
        avance=whole_strip,
        resultados=whole,
        unidades=units,
        **_leads(races, lines),
        datos=f"datos/{corte:04d}/{eleccion.id}/",
        consulta=consulta(totals.nivel, actores, {unit.id: unit.titulo for unit in units}, totals.entidades),
        palabra_carrera=ENTIDAD if eleccion.por_entidad and federal else word,
        carreras=races,
        autorizaciones=tuple(item for item in autorizaciones if _concerns(item, eleccion, notes=whole_strip.notas)),
        entidades=entities,
    )


def _leads(races: Sequence[VistaUnidad], lines: Mapping[str, Renglon]) -> dict[str, Any]:
    """In how many of ``races`` each line is ahead, how many are tied and how many have no votes yet."""
    heads = [unit.resultados.cabeza for unit in races]
    ahead = Counter(head.primero.clave for head in heads if head.estado == "encabeza" and head.primero is not None)
    return {
        "liderazgos": tuple(Liderazgo(lines[key], count) for key, count in ahead.most_common()),
        "empates": sum(head.estado == "empate" for head in heads),
        "sin_votos": sum(head.estado == "sin_votos" for head in heads),
    }


def _concerns(item: Autorizacion, eleccion: Eleccion, *, notes: Sequence[Nota]) -> bool:
    """Whether a page tells an authorisation; one of headers for every contest, only where a header differs."""
    if item.contienda is not None or item.codigo != "ENCABEZADO_ORIGEN":
        return item.contienda in (None, eleccion.id) and item.codigo != "CIERRE_ANTICIPADO"
    return bool(notes)
