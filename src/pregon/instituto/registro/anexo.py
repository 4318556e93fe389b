"""The registration as a sheet, one row for each difusor: the annex that DGO-II-f asks for and does not bring."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from pregon.base.errors import UsoError
from pregon.convocatoria.solicitud import formulario

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.instituto.registro.almacen import Registro

FIJAS = ("Identificador", "Nombre", "Dirección pública", "Estado")
_BOM = "\ufeff"
"""So that a spreadsheet takes it for UTF-8."""
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def escribe(registro: Registro, path: Path, columnas: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """Write the sheet, mode 0600; its columns and how many rows it has. ``columnas`` empty: every question answered.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it: somebody else wrote the form.

    Raises:
        UsoError: no difusor answers one of ``columnas``; nothing was written.
        EntradaError, DanadoError: the forms cannot be opened.
        DiscoError, EscrituraError: could not write.
    """
    found = registro.todos()
    answers = [formulario.respuestas(registro.ficha(one.id), registro.workspace.convocatoria) for one in found]
    known = tuple(dict.fromkeys(question for each in answers for question in each))
    unknown = [question for question in columnas if question not in known]
    if unknown:
        raise UsoError(
            f"Ninguna ficha responde a: {', '.join(unknown)}.",
            intacto="No se escribió nada.",
            que_hacer=f"Las preguntas que hay son: {'; '.join(known) or 'ninguna'}.",
        )
    columns = (*FIJAS, *(columnas or known))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for one, each in zip(found, answers, strict=True):
        cells = (one.id, one.nombre, one.url, one.estado, *(each.get(name) or "" for name in columns[len(FIJAS) :]))
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULAS) else cell for cell in cells])
    registro.workspace.disk.write(path, (_BOM + text.getvalue()).encode(), mode=0o600)
    return columns, len(found)
