"""What a file is of, and what of the night belongs to it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.instituto.bitacora.hechos import GENERALES, de_difusor
from pregon.instituto.proceso.diario import cierre_de

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.instituto.bitacora.hechos import Corte, Hechos, Suceso
    from pregon.instituto.proceso.modelo import Cierre
    from pregon.trust.aviso import Aviso


@dataclass(frozen=True)
class Asunto:
    """What a file is of: one difusor, or one cut."""

    difusor: str | None = None
    corte: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """As it is written: the one that it is of."""
        return {"difusor": self.difusor} if self.difusor is not None else {"corte": self.corte}

    def en_palabras(self, hechos: Hechos) -> str:
        """For people."""
        if self.difusor is None:
            return f"el corte {self.corte or 0:04d}"
        name = hechos.nombre(self.difusor)
        return name if name == self.difusor else f"{name} ({self.difusor})"


def ventana(hechos: Hechos, asunto: Asunto) -> tuple[datetime, datetime]:
    """From when to when the watch tells of it: since it was registered; of a cut, its slot."""
    begin, end = hechos.noche
    if asunto.difusor is not None:
        known = hechos.inscritos.get(asunto.difusor)
        return (begin if known is None else min(begin, known.alta)), end
    for slot in hechos.periodos:
        if slot.corte == asunto.corte:
            return slot.vence, slot.hasta
    cut = hechos.corte(asunto.corte or 0)
    signed = cut.firmado or cut.manifiesto.generado
    return signed, signed + hechos.workspace.intervalo


def del_corte(suceso: Suceso, corte: int, desde: datetime, hasta: datetime) -> bool:
    """Whether an event tells of that cut: it names it, or it is nobody's own and happened in its slot."""
    if suceso.dato.get("corte") == corte:
        return True
    return suceso.tipo in GENERALES | {"aviso"} and desde <= suceso.hora < hasta


def avisos_del_asunto(hechos: Hechos, asunto: Asunto) -> tuple[Aviso, ...]:
    """The signed notices that it names."""
    if asunto.difusor is not None:
        return hechos.avisos_de(asunto.difusor)
    begin, end = ventana(hechos, asunto)
    return tuple(one for one in hechos.avisos if one.corte == asunto.corte or begin <= one.desde < end)


def cortes_del_asunto(hechos: Hechos, asunto: Asunto) -> tuple[Corte, ...]:
    """The cuts whose manifests prove what it says: of a difusor, those that it failed."""
    if asunto.difusor is None:
        return (hechos.corte(asunto.corte or 0),)
    failed = {one.corte for one, _ in cierres(hechos, asunto.difusor) if one.resultado == "fallo"}
    return tuple(one for one in hechos.cortes if one.numero in failed)


def cierres(hechos: Hechos, difusor: str) -> list[tuple[Cierre, int]]:
    """How each slot ended for a difusor, and its count after it."""
    return [
        (cierre_de(dict(one.dato)), int(one.dato.get("seguidas", 0)))
        for one in hechos.bitacora
        if one.tipo == "periodo" and one.dato.get("difusor") == difusor
    ]


def citadas(hechos: Hechos, difusor: str) -> set[int]:
    """Numbers of the observations that decisions about it cite."""
    cited: set[int] = set()
    for one in hechos.bitacora:
        if de_difusor(one, difusor) and (one.tipo != "periodo" or one.dato.get("resultado") == "fallo"):
            cited |= {each for each in one.dato.get("evidencia") or () if isinstance(each, int)}
    return cited
