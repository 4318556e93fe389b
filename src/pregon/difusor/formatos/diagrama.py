"""The diagram of the service: an SVG that prints in one ink, and the same in a table for who does not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from pregon.difusor.formatos import servicio
from pregon.difusor.formatos.encargo import Papel
from pregon.documentos.bloques import Campo, Campos, Columna, Figura, Parrafo, Tabla
from pregon.documentos.texto import legible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.difusor.formatos.encargo import Encargo
    from pregon.difusor.formatos.servicio import Elemento, Flecha, Servicio
    from pregon.difusor.settings import DifusorSettings

_CAJA, _HUECO, _RENGLON, _LETRAS = 176, 84, 17, 26
"""Width of a box, space between two columns, height of a line, and letters that fit in one: in pixels of the SVG."""
_MARGEN, _ARRIBA, _ENTRE = 12, 58, 26
_ROTULO = 13
"""Letters of an arrow's label that fit in one line."""


def diagrama(encargo: Encargo, ajustes: DifusorSettings) -> Papel:
    """The paper with the characteristics of the service (INE-V-a-i): drawing, table and what the form declares."""
    asked, call = encargo.solicitud, encargo.convocatoria
    name = asked.nombre or "el difusor"
    made = servicio.describe(ajustes, call)
    drawn = svg(made)
    infra = asked.infraestructura
    declared = (
        ("Software del servidor web", infra.software),
        ("Características de hardware", infra.hardware),
        ("Proveedor de nube", infra.nube),
        ("Enlace a Internet", None if infra.mbps is None else f"{infra.mbps:g} Mbps"),
        ("Direcciones IP públicas", ", ".join(infra.ip) or None),
        ("Energía", infra.energia),
        ("Red y seguridad", infra.red),
    )
    fields = tuple((Campo(rotulo=label, valor=value),) for label, value in declared if value)
    page = encargo.hoja(
        f"Diagrama del servicio de difusión: {call.nombre}",
        Parrafo(
            texto=f"Cómo llegan los resultados del {encargo.instituto} a la ciudadanía por {name}"
            + (f", en {asked.url}." if asked.url else ".")
        ),
        Figura(imagen=drawn, tipo="svg", alt=en_palabras(made), titulo="Arquitectura del servicio"),
        _tabla(made),
        *((Campos(titulo="CARACTERÍSTICAS DECLARADAS", filas=fields),) if fields else ()),
        horizontal=True,
    )
    return Papel(
        clave="diagrama",
        titulo="Diagrama del servicio",
        documentos={"docx": page, "pdf": page},
        blancos=encargo.blancos(
            ("nombre", asked.nombre, "Nombre del difusor"),
            ("url", asked.url, "Dirección en que publicará"),
        ),
        destino=None if call.carta is None else call.carta.destinatario,
        vence=call.plazos.documentos or call.plazos.solicitud,
        otros={"diagrama.svg": drawn},
    )


def en_palabras(made: Servicio) -> str:
    """What the drawing shows, in one sentence for each arrow."""
    names = {one.clave: one.nombre for one in made.elementos}
    return " ".join(f"De {names[one.de]} a {names[one.a]}: {one.texto}." for one in made.flechas)


def _tabla(made: Servicio) -> Tabla:
    names = {one.clave: one.nombre for one in made.elementos}
    return Tabla(
        titulo="Elementos del servicio",
        columnas=(
            Columna(nombre="Parte"),
            Columna(nombre="Elemento", ancho=1.3),
            Columna(nombre="Características", ancho=2.6),
            Columna(nombre="Recibe de", ancho=2),
        ),
        filas=tuple(
            (
                servicio.ENCABEZADOS[one.columna],
                one.nombre,
                "; ".join(one.lineas),
                "; ".join(f"{names[each.de]} ({each.texto})" for each in made.flechas if each.a == one.clave) or None,
            )
            for one in made.elementos
        ),
    )


