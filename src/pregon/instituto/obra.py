"""The work of one contest in a cut: from its files to what the package holds of it, each piece compressed already.

It decides nothing about the cut as a whole: ``build`` asks for the count (``cuenta``), decides whether the cut goes
out, and then asks for the pieces (``piezas``). A large contest does it in a process of its own (``base.forked``), so
what goes between both is small: the table of actas stays here.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import PregonError
from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import compact_json
from pregon.instituto import apuntes, compuerta, contrato, estadistica, fuentes, noche, receta
from pregon.instituto.apuntes import form_of
from pregon.instituto.base_de_datos import write_database
from pregon.instituto.cambios import ARCHIVO as CAMBIOS
from pregon.instituto.cambios import cambios_json
from pregon.instituto.datos import base_of, contest_files
from pregon.instituto.hojas import Anteriores, Hojas
from pregon.instituto.portal.paginas import Complementos
from pregon.instituto.portal.partidos import Actores
from pregon.instituto.portal.vigencia import kept
from pregon.instituto.portal.vista_cambios import Anterior, vista_cambios
from pregon.instituto.portal.vista_especiales import vistas_especiales
from pregon.instituto.portal.vista_estadistica import vista_estadistica
from pregon.instituto.portal.vista_noche import vista_noche
from pregon.instituto.portal.vista_secciones import vista_secciones
from pregon.instituto.portal.vistas import contienda
from pregon.instituto.receta import Partida
from pregon.instituto.secciones import Ids, shard_of, sheets
from pregon.paquete.crudo import Extent, Packed
from pregon.paquete.empacado import pack
from pregon.prep.cambios import changes
from pregon.prep.plain import PlainRows
from pregon.tablas.estadistica import statistics
from pregon.tablas.fichas import understand
from pregon.tablas.siguiente import match_rows, understand_next
from pregon.tablas.totales import totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Any, Self

    from pregon.base.durable import Disk
    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.base_de_datos import BaseDeDatos
    from pregon.instituto.elecciones import Eleccion
    from pregon.instituto.fuentes import ContestSource, Fuente
    from pregon.instituto.noche import Noche
    from pregon.instituto.portal.paginas import Paginas
    from pregon.instituto.portal.tarjetas import Tarjeta
    from pregon.instituto.portal.vista_secciones import HojaSecciones
    from pregon.instituto.portal.vistas import Enlace, Marco, VistaContienda
    from pregon.instituto.previo import Previo
    from pregon.paquete.manifest import ManifestHead
    from pregon.prep.cambios import Cambios
    from pregon.prep.model import ActaTable, Finding
    from pregon.tablas.fichas import Entendidas
    from pregon.tablas.model import ContestTotals
    from pregon.tablas.siguiente import Correspondencia

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encargo:
    """What a contest's work needs to know.

    ``bloques``: folder, there already, where it leaves its pieces. ``apuntes``: folder of all notes. ``hilos``: threads
    of the engine, None for as many as fit.
    """

    source: ContestSource
    convocatoria: Convocatoria
    previo: Previo | None
    ultimo: bool
    bloques: Path
    apuntes: Path
    disk: Disk
    hilos: int | None = None


@dataclass(frozen=True)
class Cuenta:
    """A contest counted: its totals down to the unit, and what it shows by itself and over its previous cut.

    ``origen``: name of the file of actas.
    """

    eleccion: Eleccion
    origen: str
    totals: ContestTotals
    propios: tuple[Finding, ...]
    sobre_anterior: tuple[Finding, ...]


@dataclass(frozen=True)
class Piezas:
    """What the package holds of a contest. ``hallazgos``: where it contradicts itself.

    ``muestras``: route and bytes of one data file of each kind, for the page that explains them. ``receta``: how to
    make its database zip from that of the previous cut, where it pays.
    """

    tarjeta: Tarjeta
    base: BaseDeDatos
    archivos: tuple[tuple[str, Packed], ...]
    hallazgos: tuple[Finding, ...]
    muestras: Mapping[str, tuple[str, bytes]]
    receta: bytes | None


class Obra:
    """The work of one contest: ``cuenta``, ``piezas``, ``anota`` while the cut is put together, and ``apunta`` once it
    is signed."""

    def __init__(self, encargo: Encargo, paginas: Paginas) -> None:
        self._order = encargo
        self._pages = paginas

    def cuenta(self) -> Cuenta:
        """Read and count.

        Raises:
            EntradaError, FormatoError: a source is missing or unreadable.
            DiscoError: the package of the previous cut is damaged.
        """
        order = self._order
        self._source = source = fuentes.read(order.source)
        self._seen = self._understood(source)
        self._totals = counted = totals(
            source.tabla,
            eleccion=source.eleccion.id,
            candidaturas=source.candidaturas,
            # The last cut has them (prep.md §2.2); before, the header says.
            incluye_especiales=True if order.ultimo else None,
            inconsistencias=order.convocatoria.inconsistencias,
            detalle=False,
            entendidas=self._seen,
        )
        self._night, told = noche.night_before(order.previo, source.eleccion.id)
        if order.previo is not None and source.eleccion.id in order.previo.contiendas:
            told += compuerta.after(counted, order.previo.referencia(source.eleccion.id), self._changes)
        return Cuenta(
            eleccion=source.eleccion,
            origen=source.tabla.origen,
            totals=counted,
            propios=compuerta.own(order.convocatoria, counted, source.tabla.entidades),
            sobre_anterior=told,
        )

    def piezas(self, head: ManifestHead, marco: Marco, menu: Sequence[Enlace]) -> Piezas:
        """Everything of this contest that goes into the package, and whether it says one thing everywhere.

        Raises:
            FormatoError: the dialect's encoding lacks a letter of the source; names line and column.
            ComprobacionError: the database does not read back as what was given.
            DiscoError, EscrituraError: could not write.
        """
        order, source, seen = self._order, self._source, self._seen
        view = contienda(
            source.eleccion,
            self._totals,
            source.candidaturas,
            corte=head.corte,
            autorizaciones=head.autorizaciones,
            propios=self._pages.aspecto.actores(source.eleccion.id),
        )
        base = write_database(order.convocatoria, head, source, self._totals, order.bloques, order.disk)
        ids = Ids.of(source.tabla, seen.fichas)
        hojas = sheets(seen.fichas.hojas, seen.secciones, seen.primeras, lugares=self._places(seen))
        before = None if seen.tocadas is None else self._data_before
        contents = dict(
            contest_files(
                self._totals, view, hojas, corte=head.corte, antes=before, tocadas=seen.tocadas or frozenset()
            )
        )
        contents[f"{base_of(view.id, head.corte)}/{CAMBIOS}"] = compact_json(self._told(ids))
        night = self._night.with_cut(noche.entry_of(self._totals, view, corte=head.corte, hora=head.hora_corte))
        figures = estadistica.estadistica_json(self._totals, statistics(seen.estadistica))
        contents[f"{base_of(view.id, head.corte)}/{noche.ARCHIVO}"] = compact_json(night.as_dict())
        contents[f"{base_of(view.id, head.corte)}/{estadistica.ARCHIVO}"] = compact_json(figures)
        contents |= self._rendered(marco, menu, view, night, figures)
        found = tuple(compuerta.coherent(self._totals, contents, head.corte, base, source, marco.vistas))
        samples = {contrato.kind_of(route) or "": (route, content) for route, content in reversed(contents.items())}
        samples.pop("", None)
        maker = Hojas(view.id, source.tabla, ids, seen, self._before)
        pieces: list[tuple[str, Packed]] = []
        with _Block(order.bloques / f"{view.id}.bloque", order.previo) as block:
            pieces += [(route, block.keep(route, content)) for route, content in contents.items()]
            for name, sheet in hojas.items():
                route = maker.route(name, head.corte)
                packed = maker.unchanged(name, sheet)
                if packed is None or "seccion" not in samples:
                    content = maker.content(name, sheet)
                    samples.setdefault("seccion", (route, content))
                    packed = packed or block.keep(route, content)
                pieces.append((route, packed))
        offered = base.descarga
        pieces.append((offered.ruta, pack(offered.ruta, base.archivo, sha256=offered.sha256)))
        self._made = apuntes.noted(source.tabla, seen, ids.repetidas, base)
        recipe = None if self._start is None else receta.encoded(head, base, source.tabla, self._start)
        return Piezas(view.tarjeta, base, tuple(pieces), found, samples, recipe)

    def anota(self) -> None:
        """Write the notes of this cut where they do not count yet: who puts the cut together need not wait for it."""
        order, self._sums = self._order, None
        if self._made is None:
            return
        try:
            self._sums = apuntes.lay(self._laid, self._made, disk=order.disk)
        except (OSError, PregonError) as exc:
            _logger.warning("sin apuntes de %s para el corte que sigue: %s", self._totals.eleccion, exc)

    def apunta(self, manifiesto_sha256: str) -> None:
        """Make the notes of this cut count, which is signed as ``manifiesto_sha256``.

        They only spare work: where they cannot be written the next cut is made without them.
        """
        folder, disk = self._order.apuntes / self._totals.eleccion, self._order.disk
        try:
            if self._made is None or self._sums is None:
                apuntes.forget(folder, disk=disk)
            else:
                table = self._source.tabla
                apuntes.seal(self._laid, folder, self._made, self._sums, table, manifiesto_sha256, disk=disk)
        except (OSError, PregonError) as exc:
            _logger.warning("sin apuntes de %s para el corte que sigue: %s", self._totals.eleccion, exc)

    @property
    def _laid(self) -> Path:
        """Where the notes are until there is a signature: a stopped cut leaves them among its rubbish."""
        return self._order.bloques / f"{self._totals.eleccion}.apuntes"

    def _understood(self, source: Fuente) -> Entendidas:
        """The table understood, from what is known of the previous cut where there is one; also what changed."""
        table, previous = source.tabla, self._order.previo
        self._changes: Cambios | None = None
        self._start: Partida | None = None
        self._before: Anteriores | None = None
        if previous is None or source.eleccion.id not in previous.contiendas:
            return understand(table, fichas=True, hilos=self._order.hilos)
        notes = apuntes.load(self._order.apuntes / source.eleccion.id, table, previous.manifiesto_sha256)
        if notes is not None:
            before, base = notes.table(table), notes.base
        else:
            published = previous.tabla(source.eleccion.id)
            if published is None:
                return understand(table, fichas=True, hilos=self._order.hilos)
            before, base = published[0], (published[0].origen, published[1])
        found = _paired(table, before) if form_of(table) == form_of(before) else None
        if found is None:
            self._changes = changes(before, table)
            return understand(table, fichas=True, hilos=self._order.hilos)
        self._changes = changes(before, table, distintas=(found.idas, found.nuevas))
        if base is not None:
            self._start = Partida(base[1], base[0], before.lineas[0] - 1, found)
        if notes is None:
            return understand(table, fichas=True, hilos=self._order.hilos)
        self._before = Anteriores(previous, notes.without_rows(), found)
        gone = before.filas.at(found.idas).lineas if isinstance(before.filas, PlainRows) else ()
        return understand_next(table, gone, notes.entendidas, found, hilos=self._order.hilos)

    def _places(self, seen: Entendidas) -> Mapping[str, list[int]] | None:
        """The places of the actas of each file, where they are those of the previous cut."""
        notes = None if self._before is None else self._before.apuntes
        return notes.places if notes is not None and notes.entendidas.fichas.hojas == seen.fichas.hojas else None

    def _data_before(self, name: str) -> bytes | None:
        """A data file of this contest in the previous cut."""
        previous = self._order.previo
        base = None if previous is None else base_of(self._totals.eleccion, previous.corte)
        return None if previous is None else previous.contenido(f"{base}/{name}")

    def _told(self, ids: Ids) -> dict[str, Any]:
        """The object of ``cambios.json``."""
        lines = self._source.tabla.lineas
        places: Iterable[int] = ()
        if self._changes is not None:
            places = range(len(lines)) if self._start is None else self._start.lineas.nuevas
        return cambios_json(
            self._changes,
            nivel=self._totals.nivel,
            anterior=None if self._order.previo is None else self._order.previo.corte,
            ids={lines[place]: ids[place] for place in places},
            shard=lambda acta: shard_of(acta.seccion, acta.entidad),
        )

    def _rendered(
        self, marco: Marco, menu: Sequence[Enlace], view: VistaContienda, night: Noche, figures: Mapping[str, Any]
    ) -> dict[str, bytes]:
        """The contest's pages; those of units whose figures did not change, as they were (docs/adr/0006)."""
        previous = self._order.previo
        anterior = None if previous is None else Anterior(previous.corte, previous.hora_corte)
        actores = Actores(tuple(self._totals.contendientes), self._pages.aspecto.actores(view.id))
        changed = vista_cambios(view, actores, self._changes, anterior)
        sections = self._sections(view, actores) if "secciones" in marco.vistas else {}
        pages = dict(
            self._pages.contest(
                marco,
                menu,
                view,
                Complementos(
                    cambios=changed,
                    noche=vista_noche(view, actores, night, marco.zona),
                    estadistica=vista_estadistica(view, figures),
                    especiales=vistas_especiales(view, self._totals, actores),
                    secciones=sections,
                ),
            )
        )
        if previous is not None and not marco.ultimo:
            for unit in (*view.entidades, *view.unidades):
                for route in (unit.ruta, *(sheet.ruta for sheet in sections.get(unit.id, ()))):
                    pages[route] = kept(pages[route], previous.contenido(route))
        return pages

    def _sections(self, view: VistaContienda, actores: Actores) -> Mapping[str, Sequence[HojaSecciones]]:
        """The pages of secciones of each unit."""
        contend = self._source.tabla.columns.contendientes
        return vista_secciones(view, self._totals, contend, actores, self._seen.secciones, hilos=self._order.hilos)


def _paired(table: ActaTable, before: ActaTable) -> Correspondencia | None:
    """The rows of two tables of one form, paired; None where they are not lines, or too many are new."""
    rows, old = table.filas, before.filas
    if not isinstance(rows, PlainRows) or not isinstance(old, PlainRows):
        return None
    return match_rows(rows, old)


class _Block:
    """A file where compressed pieces are laid one after the other; those that the previous cut has stay there."""

    def __init__(self, path: Path, previo: Previo | None) -> None:
        self._path = path
        self._previo = previo
        self._end = 0

    def __enter__(self) -> Self:
        self._file = self._path.open("wb")
        return self

    def __exit__(self, kind: object, exc: object, trace: object) -> None:
        self._file.close()

    def keep(self, route: str, content: bytes) -> Packed:
        """The content compressed, and where."""
        sha256 = sha256_bytes(content)
        known = None if self._previo is None else self._previo.con_hash(sha256)
        if known is not None:
            return known
        packed = pack(route, content, sha256=sha256)
        raw = packed.comprimido
        if isinstance(raw, Extent):
            return packed
        self._file.write(raw)
        place = Extent(self._path, self._end, len(raw))
        self._end += len(raw)
        return dataclasses.replace(packed, comprimido=place)
