"""Everything that a memoria says, as one value, and what it still lacks. Pure: of records, measures and notes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pregon
from pregon.base.fechas import fecha_larga
from pregon.difusor.memoria.definiciones import DOCUMENTO, usadas
from pregon.difusor.memoria.incidencias import explicadas
from pregon.difusor.memoria.noche import mira

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from pregon.bitacoras.medidas import Dia, Medida, Medidas
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.cumplimiento.registros import Registros
    from pregon.difusor.memoria.incidencias import Incidencia
    from pregon.difusor.memoria.noche import Dias, Noche
    from pregon.difusor.memoria.notas import Notas, Parte

FORMATO = "pregon/memoria/1"
PARTES: tuple[Parte, ...] = (
    "bitacoras", "incidencias", "comparativo", "estadisticas", "sugerencias", "cortes", "consultas", "definiciones",
)  # fmt: skip
_SIN_PEDIR: tuple[Parte, ...] = ("incidencias", "sugerencias")
"""What a memoria has beside the measures where the call asks for none."""
_MEDIDAS: tuple[Parte, ...] = ("cortes", "consultas", "definiciones")
"""What every one has, asked or not: the analysis of who consulted the system (GRO-6.1, DGO-IV-1, INE-VII-a)."""
CLAUSULAS: Mapping[str, Mapping[Parte, str]] = {
    "gro-2021": {
        "bitacoras": "GRO-6.2",
        "incidencias": "GRO-6.3",
        "comparativo": "GRO-6.4",
        "sugerencias": "GRO-6.5",
        "cortes": "GRO-6.1",
        "consultas": "GRO-6.1",
    },
    "dgo-2024": {
        "bitacoras": "DGO-IV-2",
        "incidencias": "DGO-IV-3",
        "comparativo": "DGO-IV-4",
        "sugerencias": "DGO-IV-5",
        "cortes": "DGO-IV-1",
        "consultas": "DGO-IV-1",
    },
    "ine-2021": {
        "incidencias": "INE-VII-a-i",
        "estadisticas": "INE-VII-a-ii",
        "cortes": "INE-VII-a",
        "consultas": "INE-VII-a",
    },
}
"""Which clause of a call asks for each part."""
_VENTANA = "eleccion"


@dataclass(frozen=True, kw_only=True)
class Blanco:
    """Something that only people can put there. ``ruta``: where (``memoria.toml``, a key of ``difusor.toml``)."""

    ruta: str
    que: str


@dataclass(frozen=True, kw_only=True)
class Memoria:
    """The whole of it. ``medidas`` None: there was no log. ``simulado``: the night's clock was a rehearsal's, so that
    the hours of the logs are not its hours, and all that the logs have is measured.
    """

    convocatoria: Convocatoria
    difusor: str
    nodo: str
    ambiente: str
    hora: datetime
    eleccion: Dias
    base: Dias | None
    medidas: Medidas | None
    noche: Noche
    notas: Notas
    incidencias: tuple[Incidencia, ...]
    simulado: bool = False

    @property
    def nombre(self) -> str:
        """What the difusor is called in the paper."""
        return self.notas.difusor.strip() or self.difusor

    @property
    def fecha(self) -> date:
        """The day that the paper bears."""
        return self.notas.fecha or self.hora.astimezone(self.convocatoria.zona).date()

    @property
    def pedidas(self) -> tuple[Parte, ...]:
        """The parts that the call asks for, in its order."""
        asked = self.convocatoria.memoria
        return () if asked is None else asked.secciones

    @property
    def partes(self) -> tuple[Parte, ...]:
        """The parts that this memoria has, in order."""
        said = any(one.strip() for one in (*self.notas.comentarios, *self.notas.sugerencias))
        own: tuple[Parte, ...] = ("sugerencias",) if said else ()  # what people wrote is told, asked or not
        return tuple(dict.fromkeys((*(self.pedidas or _SIN_PEDIR), *own, *_MEDIDAS)))

    @property
    def titulo(self) -> str:
        """Of the paper."""
        return self.notas.formato.titulo.strip() or f"Memoria técnica: {self.convocatoria.nombre}"

    def clausula(self, parte: Parte) -> str | None:
        """The clause that asks for a part."""
        return CLAUSULAS.get(self.convocatoria.id, {}).get(parte)

    def medida(self, sitio: str, ventana: str = _VENTANA) -> Medida | None:
        """The measures of a site; those of all of its time stand for the election's where no days were told apart."""
        if self.medidas is None:
            return None
        found = self.medidas.de(sitio, ventana)
        return self.medidas.de(sitio, "todo") if found is None and ventana == _VENTANA else found

    @property
    def comparados(self) -> tuple[str, ...]:
        """The sites that the comparison is of: the difusor's portal, as the calls say, and the PREP's if it has one."""
        return tuple(
            site
            for site in ("portal", "prep")
            if self.medida(site) is not None or self.medida(site, "base") is not None
        )

    def as_dict(self) -> dict[str, Any]:
        """The object of ``memoria.json`` and of ``--json``: ``pregon/memoria/1``."""
        night, notes = self.noche, self.notas
        fresh, there = night.frescura, night.disponibilidad
        return {
            "formato": FORMATO,
            "version": pregon.__version__,
            "convocatoria": self.convocatoria.id,
            "difusor": self.difusor,
            "nodo": self.nodo,
            "nombre": self.nombre,
            "ambiente": self.ambiente,
            "hecho": self.hora.isoformat(),
            "fecha": self.fecha.isoformat(),
            "desde": night.desde.isoformat(),
            "hasta": night.hasta.isoformat(),
            "eleccion": [one.isoformat() for one in self.eleccion],
            "base": None if self.base is None else [one.isoformat() for one in self.base],
            "partes": [{"parte": one, "clausula": self.clausula(one)} for one in self.partes],
            "medidas": None if self.medidas is None else self.medidas.as_dict(),
            "cortes": [one.as_dict() for one in night.cortes],
            "frescura": None
            if fresh is None
            else {
                "cortes": fresh.cortes,
                "mediana_s": fresh.mediana_s,
                "p95_s": fresh.p95_s,
                "peor_s": fresh.peor_s,
                "peor_corte": fresh.peor_corte,
            },
            "disponibilidad": None
            if there is None
            else {
                "segundos": there.segundos,
                "caido_s": there.caido_s,
                "caidas": there.caidas,
                "por_cien_mil": there.por_cien_mil,
                "vigilado_s": night.vigilado_s,
            },
            "acuses_rotos": night.acuses_rotos,
            "incidencias": [one.as_dict() for one in self.incidencias],
            "comentarios": list(notes.comentarios),
            "sugerencias": list(notes.sugerencias),
            "notas": list(notes.notas),
            "blancos": [{"ruta": one.ruta, "que": one.que} for one in blancos(self)],
            "definiciones": {"documento": DOCUMENTO, "terminos": dict(usadas(None))},
        }


