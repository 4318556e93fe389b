"""Which forms a paper may take, and the one door to all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from pregon.base.errors import AjustesError

if TYPE_CHECKING:
    from pregon.documentos.bloques import Documento

Forma: TypeAlias = Literal["pdf", "docx", "xlsx"]
FORMAS: tuple[Forma, ...] = get_args(Forma)


def escribe(documento: Documento, forma: Forma) -> bytes:
    """The document in that form: the same bytes for the same document, on one machine.

    Raises:
        AjustesError: the library of that form is not installed (extra ``papeles``).
    """
    match forma:
        case "pdf":
            from pregon.documentos import a_pdf

            return a_pdf.escribe(documento)
        case "docx":
            from pregon.documentos import a_docx

            return a_docx.escribe(documento)
        case "xlsx":
            from pregon.documentos import a_xlsx

            return a_xlsx.escribe(documento)


def falta(que: str, exc: ImportError) -> AjustesError:
    """What is said where the library that writes ``que`` is not installed."""
    return AjustesError(
        f"Falta el programa que hace {que}: {exc.name}.",
        intacto="No se escribió nada.",
        que_hacer="Ejecute: pip install 'pregon[papeles]'; o pida el documento en otra forma.",
    )
