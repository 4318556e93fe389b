"""The files of secciones of a contest in a cut: made, or taken as they are from the previous one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pregon.instituto.datos import base_of
from pregon.instituto.secciones import amended, item, items_of, sheet_text, text_in
from pregon.tablas.fichas import understand_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.instituto.apuntes import Apuntes
    from pregon.instituto.previo import Previo
    from pregon.instituto.secciones import Hoja, Ids
    from pregon.paquete.crudo import Packed
    from pregon.prep.model import ActaTable
    from pregon.tablas.fichas import Entendidas
    from pregon.tablas.siguiente import Correspondencia


@dataclass(frozen=True)
class Anteriores:
    """Those of the previous cut: its package, what was noted of it, and which lines were there already."""

    previo: Previo
    apuntes: Apuntes
    lineas: Correspondencia

    def places(self, name: str) -> Sequence[int]:
        """The actas of one of its files, by their place in its table."""
        return self.apuntes.places.get(name, ())

    def changed(self, hojas: Sequence[str]) -> dict[str, list[int]] | None:
        """The places of the new lines in each file that any line came to or left; ``hojas``: the file of each acta.

        None where the actas of a file cannot be told from its places: lines moved, or the id of an acta depends on
        others.
        """
        if not self.lineas.fijas or self.apuntes.repetidas:
            return None
        found: dict[str, list[int]] = {self.apuntes.entendidas.fichas.hojas[place]: [] for place in self.lineas.idas}
        for place in self.lineas.nuevas:
            found.setdefault(hojas[place], []).append(place)
        return found


@dataclass(frozen=True)
class Hojas:
    """Makes the files of a contest. ``vistas``: the table, understood from ``anteriores`` where there is such a cut."""

    contienda: str
    tabla: ActaTable
    ids: Ids
    vistas: Entendidas
    anteriores: Anteriores | None

    @cached_property
    def changed(self) -> dict[str, list[int]] | None:
        """The files with changes, as ``Anteriores.changed``; None where each must be looked at."""
        old = self.anteriores
        return None if old is None or self.ids.repetidas else old.changed(self.vistas.fichas.hojas)

    def route(self, name: str, corte: int) -> str:
        """Where a file lies in the package of a cut."""
        return f"{base_of(self.contienda, corte)}/seccion/{name}.json"

    def unchanged(self, name: str, sheet: Hoja) -> Packed | None:
        """The file of the previous cut, where it has the same actas, letter by letter and in the same order.

        Raises:
            DiscoError: the package of the previous cut is damaged.
        """
        old = self.anteriores
        if old is None:
            return None
        if self.changed is not None:
            return None if name in self.changed else old.previo.en(self.route(name, old.previo.corte))
        before = old.places(name)
        if [old.lineas.antes[place] for place in sheet.actas] != before:
            return None
        repeated, then = self.ids.repetidas, old.apuntes.repetidas
        if (repeated or then) and [repeated.get(n) for n in sheet.actas] != [then.get(n) for n in before]:
            return None
        return old.previo.en(self.route(name, old.previo.corte))

    def content(self, name: str, sheet: Hoja) -> bytes:
        """The bytes of a file.

        Raises:
            DiscoError: the package of the previous cut is damaged.
        """
        kept = self._amended(name, sheet)
        if kept is not None:
            return kept
        known, old = self._known(name), self.anteriores
        before = {place: None if old is None else old.lineas.antes[place] for place in sheet.actas}
        texts = self._texts([place for place in sheet.actas if before[place] not in known])
        items: list[str] = []
        for place in sheet.actas:
            was = before[place]
            if place in texts:
                items.append(item(self.ids[place], texts[place]))
            elif place in self.ids.repetidas or (old is not None and was in old.apuntes.repetidas):
                items.append(item(self.ids[place], text_in(known[was])))
            else:
                items.append(known[was])
        return sheet_text(sheet, self.tabla.columnas_voto, self.tabla.nivel, items)

    def _amended(self, name: str, sheet: Hoja) -> bytes | None:
        """The file of the previous cut with what changed in it; None where it must be made whole."""
        old, touched = self.anteriores, self.vistas.tocadas
        if old is None or touched is None or self.changed is None or old.places(name) != sheet.actas:
            return None
        content = old.previo.contenido(self.route(name, old.previo.corte))
        texts = {place: item(self.ids[place], self.vistas.textos[place]) for place in self.changed.get(name, ())}
        return None if content is None else amended(content, sheet, self.tabla.nivel, touched, texts)

    def _texts(self, places: Sequence[int]) -> Mapping[int, str]:
        """Of actas that the file of the previous cut does not have; the engine is asked again for the rare one."""
        made = self.vistas.textos
        lacking = [place for place in places if place not in made]
        asked = understand_rows(self.tabla, lacking, ()).textos if lacking else {}
        return {place: made[place] if place in made else asked[place] for place in places}

    def _known(self, name: str) -> dict[int | None, str]:
        """The items of the file of that name in the previous cut, by the place of each acta in its table."""
        old = self.anteriores
        content = None if old is None else old.previo.contenido(self.route(name, old.previo.corte))
        return {} if content is None or old is None else dict(zip(old.places(name), items_of(content), strict=True))
