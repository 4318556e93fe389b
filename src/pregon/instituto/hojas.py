"""The files of secciones of a contest in a cut: made, or taken as they are from the previous one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.instituto.datos import base_of
from pregon.instituto.secciones import item, items_of, sheet_text, text_in
from pregon.tablas.fichas import understand_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.instituto.apuntes import Apuntes
    from pregon.instituto.previo import Previo
    from pregon.instituto.secciones import Hoja, Ids
    from pregon.paquete.crudo import Packed
    from pregon.prep.model import ActaTable
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


@dataclass(frozen=True)
class Hojas:
    """Makes the files of a contest. ``textos``: of the actas that are not in ``anteriores`` (``Entendidas``)."""

    contienda: str
    tabla: ActaTable
    ids: Ids
    textos: Mapping[int, str]
    anteriores: Anteriores | None

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

    def _texts(self, places: Sequence[int]) -> Mapping[int, str]:
        """Of actas that the file of the previous cut does not have; the engine is asked again for the rare one."""
        lacking = [place for place in places if place not in self.textos]
        asked = understand_rows(self.tabla, lacking, ()).textos if lacking else {}
        return {place: self.textos[place] if place in self.textos else asked[place] for place in places}

    def _known(self, name: str) -> dict[int | None, str]:
        """The items of the file of that name in the previous cut, by the place of each acta in its table."""
        old = self.anteriores
        content = None if old is None else old.previo.contenido(self.route(name, old.previo.corte))
        return {} if content is None or old is None else dict(zip(old.places(name), items_of(content), strict=True))
