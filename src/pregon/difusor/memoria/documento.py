"""The paper: its parts as the call orders them, or in the institute's own format, with what each number is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pregon
from pregon.base.fechas import fecha_larga
from pregon.convocatoria.lectura import in_words
from pregon.difusor.memoria import partes, uso
from pregon.difusor.memoria.definiciones import DEFINICIONES, cita
from pregon.documentos.bloques import Columna, Documento, Nota, Parrafo, Tabla, Titulo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pregon.difusor.memoria.memoria import Memoria
    from pregon.difusor.memoria.notas import Parte
    from pregon.documentos.bloques import Bloque, Celda

TITULOS: dict[Parte, str] = {
    "bitacoras": "Bitácoras de acceso a los servidores de publicación",
    "incidencias": "Reporte de incidencias",
    "comparativo": "Comparativo de visitas, páginas y hits",
    "estadisticas": "Estadísticas del portal principal",
    "sugerencias": "Comentarios y sugerencias",
    "cortes": "Los cortes: disponibilidad y frescura",
    "consultas": "Quiénes consultaron los resultados",
    "definiciones": "Definiciones",
}
_HACE = {
    "bitacoras": partes.bitacoras,
    "incidencias": partes.incidencias,
    "comparativo": partes.comparativo,
    "estadisticas": partes.estadisticas,
    "sugerencias": partes.sugerencias,
    "cortes": uso.cortes,
    "consultas": uso.consultas,
}
_CITA = "Definiciones: "


def documento(m: Memoria) -> Documento:
    """The paper, before it is a file."""
    call = m.convocatoria
    made = _free(m) if not m.notas.formato.apartado else _in_format(m)
    return Documento(
        titulo=m.titulo,
        autor=m.nombre,
        fecha=m.fecha,
        encabezado=f"Memoria técnica, {call.nombre}",
        pie=f"{m.nombre}. Hecho con Pregón {pregon.__version__}",
        simulacro=m.ambiente == "simulacro",
        bloques=(*_cover(m), *made),
    )


def _cover(m: Memoria) -> list[Bloque]:
    call = m.convocatoria
    due = call.plazos.memoria_entrega
    rows: list[tuple[str, str | None]] = [
        ("Institución que convoca", call.instituto_nombre or call.instituto),
        ("Difusor", m.nombre),
        ("Elabora", m.notas.elabora.strip() or None),
        ("Operación", f"del {in_words(call.inicio)} al {in_words(call.fin_actualizacion)}"),
        ("Días medidos", f"del {fecha_larga(m.eleccion[0])} al {fecha_larga(m.eleccion[1])}"),
        ("Se entrega a más tardar", None if due is None else in_words(due)),
        ("Hecho", fecha_larga(m.fecha)),
    ]
    blocks: list[Bloque] = [
        Tabla(
            titulo="Datos",
            columnas=(Columna(nombre="Dato", ancho=0.8), Columna(nombre="Valor", ancho=2.2)),
            filas=tuple((name, value) for name, value in rows if value is not None),
        ),
        *(Nota(texto=one) for one in m.notas.notas if one.strip()),
        _in_numbers(m),
    ]
    return blocks


def _in_numbers(m: Memoria) -> Tabla:
    """The whole night in a few lines; what is not known says so."""
    night = m.noche
    measure, portal = m.medida("prep"), m.medida("portal")
    reached = sum(1 for one in m.incidencias if one.afecto)
    rows: list[tuple[Celda, ...]] = [
        ("Visitas al sitio con los resultados", "No consta" if measure is None else f"{measure.visitas:,}"),
        ("Páginas consultadas ahí", "No consta" if measure is None else f"{measure.paginas:,}"),
        ("Hits", "No consta" if measure is None else f"{measure.hits:,}"),
        *([] if portal is None else [("Visitas al portal principal", f"{portal.visitas:,}")]),
        ("Cortes publicados", f"{night.publicados:,} de {len(night.cortes):,} recibidos"),
        *(
            []
            if night.frescura is None
            else [("El corte que más tardó en ser público", f"{night.frescura.peor_s:,.0f} s")]
        ),
        ("Incidencias que afectaron la publicación", f"{reached:,}"),
    ]
    return Tabla(
        titulo="La noche en números",
        hoja="Resumen",
        columnas=(Columna(nombre="Medida", ancho=1.6), Columna(nombre="Valor")),
        filas=tuple(rows),
        nota=cita("visita", "página", "hit", "frescura"),
    )


def _free(m: Memoria) -> list[Bloque]:
    """The parts one after the other, numbered."""
    blocks: list[Bloque] = []
    for n, one in enumerate(m.partes, 1):
        blocks += [Titulo(texto=f"{n}. {_title(m, one)}"), *_part(m, one, blocks)]
    return blocks


def _in_format(m: Memoria) -> list[Bloque]:
    """The institute's headings in its order, each with its parts; what none of them has goes as an annex."""
    blocks: list[Bloque] = []
    placed: set[Parte] = set()
    for one in m.notas.formato.apartado:
        blocks.append(Titulo(texto=one.titulo))
        if one.texto.strip():
            blocks.append(Parrafo(texto=one.texto.strip()))
        for name in one.partes:
            if len(one.partes) > 1:
                blocks.append(Titulo(texto=_title(m, name), nivel=2))
            blocks += _part(m, name, blocks)
            placed.add(name)
    rest = [one for one in m.partes if one not in placed]
    if rest:
        blocks.append(Titulo(texto="Anexo: lo que el formato no lleva"))
        for name in rest:
            blocks += [Titulo(texto=_title(m, name), nivel=2), *_part(m, name, blocks)]
    return blocks


def _title(m: Memoria, parte: Parte) -> str:
    clause = m.clausula(parte)
    return TITULOS[parte] if clause is None else f"{TITULOS[parte]} ({clause})"


def _part(m: Memoria, parte: Parte, before: Iterable[Bloque]) -> list[Bloque]:
    if parte != "definiciones":
        return _HACE[parte](m)
    whole = (
        m.notas.formato.apartado or None
    )  # In a format of theirs, what comes after may cite more than what is before.
    return partes.definiciones(DEFINICIONES if whole else _cited([*_cover(m), *before]))


def _cited(blocks: Iterable[Bloque]) -> set[str]:
    """The terms that the tables cite."""
    notes = [one.nota for one in blocks if isinstance(one, Tabla) and one.nota]
    return {
        term for note in notes if note.startswith(_CITA) for term in note.removeprefix(_CITA).split(".")[0].split(", ")
    }