def reune(
    records: Registros,
    medidas: Medidas | None,
    notas: Notas,
    *,
    difusor: str,
    nodo: str,
    eleccion: Dias,
    base: Dias | None,
    simulado: bool = False,
) -> Memoria:
    """Put it together."""
    call = records.convocatoria
    night = mira(records, eleccion)
    return Memoria(
        convocatoria=call,
        difusor=difusor,
        nodo=nodo,
        ambiente=records.ambiente,
        hora=records.ahora,
        eleccion=eleccion,
        base=base,
        medidas=medidas,
        noche=night,
        notas=notas,
        incidencias=explicadas(night.incidencias, notas, call.zona),
        simulado=simulado,
    )


def blancos(memoria: Memoria) -> tuple[Blanco, ...]:
    """What is missing for it to be handed in: nothing of it hinders its being made."""
    call, notes, night = memoria.convocatoria, memoria.notas, memoria.noche
    found = [
        Blanco(ruta=f"memoria.toml: {key}", que=what)
        for key, value, what in (
            ("difusor", notes.difusor, "El nombre con el que participa"),
            ("elabora", notes.elabora, "Quién hace la memoria"),
        )
        if not value.strip()
    ]
    if "sugerencias" in memoria.pedidas and not any(one.strip() for one in (*notes.sugerencias, *notes.comentarios)):
        clause = memoria.clausula("sugerencias")
        asked = f" ({clause})" if clause else ""
        found.append(
            Blanco(ruta="memoria.toml: sugerencias", que=f"La convocatoria pide comentarios y sugerencias{asked}")
        )
    if call.plazos.memoria_formato is not None and not notes.formato.apartado:
        day = fecha_larga(call.plazos.memoria_formato)
        found.append(
            Blanco(
                ruta="memoria.toml: formato",
                que=f"El instituto da el suyo (a más tardar el {day}); copie sus apartados",
            )
        )
    found += [
        Blanco(ruta=f"memoria.toml: incidencia «{one.clave}»", que=f"Sin explicar: {one.que}")
        for one in memoria.incidencias
        if not one.explicacion and one.afecto
    ]
    found += _de_bitacoras(memoria)
    if night.acuses_rotos is not None:
        found.append(Blanco(ruta="acuses/", que=f"No prueban cuándo fue público cada corte: {night.acuses_rotos}"))
    there = night.disponibilidad
    if there is not None and night.vigilado_s * 100 < there.segundos * 99:
        share = 100 * night.vigilado_s // max(1, there.segundos)
        found.append(
            Blanco(
                ruta="difusor.toml: vigilancia",
                que=f"Sólo se vigiló el {share} % del tiempo: complete con otra medición",
            )
        )
    return tuple(found)


