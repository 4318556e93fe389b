"""The parts of a memoria that a call asks for, as blocks: logs, incidents, comparison, statistics, suggestions."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING

from pregon.base.fechas import DIAS, MESES
from pregon.convocatoria.lectura import in_words
from pregon.difusor.memoria.definiciones import cita, usadas
from pregon.difusor.memoria.memoria import dias, en_tramos, sin_registro
from pregon.difusor.memoria.sugerencias import propuestas
from pregon.documentos.bloques import Columna, Figura, Lista, Nota, Parrafo, Tabla, Titulo
from pregon.documentos.grafica import barras, cifra

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from pregon.bitacoras.medidas import Dia, Medida, Medidas
    from pregon.difusor.memoria.incidencias import Incidencia
    from pregon.difusor.memoria.memoria import Memoria
    from pregon.difusor.memoria.noche import Dias
    from pregon.documentos.bloques import Bloque, Celda

SITIOS = {"portal": "Portal principal del difusor", "prep": "Sitio con los resultados (PREP)"}
INCIDENCIAS_MAX = 150
"""Lines of the table of incidents; ``memoria.json`` has all of them."""
_DECIMA = Decimal("0.1")


def numero(nombre: str, ancho: float = 1.0) -> Columna:
    """A column of numbers."""
    return Columna(nombre=nombre, clase="numero", ancho=ancho)


def bitacoras(m: Memoria) -> list[Bloque]:
    """GRO-6.2, DGO-IV-2: which logs there are, of which days, and what was in them."""
    span = f"del {in_words(m.eleccion[0])} al {in_words(m.eleccion[1])}"
    blocks: list[Bloque] = [Parrafo(texto=f"Días que se piden o se miden: {span}.")]
    if m.medidas is None:
        return [*blocks, Nota(texto="No hay ninguna bitácora de acceso.", tono="aviso")]
    found = m.medidas
    blocks.append(
        Tabla(
            titulo="Bitácoras de acceso leídas",
            hoja="Bitácoras",
            columnas=(
                Columna(nombre="Archivo", ancho=2.4), Columna(nombre="Formato", ancho=0.9),
                numero("Renglones"), numero("Malos", 0.8),
            ),
            filas=tuple(
                (PurePath(one.ruta).name + (" (incompleta)" if one.incompleta else ""), one.formato or "desconocido",
                 one.lineas, one.malos)
                for one in found.archivos
            ),
            nota=cita("renglón", "renglón malo") + _others(found),
        )
    )  # fmt: skip
    for site in ("prep", "portal"):
        measure = m.medida(site)
        if measure is not None:
            blocks.append(_by_day(m, measure, f"Bitácora de cada día: {SITIOS[site]}", f"Días {site}"))
            lacking = [] if m.simulado else sin_registro(m.eleccion, measure.por_dia)
            if lacking:
                told = f"{SITIOS[site]}, días sin ningún hit: {en_tramos(lacking)}."
                blocks.append(Nota(texto=told, tono="aviso"))
    if m.clausula("bitacoras") is not None:
        blocks.append(
            Nota(
                texto="Los archivos tienen direcciones de personas: se entregan aparte, cifrados para el instituto. "
                "Este documento sólo lleva cuentas."
            )
        )
    return blocks


def _others(found: Medidas) -> str:
    """Hits of no day that is measured, which make the lines add up."""
    hits = sum(one.hits for one in found.fuera)
    return f" Además hay {hits:,} hits de otros días, que no se miden." if hits else ""


def incidencias(m: Memoria) -> list[Bloque]:
    """GRO-6.3, DGO-IV-3, INE-VII-a-i: what happened, how long, and how it was attended."""
    if not m.incidencias:
        return [Parrafo(texto="El diario del sistema no tiene ninguna incidencia y el difusor no reporta otra.")]
    reached = [one for one in m.incidencias if one.afecto]
    rest = [one for one in m.incidencias if not one.afecto]
    blocks: list[Bloque] = [
        Parrafo(
            texto=f"Son {len(m.incidencias)}: {len(reached)} que afectaron la publicación de resultados y {len(rest)} "
            "que no. Las horas son locales; salen del diario del sistema, salvo las que reporta el difusor."
        )
    ]
    for some, title, sheet in (
        (reached, "Incidencias que afectaron la publicación", "Incidencias"),
        (rest, "Otras incidencias, sin efecto en lo publicado", "Otras incidencias"),
    ):
        if some:
            blocks.append(
                Tabla(
                    titulo=title,
                    hoja=sheet,
                    columnas=(
                        Columna(nombre="Inicio", ancho=0.9), Columna(nombre="Duración", ancho=0.7),
                        Columna(nombre="Qué pasó", ancho=2.0), Columna(nombre="Explicación y atención", ancho=2.0),
                    ),
                    filas=tuple(_incident(one, m) for one in some[:INCIDENCIAS_MAX]),
                    nota=None
                    if len(some) <= INCIDENCIAS_MAX
                    else f"Las primeras {INCIDENCIAS_MAX} de {len(some):,}; todas están en memoria.json.",
                )
            )  # fmt: skip
    return blocks


def _incident(one: Incidencia, m: Memoria) -> tuple[Celda, ...]:
    lasted = "sigue" if one.abierta else "" if one.segundos is None else duracion(one.segundos)
    told = one.que if one.veces == 1 else f"{one.que} ({one.veces:,} veces)"
    return hora(one.desde, m), lasted, told + (f"\n{one.detalle}" if one.detalle else ""), one.explicacion or None


def comparativo(m: Memoria) -> list[Bloque]:
    """GRO-6.4, DGO-IV-4: visits, pages and hits of an ordinary day against those of the election."""
    blocks: list[Bloque] = []
    for site in m.comparados:
        blocks += _compared(m, site)
    if not blocks:
        return [Nota(texto="No hay bitácoras con que comparar.", tono="aviso")]
    return blocks


def _compared(m: Memoria, site: str) -> list[Bloque]:
    usual, night = m.medida(site, "base"), m.medida(site)
    rows: list[tuple[Celda, ...]] = []
    bars: list[tuple[str, Sequence[tuple[str, float]]]] = []
    mean: list[Decimal] | None = None
    if usual is not None and m.base is not None:
        number = len(dias(m.base))
        mean = [_tenth(Decimal(value) / number) for value in _three(usual)]
        rows.append((f"Promedio de un día ordinario ({number} días, del {dia(m.base[0])} al {dia(m.base[1])})", *mean))
        bars.append(("promedio ordinario", _bars(mean)))
    if night is not None:
        for one in night.por_dia:
            day = datetime.fromisoformat(one.dia).date()
            rows.append((dia(day).capitalize(), one.visitas, one.paginas, one.hits))
            bars.append((dia(day), _bars((one.visitas, one.paginas, one.hits))))
        rows.append(("Jornada y resultados, en total", *_three(night)))
        if mean is not None and night.por_dia:
            best = [max(getattr(one, key) for one in night.por_dia) for key in ("visitas", "paginas", "hits")]
            rows.append(("El mayor de esos días, veces el promedio", *map(_times, best, mean)))
    if not rows:
        return []
    blocks: list[Bloque] = [
        Tabla(
            titulo=f"Visitas, páginas y hits: {SITIOS[site]}",
            hoja=f"Comparativo {site}",
            columnas=(Columna(nombre="Día", ancho=2.4), numero("Visitas"), numero("Páginas"), numero("Hits")),
            filas=tuple(rows),
            nota=cita("visita", "página", "hit", "día"),
        )
    ]
    if mean is None and site == m.comparados[0]:
        blocks.append(Nota(texto="No hay días ordinarios medidos: falta el promedio con que se compara.", tono="aviso"))
    if len(bars) > 1 and any(value > 0 for _, parts in bars for _, value in parts):
        blocks.append(
            Figura(
                imagen=barras("Visitas, páginas y hits por día", "escala de diez en diez veces", bars).encode(),
                tipo="svg",
                titulo=f"{'Los días' if mean is None else 'Un día ordinario y los'} de la elección: {SITIOS[site]}",
                alt="Los mismos números de la tabla, como barras: "
                + "; ".join(f"{name}, {cifra(parts[1][1])} páginas" for name, parts in bars) + ".",
            )
        )  # fmt: skip
    return blocks


def estadisticas(m: Memoria) -> list[Bloque]:
    """INE-VII-a-ii: visits, pages and accesses of the main portal, day by day."""
    measure = m.medida("portal")
    if measure is None:
        return [Nota(texto="No hay bitácora del portal principal del difusor en esos días.", tono="aviso")]
    return [
        _by_day(m, measure, "Visitas, páginas y accesos del portal principal, por día", "Estadísticas", accesos=True)
    ]


def sugerencias(m: Memoria) -> list[Bloque]:
    """GRO-6.5, DGO-IV-5: what people say for the next time, and what the measures suggest."""
    blocks: list[Bloque] = []
    for title, some in (
        ("Comentarios", m.notas.comentarios),
        ("Sugerencias para próximas convocatorias", m.notas.sugerencias),
        ("Lo que se desprende de las medidas", propuestas(m) if m.notas.propuestas else ()),
    ):
        said = tuple(one.strip() for one in some if one.strip())
        if said:
            blocks += [Parrafo(texto=title, negrita=True), Lista(elementos=said)]
    return blocks or [Parrafo(texto="El difusor no tiene comentarios ni sugerencias.")]


def definiciones(terms: Iterable[str]) -> list[Bloque]:
    """What each number is."""
    return [
        Parrafo(texto="Cada número de este documento cuenta lo que aquí se dice."),
        Tabla(
            titulo="Qué es cada medida",
            hoja="Definiciones",
            columnas=(Columna(nombre="Medida", ancho=0.8), Columna(nombre="Qué es", ancho=3.4)),
            filas=usadas(terms),
        ),
    ]


def _by_day(m: Memoria, measure: Medida, title: str, sheet: str, *, accesos: bool = False) -> Tabla:
    rows = [_day_row(one) for one in _all_days(m, measure)]
    total: tuple[Celda, ...] = ("En total", *_three(measure), measure.bytes)
    return Tabla(
        titulo=title,
        hoja=sheet,
        columnas=(
            Columna(nombre="Día", ancho=1.6), numero("Visitas"), numero("Páginas"),
            numero("Accesos (hits)" if accesos else "Hits"), numero("Bytes", 1.3),
        ),
        filas=(*rows, total),
        nota=cita("visita", "página", "hit", "bytes", "día"),
    )  # fmt: skip


def _all_days(m: Memoria, measure: Medida) -> list[tuple[date, Dia | None]]:
    """Every day of the election; of a rehearsal, those that the logs have."""
    there = {one.dia: one for one in measure.por_dia}
    span: Dias = m.eleccion
    wanted = {day.isoformat() for day in dias(span)} if not m.simulado else set()
    return [(datetime.fromisoformat(day).date(), there.get(day)) for day in sorted(wanted | set(there))]


def _day_row(one: tuple[date, Dia | None]) -> tuple[Celda, ...]:
    day, found = one
    if found is None:
        return dia(day).capitalize(), None, None, None, None  # nothing is known of it: no zero
    return dia(day).capitalize(), found.visitas, found.paginas, found.hits, found.bytes


def _three(measure: Medida) -> tuple[int, int, int]:
    return measure.visitas, measure.paginas, measure.hits


def _bars(values: Sequence[int | Decimal]) -> list[tuple[str, float]]:
    return [(name, float(value)) for name, value in zip(("visitas", "páginas", "hits"), values, strict=True)]


def _tenth(value: Decimal) -> Decimal:
    return value.quantize(_DECIMA, ROUND_HALF_UP)


def _times(value: int, mean: Decimal) -> Celda:
    return None if not mean else _tenth(Decimal(value) / mean)


def dia(day: date) -> str:
    """``domingo 6 de junio``."""
    return f"{DIAS[day.weekday()]} {day.day} de {MESES[day.month - 1]}"


def hora(instant: datetime, m: Memoria) -> str:
    """``06/06 20:00:12``, local."""
    return f"{instant.astimezone(UTC).astimezone(m.convocatoria.zona):%d/%m %H:%M:%S}"


def duracion(seconds: float) -> str:
    """``12 s``, ``3 min 5 s``, ``2 h 4 min``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def encabezado(texto: str, nivel: int = 1) -> Titulo:
    """A heading."""
    return Titulo(texto=texto, nivel=1 if nivel == 1 else 2)
