"""A report as one page of HTML that needs nothing else: no script, no other file, nothing from the network."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pregon.base.fechas import fecha_larga
from pregon.documentos.bloques import Lista, Nota, Parrafo, Tabla, Titulo
from pregon.documentos.texto import legible

if TYPE_CHECKING:
    from pregon.documentos.bloques import Bloque, Celda, Columna, Documento

ANCHA = 2.5
"""Columns wider than this in print hold whole phrases."""
_ESTILO = """
:root{color-scheme:light dark;--linea:#767676;--fondo:#f3f3f3;--aviso:#8a1c1c}
@media (prefers-color-scheme:dark){:root{--linea:#9a9a9a;--fondo:#242424;--aviso:#ff9a9a}}
*{box-sizing:border-box}
body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:80rem;padding:1rem}
h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.25rem;margin-top:2rem}
.marca{border:2px solid var(--aviso);color:var(--aviso);font-weight:700;padding:.25rem .75rem;display:inline-block}
.nota{background:var(--fondo);padding:.5rem .75rem}
.tabla{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;font-weight:700;padding:.25rem 0}
th,td{border:1px solid var(--linea);padding:.25rem .5rem;text-align:left;vertical-align:top}
th{background:var(--fondo)}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
th.a,td.a{min-width:14rem}
tr.falta td{color:var(--aviso);font-weight:700}
@media print{body{max-width:none}.tabla{overflow:visible}tr{break-inside:avoid}}
"""


def pagina(documento: Documento) -> str:
    """The page; the same document, the same text. It takes titles of one level, paragraphs, lists, notes and tables.

    Raises:
        TypeError: it has a block of another kind.
    """
    mark = '<p class="marca">SIMULACRO</p>' if documento.simulacro else ""
    body = "\n".join(_block(one) for one in documento.bloques)
    title = _text(documento.titulo)
    return (
        f'<!doctype html>\n<html lang="es-MX">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<style>{_ESTILO}</style>\n</head>\n<body>\n<main>\n{mark}\n<h1>{title}</h1>\n"
        f"<p>{_text(documento.autor)}, {_text(fecha_larga(documento.fecha))}</p>\n{body}\n</main>\n"
        f"<footer><p>{_text(documento.pie)}</p></footer>\n</body>\n</html>\n"
    )


def _block(block: Bloque) -> str:
    match block:
        case Titulo():
            return f"<h2>{_text(block.texto)}</h2>"
        case Parrafo():
            words = _text(block.texto)
            return f"<p><strong>{words}</strong></p>" if block.negrita else f"<p>{words}</p>"
        case Lista():
            kind = "ol" if block.numerada else "ul"
            return f"<{kind}>{''.join(f'<li>{_text(one)}</li>' for one in block.elementos)}</{kind}>"
        case Nota():
            return f'<p class="nota">{_text(block.texto)}</p>'
        case Tabla():
            return _table(block)
        case _:
            raise TypeError(f"{type(block).__name__} has no place in this page")


def _table(table: Tabla) -> str:
    kinds = [_kind(column) for column in table.columnas]
    pairs = zip(table.columnas, kinds, strict=True)
    head = "".join(f'<th scope="col"{kind}>{_text(column.nombre)}</th>' for column, kind in pairs)
    rows = "".join(_row(row, kinds) for row in table.filas)
    note = "" if table.nota is None else f'<p class="nota">{_text(table.nota)}</p>'
    name = _text(table.titulo)
    return (
        f'<div class="tabla" role="region" aria-label="{name}" tabindex="0"><table><caption>{name}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{note}"
    )


def _kind(column: Columna) -> str:
    """Numbers to the right; where there is much to read, room for it on a telephone too."""
    return ' class="n"' if column.clase == "numero" else ' class="a"' if column.ancho > ANCHA else ""


def _row(row: tuple[Celda, ...], kinds: list[str]) -> str:
    missed = ' class="falta"' if row and row[-1] == "No" else ""
    cells = zip(row, kinds, strict=True)
    return f"<tr{missed}>{''.join(f'<td{kind}>{_text(_cell(one))}</td>' for one, kind in cells)}</tr>"


def _cell(value: Celda) -> str:
    return "" if value is None else str(value)


def _text(text: str) -> str:
    return escape(legible(text))