def svg(made: Servicio) -> bytes:
    """The drawing: one column for each part that there is, boxes one below another, arrows with what goes over them."""
    columns = [one for one in servicio.COLUMNAS if any(each.columna == one for each in made.elementos)]
    boxes: dict[str, tuple[int, int, int]] = {}
    bottom = 0
    for n, column in enumerate(columns):
        place = _ARRIBA
        for one in made.elementos:
            if one.columna == column:
                high = _RENGLON * (1 + len(_lineas(one))) + 18
                boxes[one.clave] = (_MARGEN + n * (_CAJA + _HUECO), place, high)
                place += high + _ENTRE
        bottom = max(bottom, place)
    wide = 2 * _MARGEN + len(columns) * (_CAJA + _HUECO) - _HUECO
    # Boxes alone in their column stand at half the height, so that arrows run level.
    for column in columns:
        inside = [one.clave for one in made.elementos if one.columna == column]
        used = sum(boxes[key][2] + _ENTRE for key in inside)
        for key in inside:
            x, y, high = boxes[key]
            boxes[key] = (x, y + (bottom - _ARRIBA - used) // 2, high)
    size = f'viewBox="0 0 {wide} {bottom}" width="{wide}" height="{bottom}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="Libertinus Serif" font-size="13">',
        f'<rect width="{wide}" height="{bottom}" fill="#ffffff"/>',
    ]
    for n, column in enumerate(columns):
        x = _MARGEN + n * (_CAJA + _HUECO)
        parts.append(_text(x + _CAJA // 2, 24, servicio.ENCABEZADOS[column], "middle", bold=True, size=15))
        parts.append(f'<path d="M{x} 34h{_CAJA}" stroke="#1f3a4d" stroke-width="2"/>')
    parts += [_flecha(boxes, one, made.flechas) for one in made.flechas]
    parts += [_caja(boxes[one.clave], one) for one in made.elementos]
    return ("".join(parts) + "</svg>").encode()


def _lineas(one: Elemento) -> list[str]:
    found: list[str] = []
    for line in one.lineas:
        row = ""
        for word in legible(line).split():
            if row and len(row) + 1 + len(word) > _LETRAS:
                found.append(row)
                row = word
            else:
                row = f"{row} {word}".strip()
        # A name without blanks is longer than the box: it goes on in the next line.
        found += [row[n : n + _LETRAS] for n in range(0, len(row), _LETRAS)]
    return found


def _caja(box: tuple[int, int, int], one: Elemento) -> str:
    x, y, high = box
    rows = [_text(x + 10, y + 20, legible(one.nombre)[: _LETRAS - 2], "start", bold=True)]
    rows += [_text(x + 10, y + 20 + _RENGLON * n, row, "start") for n, row in enumerate(_lineas(one), 1)]
    frame = f'<rect x="{x}" y="{y}" width="{_CAJA}" height="{high}" rx="5" fill="#f2f5f7" stroke="#1f3a4d"/>'
    return frame + "".join(rows)


def _flecha(boxes: dict[str, tuple[int, int, int]], one: Flecha, all_of_them: Sequence[Flecha]) -> str:
    """From side to side, with a corner beside one of the boxes; its words over the level part that no other one has."""
    (x1, y1, h1), (x2, y2, h2) = boxes[one.de], boxes[one.a]
    back = x2 < x1
    start, end = (x1, x2 + _CAJA) if back else (x1 + _CAJA, x2)
    same_end = [each for each in all_of_them if each.a == one.a and (boxes[each.de][0] > x2) == back]
    spread = round((same_end.index(one) - (len(same_end) - 1) / 2) * 16)
    drop = 24 if back else 0
    from_y, to_y = y1 + h1 // 2 + drop, y2 + h2 // 2 + drop + spread
    step, tip = (-16, 7) if back else (16, -7)
    many = len(same_end) > 1
    corner = end - step if many else start + step
    level = (start + end) // 2 if from_y == to_y else (start + step + end) // 2
    over = (start + 34 if many else level, (from_y if many else to_y) - 6 + (20 if back else 0))
    return (
        f'<path d="M{start} {from_y}H{corner}V{to_y}H{end}" fill="none" stroke="#333333" stroke-width="1.3"/>'
        f'<path d="M{end} {to_y}l{tip} -4v8z" fill="#333333"/>{_words(one.texto, *over)}'
    )


def _words(text: str, x: int, y: int) -> str:
    """The label, in as many lines as fit between two columns; the last one at ``y``."""
    rows: list[str] = []
    for word in legible(text).split():
        if rows and len(rows[-1]) + 1 + len(word) <= _ROTULO:
            rows[-1] += f" {word}"
        else:
            rows.append(word)
    return "".join(_text(x, y - 13 * (len(rows) - 1 - n), row, "middle", size=11) for n, row in enumerate(rows))


def _text(x: int, y: int, text: str, anchor: str, *, bold: bool = False, size: int = 13) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}"{weight} fill="#1a1a1a">{escape(text)}</text>'
    )