def _de_bitacoras(memoria: Memoria) -> list[Blanco]:
    """What the logs lack for what the call asks."""
    asked = memoria.pedidas
    if memoria.medidas is None:
        return [
            Blanco(
                ruta="difusor.toml: [[bitacora]]",
                que="No hay ninguna bitácora de acceso: nada de visitas, páginas ni hits",
            )
        ]
    found = []
    if ("comparativo" in asked or "estadisticas" in asked) and memoria.medida("portal") is None:
        found.append(
            Blanco(
                ruta='difusor.toml: [[bitacora]] sitio = "portal"',
                que="Falta la bitácora del portal principal en los días de la elección",
            )
        )
    if "comparativo" in asked:
        if memoria.base is None:
            found.append(
                Blanco(
                    ruta="difusor.toml: memoria.base_desde, base_hasta", que="Faltan los días ordinarios del promedio"
                )
            )
        elif not any(memoria.medida(site, "base") is not None for site in memoria.comparados):
            found.append(Blanco(ruta="difusor.toml: [[bitacora]]", que="Ninguna bitácora tiene días ordinarios"))
    if not memoria.simulado:
        for site in ("prep", "portal"):
            measure = memoria.medida(site)
            lacking = [] if measure is None else sin_registro(memoria.eleccion, measure.por_dia)
            if lacking:
                found.append(Blanco(ruta=f"bitácoras de «{site}»", que=f"Sin ningún hit: {en_tramos(lacking)}"))
    found += [
        Blanco(ruta=one.ruta, que=f"No se leyó hasta el final: {one.incompleta}")
        for one in memoria.medidas.archivos
        if one.incompleta
    ]
    return found


def dias(span: Dias) -> tuple[date, ...]:
    """Each day of a span, both ends included."""
    return tuple(span[0] + timedelta(days=n) for n in range((span[1] - span[0]).days + 1))


def sin_registro(span: Dias, found: tuple[Dia, ...]) -> list[date]:
    """The days of a span of which the logs have nothing."""
    there = {one.dia for one in found if one.hits}
    return [day for day in dias(span) if day.isoformat() not in there]


def en_tramos(days: Sequence[date]) -> str:
    """Days in words; more than two in a row, by the first and the last."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    told = [
        [f"del {fecha_larga(run[0])} al {fecha_larga(run[-1])}"] if len(run) > 2 else [fecha_larga(one) for one in run]
        for run in runs
    ]
    return "; ".join(one for each in told for one in each)
