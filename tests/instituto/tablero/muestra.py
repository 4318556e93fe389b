"""A board made at will: so many difusores by so many cuts, always the same one, with every letter and every tone."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pregon.instituto.tablero.modelo import (
    AlarmaVigente,
    Columna,
    Cuadro,
    Evento,
    Noche,
    Pendiente,
    Punto,
    Renglon,
    gravedad,
)

if TYPE_CHECKING:
    from pregon.instituto.monitor.modelo import Causa, Motivo, Veredicto
    from pregon.instituto.tablero.modelo import Tono

INICIO = datetime(2027, 6, 7, 2, 0, tzinfo=UTC)
"""Eight in the evening in the centre of Mexico."""
PASO = timedelta(minutes=10)
FIRMA = timedelta(seconds=25)

_DE: dict[str, tuple[Veredicto, Causa, tuple[Motivo, ...], str]] = {
    "X": ("alterado", "difusor", ("CONTENIDO",), "Alterado: un archivo difiere del firmado"),
    "S": ("inaccesible", "difusor", ("SIN_RESPUESTA",), "Sin respuesta desde ningún punto"),
    "R": ("atrasado", "difusor", ("CORTE_VIEJO",), "Atrasado, por causa del difusor"),
    "Q": ("sin_determinar", "sin_determinar", (), "Sin determinar"),
    "N": ("atrasado", "red", ("CORTE_VIEJO",), "Atrasado desde un punto: causa de la red"),
    "I": ("atrasado", "instituto", (), "El instituto debe el corte"),
    "A": ("al_dia", "ninguna", (), "Muestra el aviso que se le ordenó"),
    "D": ("al_dia", "ninguna", (), "Al día"),
    "E": ("al_dia", "ninguna", (), "En plazo"),
    "-": ("sin_determinar", "sin_determinar", (), "Sin datos"),
}


def cuadro(difusores: int = 100, cortes: int = 144, *, semilla: int = 12, version: int = 1) -> Cuadro:
    """The board of a night that is ``cortes`` cuts old: two slots lost, some difusores failing, one suspended."""
    dice = random.Random(semilla)
    lost = {cortes // 3, cortes // 2}
    hora = INICIO + PASO * (cortes - 1) + timedelta(minutes=6)
    numbers: dict[int, int] = {}
    for index in range(cortes):
        if index not in lost:
            numbers[index] = len(numbers) + 1
    rows = [_row(place, cortes, lost, numbers, dice, hora) for place in range(difusores)]
    columns = [_column(index, numbers.get(index), rows, hora) for index in range(cortes)]
    newest = max(numbers.values(), default=None)
    return Cuadro(
        serie="0a1b2c3d",
        version=version,
        hora=hora,
        instituto="Instituto de prueba",
        convocatoria="prueba-2027",
        titulo="PREP de prueba 2027",
        ambiente="simulacro",
        noche=Noche(
            inicio=INICIO,
            fin=INICIO + timedelta(hours=24),
            fase="noche",
            corte=newest,
            proximo=INICIO + PASO * cortes,
            debe_desde=None,
        ),
        cortes=tuple(columns),
        difusores=tuple(sorted(rows, key=gravedad)),
        por_decidir=(
            Pendiente(
                id="orden/O0001",
                clase="orden",
                ref="O0001",
                texto="Se propone suspender a Difusora 003: 3 cortes seguidos con falla (GRO-3.3a).",
                que_hacer="Confírmela o descártela, con su motivo.",
                desde=hora - timedelta(minutes=4),
                tono="mal",
                difusor="difusor-003",
            ),
            Pendiente(
                id="advertencia/A0002",
                clase="advertencia",
                ref="A0002",
                texto="No se sabe si llegó la advertencia A0002 por correo.",
                que_hacer="Llame a su contacto técnico.",
                desde=hora - timedelta(minutes=9),
                tono="ojo",
                difusor="difusor-002",
            ),
        ),
        eventos=tuple(
            Evento(
                n=900 - place,
                hora=hora - timedelta(seconds=40 * place),
                tipo=tipo,
                texto=texto,
                tono=tono,
                difusor=None if difusor is None else difusor,
                corte=newest,
            )
            for place, (tipo, texto, tono, difusor) in enumerate(_EVENTOS * 6)
        ),
        puntos=(
            Punto(nombre="local", visto=hora - timedelta(seconds=20), con_red=True, calla=False),
            Punto(nombre="universidad", visto=hora - timedelta(minutes=7), con_red=True, calla=True),
        ),
        alarmas=(
            AlarmaVigente(
                codigo="PUNTOS",
                titulo="Falta un punto de observación",
                texto="«universidad» calla desde las 19:53.",
                que_hacer="Revise su red y su servicio.",
                desde=hora - timedelta(minutes=7),
                grave=False,
            ),
        ),
    )


_EVENTOS: tuple[tuple[str, str, Tono, str | None], ...] = (
    ("corte", "Se firmó el corte 0142, hecho en 3.1 s; lo ordenó pregon.", "bien", None),
    ("periodo", "Cerró el periodo 141 (corte 0140) de difusor-003: falló", "mal", "difusor-003"),
    ("acuse", "Llegó el acuse 77 del nodo difusor-004/a: corte 0142, visible.", "calma", "difusor-004"),
    ("advertencia", "Comunicación A0002: entregada por correo.", "ojo", "difusor-002"),
)


def _row(
    place: int, cortes: int, lost: set[int], numbers: dict[int, int], dice: random.Random, hora: datetime
) -> Renglon:
    bad = {1: "X", 2: "S", 3: "R", 4: "N", 5: "Q", 7: "A", 8: "E", 9: "-"}.get(place)
    cells: list[str] = []
    seconds: list[int | None] = []
    for index in range(cortes):
        letter = "I" if index in lost else "R" if dice.random() < 0.01 else "D"
        if bad is not None and index >= cortes - 4:
            letter = "I" if index in lost else bad
        if place == 9:
            letter = "-"
        cells.append(letter)
        seconds.append(round(dice.lognormvariate(3.2, 0.6)) if letter == "D" else None)
    veredicto, causa, motivos, porque = _DE[cells[-1]]
    failing = cells[-1] in "XSR"
    number = numbers.get(cortes - 1)
    shown = None if cells[-1] in "SQ-A" or number is None else number - (cells[-1] in "RNE")
    return Renglon(
        id=f"difusor-{place:03d}",
        nombre=f"Difusora {place:03d} de Querétaro y Michoacán" if place % 7 == 0 else f"Difusora {place:03d}",
        url=f"https://prep.difusor-{place:03d}.example/",
        estado="suspendido" if place == 7 else "activo",
        veredicto=veredicto,
        causa=causa,
        porque=porque,
        motivos=motivos,
        corte=shown,
        atraso_s=335.0 if cells[-1] in "RN" else None,
        visto=None if place == 9 else hora - timedelta(seconds=20),
        desde=None if place == 9 else hora - (timedelta(minutes=34) if failing else timedelta(hours=20)),
        fallas=3 if failing else 0,
        advertencias=2 if failing else 0,
        orden="O0001" if place == 3 else None,
        celdas="".join(cells),
        segundos=tuple(seconds),
    )


def _column(index: int, number: int | None, rows: list[Renglon], hora: datetime) -> Columna:
    due = INICIO + PASO * index
    if number is None:
        return Columna(indice=index, vence=due, hasta=due + PASO, perdido=due + PASO <= hora)
    took = sorted(value for row in rows if (value := row.segundos[index]) is not None)
    steps = {value: place for place, value in enumerate(took, 1)}
    owed = sum(row.celdas[index] not in "-A" for row in rows)
    return Columna(
        indice=index,
        vence=due,
        hasta=due + PASO,
        n=number,
        hora_corte=due,
        firmado=due + FIRMA,
        visibles=len(took),
        de=owed,
        p50_s=_rank(took, owed, 50),
        p95_s=_rank(took, owed, 95),
        curva=tuple(steps.items()),
    )


def _rank(took: list[int], owed: int, percent: int) -> float | None:
    need = -(-owed * percent // 100)
    return float(took[need - 1]) if 0 < need <= len(took) else None
