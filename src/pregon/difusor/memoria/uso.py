"""Who consulted the system, and how fresh it was (GRO-6.1, DGO-IV-1, INE-VII-a): the parts that every memoria has."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

from pregon.difusor.memoria.definiciones import cita
from pregon.difusor.memoria.dibujos import frescura, por_tiempo
from pregon.difusor.memoria.partes import SITIOS, dia, duracion, hora, numero
from pregon.documentos.bloques import Columna, Figura, Nota, Tabla
from pregon.documentos.grafica import cifra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.bitacoras.medidas import Cuenta, Medida, Minuto
    from pregon.difusor.memoria.memoria import Memoria
    from pregon.documentos.bloques import Bloque, Celda

HORAS_MAX = 72
"""Lines of the table by hour: of a longer stretch, those with most pages."""
_PRIMERAS = 10
_LISTAS: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    ("estados", "Respuestas", "Respuesta", "Hits", ("hit",)),
    ("tipos", "Clases de archivo", "Clase", "Hits", ("hit", "bytes")),
    ("rutas", "Páginas más vistas", "Dirección", "Páginas", ("página",)),
    ("perdidas", "Direcciones que no estaban", "Dirección", "Hits", ("perdidas",)),
    ("referentes", "De dónde llegaron", "Sitio", "Páginas", ("referentes",)),
    ("robots", "Programas", "Programa", "Hits", ("robot",)),
    ("navegadores", "Navegadores", "Navegador", "Visitas", ("navegadores y sistemas",)),
    ("sistemas", "Sistemas", "Sistema", "Visitas", ("navegadores y sistemas",)),
    ("lugares", "Lugares", "Lugar", "Visitas", ("lugares",)),
    ("cache", "Caché", "Lo que dijo", "Hits", ("caché",)),
    ("protocolos", "Protocolos", "Protocolo", "Hits", ("hit",)),
)
_SIN_BYTES = frozenset({"navegadores", "sistemas", "lugares", "referentes"})


def cortes(m: Memoria) -> list[Bloque]:
    """Each cut: its hours, the seconds until it was public, and what was asked of it."""
    night = m.noche
    if not night.cortes:
        return [Nota(texto="No se recibió ningún corte.", tono="aviso")]
    blocks: list[Bloque] = [_summary(m)]
    if night.acuses_rotos is not None:
        blocks.append(
            Nota(texto=f"Los acuses no prueban cuándo fue público cada corte: {night.acuses_rotos}", tono="aviso")
        )
    timed = [one for one in night.cortes if one.segundos is not None]
    if len(timed) > 1:
        worst = max(timed, key=lambda one: one.segundos or 0.0)
        blocks.append(
            Figura(
                imagen=frescura(timed, m.convocatoria.intervalo_min * 60.0).encode(),
                tipo="svg",
                titulo="Segundos desde la hora de cada corte hasta que fue público",
                alt=f"De {len(timed)} cortes, el que más tardó fue el {worst.numero}: {worst.segundos:,.0f} segundos.",
            )
        )
    asked = _asked_by_cut(m.medida("prep"))
    rows = []
    for one in night.cortes:
        row: tuple[Celda, ...] = (
            str(one.numero),
            hora(one.hora, m),
            None if one.firmado is None else hora(one.firmado, m),
            None if one.publico is None else hora(one.publico, m),
            None if one.segundos is None else round(one.segundos),
            None if asked is None else asked.get(one.numero, (0, 0))[0],
            None if asked is None else asked.get(one.numero, (0, 0))[1],
        )
        rows.append(row)
    blocks.append(
        Tabla(
            titulo="Cada corte",
            hoja="Cortes",
            columnas=(
                Columna(nombre="Corte", ancho=0.6), Columna(nombre="Hora del corte", ancho=1.3),
                Columna(nombre="Firmado", ancho=1.3), Columna(nombre="Público", ancho=1.3),
                numero("Segundos", 0.9), numero("Hits a sus datos"), numero("Bytes", 1.2),
            ),
            filas=tuple(rows),
            nota=cita("frescura", "corte y contienda")
            + " «Público» es la hora del primer acuse firmado que lo dice. Un lugar vacío: no consta.",
        )
    )  # fmt: skip
    return blocks


def _summary(m: Memoria) -> Tabla:
    night = m.noche
    rows: list[tuple[Celda, ...]] = [
        ("Cortes recibidos", str(len(night.cortes))),
        ("Cortes publicados", str(night.publicados)),
    ]
    fresh, there = night.frescura, night.disponibilidad
    if fresh is not None:
        rows += [
            ("Frescura, la mitad de los cortes", f"{fresh.mediana_s:,.0f} s o menos"),
            ("Frescura, 95 de cada 100", f"{fresh.p95_s:,.0f} s o menos"),
            ("Frescura, el peor", f"{fresh.peor_s:,.0f} s (corte {fresh.peor_corte})"),
        ]
    if there is not None:
        if night.vigilado_s:
            watched = min(100.0, 100 * night.vigilado_s / max(1, there.segundos))
            share = there.por_cien_mil
            rows += [
                ("Disponibilidad", f"{share // 1000}.{share % 1000:03d} %, mirada el {watched:.1f} % del tiempo"),
                ("Sin responder", f"{duracion(there.caido_s)} en {there.caidas} tramos"),
            ]
        else:
            rows.append(("Disponibilidad", "No consta: nadie miró la dirección pública"))
    return Tabla(
        titulo="Disponibilidad y frescura",
        hoja="Disponibilidad",
        columnas=(Columna(nombre="Medida", ancho=1.2), Columna(nombre="Valor", ancho=1.8)),
        filas=tuple(rows),
        nota=cita("frescura", "disponibilidad"),
    )


def consultas(m: Memoria) -> list[Bloque]:
    """How many consulted the results, when, and what."""
    measure = m.medida("prep")
    if measure is None:
        return [
            Nota(
                texto="No hay bitácoras del sitio con los resultados: no se sabe cuántos lo consultaron.", tono="aviso"
            )
        ]
    blocks: list[Bloque] = [_totals(m, measure)]
    if m.simulado:
        blocks.append(Nota(texto="Fue un ensayo: estas horas son las del equipo, y las de los cortes, las del ensayo."))
    if measure.por_minuto:
        picture, step = por_tiempo(measure.por_minuto, m.convocatoria.zona)
        top = max(measure.por_minuto, key=lambda one: (one.visitas, -one.desde))
        words = "por minuto" if step == 60 else f"cada {step // 60} minutos"
        when = datetime.fromtimestamp(top.desde, m.convocatoria.zona)
        blocks.append(
            Figura(
                imagen=picture.encode(), tipo="svg", titulo=f"Páginas y visitas en curso, {words}",
                alt=f"A lo más hubo {cifra(top.visitas)} visitas a la vez, el {dia(when.date())} a las {when:%H:%M}.",
            )
        )  # fmt: skip
        blocks.append(_by_hour(m, measure.por_minuto))
    if measure.por_contienda:
        blocks.append(_by_contest(m, measure))
    blocks += [_list(measure, *one) for one in _LISTAS if getattr(measure, one[0])]
    if measure.tiempos is not None:
        times = measure.tiempos
        blocks.append(
            Tabla(
                titulo="Tiempos de respuesta, en milisegundos",
                hoja="Tiempos",
                columnas=tuple(numero(one) for one in ("Hits que lo dicen", "La mitad", "p95", "p99", "El mayor")),
                filas=((times.n, times.p50, times.p95, times.p99, times.maximo),),
                nota=cita("tiempos"),
            )
        )
    return blocks


def _totals(m: Memoria, one: Medida) -> Tabla:
    rows: list[tuple[Celda, ...]] = [
        ("Visitas", one.visitas), ("Visitantes", one.visitantes), ("Páginas", one.paginas), ("Hits", one.hits),
        ("De ellos, de programas", one.hits_robots), ("Bytes", one.bytes),
        ("Páginas por visita", f"{one.paginas_por_visita:,.2f}"),
        ("Tiempo por visita", duracion(one.segundos_por_visita)),
    ]  # fmt: skip
    return Tabla(
        titulo=f"{SITIOS[one.sitio]}: en total",
        hoja="Consultas",
        columnas=(Columna(nombre="Medida", ancho=1.6), numero("Valor")),
        filas=tuple(rows),
        nota=cita("visita", "visitante", "página", "hit", "robot", "bytes", "segundos por visita", "ventana"),
    )


def _by_hour(m: Memoria, minutes: Sequence[Minuto]) -> Tabla:
    zone = m.convocatoria.zona
    sums: dict[datetime, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for one in minutes:
        row = sums[datetime.fromtimestamp(one.desde, zone).replace(minute=0, second=0)]
        row[0] = max(row[0], one.visitas)
        row[1] += one.paginas
        row[2] += one.hits
        row[3] += one.bytes
        row[4] += one.errores
    kept = sorted(sums, key=lambda hour: (-sums[hour][1], hour))[:HORAS_MAX]
    rest = "" if len(kept) == len(sums) else f" Las {HORAS_MAX} con más páginas, de {len(sums)}."
    return Tabla(
        titulo="Por hora",
        columnas=(
            Columna(nombre="Hora local", ancho=1.2), numero("Visitas a la vez"), numero("Páginas"), numero("Hits"),
            numero("Bytes", 1.3), numero("Errores", 0.8),
        ),
        filas=tuple((f"{hour:%d/%m %H}:00", *sums[hour]) for hour in sorted(kept)),
        nota=cita("visitas en curso", "página", "hit", "bytes", "errores") + rest,
    )  # fmt: skip


def _by_contest(m: Memoria, one: Medida) -> Tabla:
    titles = dict(zip(m.convocatoria.contiendas, m.convocatoria.nombres_elecciones, strict=True))
    return Tabla(
        titulo="Por contienda",
        columnas=(Columna(nombre="Contienda", ancho=2.0), numero("Páginas"), numero("Hits"), numero("Bytes", 1.3)),
        filas=tuple(
            (titles.get(each.contienda, each.contienda), each.paginas, each.hits, each.bytes)
            for each in one.por_contienda
        ),
        nota=cita("corte y contienda", "página", "hit"),
    )


def _asked_by_cut(measure: Medida | None) -> dict[int, tuple[int, int]] | None:
    if measure is None:
        return None
    found: dict[int, tuple[int, int]] = {}
    for one in measure.por_corte:
        hits, size = found.get(one.corte, (0, 0))
        found[one.corte] = hits + one.hits, size + one.bytes
    return found


def _list(measure: Medida, key: str, title: str, name: str, unit: str, terms: Sequence[str]) -> Tabla:
    some: tuple[Cuenta, ...] = getattr(measure, key)
    sized = key not in _SIN_BYTES and any(one.bytes for one in some)
    first = some[:_PRIMERAS]
    rest = "" if len(some) <= _PRIMERAS else f" Los {_PRIMERAS} primeros."
    return Tabla(
        titulo=title,
        columnas=(Columna(nombre=name, ancho=2.6), numero(unit), *((numero("Bytes", 1.3),) if sized else ())),
        filas=tuple((one.nombre or "(sin decir)", one.hits, *((one.bytes,) if sized else ())) for one in first),
        nota=cita(*terms) + rest,
    )
