"""The registration form, field by field as each call asks: Guerrero's nine data, Morelos' Anexo 2, México's Anexo 1,
and the spreadsheet of Durango, whose columns the text does not bring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.convocatoria.solicitud import formulario
from pregon.difusor.formatos.encargo import Blanco, Papel
from pregon.documentos.bloques import Campo, Campos, Columna, Figura, Nota, Tabla

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.convocatoria.solicitud.modelo import ContactoBorrador
    from pregon.difusor.formatos.encargo import Encargo
    from pregon.documentos.bloques import Bloque

TECNICO = "Responsable técnico: nombre, teléfono, celular, email"
LEGAL = "Responsable legal: nombre, teléfono, celular, email"
FTP = "IP o dominio de cuenta FTP; usuario y contraseña FTP"
GRUPOS: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    (
        "DATOS DEL DIFUSOR",
        (
            ("Nombre del medio difusor", "Dirección del sitio web"),
            ("Propuesta de enlace (liga de acceso)",),
            ("Dominio de publicación", "Compañía / Entidad a la que representa"),
        ),
    ),
    (
        "CONTACTO",
        (
            ("Nombre completo del contacto técnico", "Email"),
            ("Teléfono fijo", "Teléfono móvil"),
            ("Dirección completa",),
            ("Ciudad", "Estado"),
        ),
    ),
    ("DATOS DE LOS RESPONSABLES", ((TECNICO, LEGAL),)),
    (
        "CARACTERÍSTICAS DEL SERVIDOR DEL DIFUSOR",
        (
            (FTP,),
            ("Software del servidor web", "Características de hardware"),
            ("Infraestructura de alimentación eléctrica", "Infraestructura de red y seguridad de acceso"),
        ),
    ),
)
"""How the printed forms lay their questions out (MOR-A2, MEX-A1); what a call does not ask is left out."""
_SIN_COLUMNAS = (TECNICO, LEGAL, FTP, "Dominio de publicación", "Compañía / Entidad a la que representa")
"""Known questions that a spreadsheet asks in other words, each datum in a column of its own."""
_ROTULOS = {"nombre": "Nombre", "telefono": "Teléfono", "celular": "Celular", "correo": "Email"}
_LARGO = 2
"""Lines of room for what is answered in a sentence."""


def hay(encargo: Encargo) -> bool:
    """Whether the call has a form of its own; Guerrero's data go within the letter (GRO-1.7d)."""
    return encargo.convocatoria.formulario.anexo is not None


def campos(encargo: Encargo) -> tuple[Bloque, ...]:
    """The boxes of the call's form, filled in or with room to write."""
    asked = encargo.convocatoria.formulario.campos
    made = [_group(encargo, title, rows, asked) for title, rows in GRUPOS]
    known = {question for _, rows in GRUPOS for row in rows for question in row}
    others = tuple((question,) for question in asked if question not in known)
    made.append(_group(encargo, "OTROS DATOS", others, asked))
    return tuple(one for one in made if one.filas)


def _logotipo(encargo: Encargo) -> tuple[Figura, ...]:
    """The logo on the form that it is attached to (MOR-A2-0, MEX-A1-7), where it is one that is drawn."""
    logo = encargo.logo
    if logo is None or logo.publicado is None or logo.tipo not in ("svg", "png", "webp"):
        return ()
    name = f"Logotipo de {encargo.solicitud.nombre or 'el difusor'}"
    return (Figura(imagen=logo.publicado, tipo=logo.tipo, alt=name, ancho_mm=34),)


def blancos(encargo: Encargo, preguntas: Sequence[str]) -> Iterator[Blanco]:
    """What the form has no answer to."""
    for question in preguntas:
        for path in formulario.responde(encargo.solicitud, question).faltan:
            yield Blanco(ruta=path, que=question)


def formato(encargo: Encargo) -> Papel:
    """The form, to be sent with the logo (MOR-A2-0, MEX-A1-7)."""
    call = encargo.convocatoria
    form = call.formulario
    asked = form.campos or columnas(encargo)
    title = f"Formato de registro de difusores: {call.nombre}"
    if form.campos:
        body: tuple[Bloque, ...] = (*_logotipo(encargo), *campos(encargo))
    else:
        answers = {question: formulario.responde(encargo.solicitud, question).valor for question in asked}
        boxes = Campos(filas=tuple((Campo(rotulo=key, valor=value),) for key, value in answers.items()))
        body = (*_logotipo(encargo), boxes)
    where = [form.anexo or ""] + ([f"Adjunte el logotipo y envíe a {form.enviar_a}."] if form.enviar_a else [])
    page = encargo.hoja(title, Nota(texto=". ".join(one.rstrip(".") for one in where if one) + "."), *body)
    sheet = page if form.campos else encargo.hoja(title, _tabla(encargo, asked), horizontal=True)
    return Papel(
        clave="formato-de-registro",
        titulo=f"Formato de registro, {form.anexo}",
        documentos={"docx": page, "pdf": page, "xlsx": sheet},
        blancos=tuple(blancos(encargo, asked)),
        destino=form.enviar_a,
        vence=call.plazos.solicitud,
    )


def columnas(encargo: Encargo) -> tuple[str, ...]:
    """The columns of an annex that the text does not bring (DGO-II-f): those that the file names, else all known."""
    asked = encargo.solicitud
    printed = (question for _, rows in GRUPOS for row in rows for question in row)
    known = tuple(one for one in printed if one not in _SIN_COLUMNAS)
    return asked.anexo.columnas or (*dict.fromkeys((*known, *asked.respuestas)),)


def _tabla(encargo: Encargo, asked: Sequence[str]) -> Tabla:
    """One row, under the heads of the institute's file: its cells can be copied there."""
    return Tabla(
        titulo="Difusores Oficiales",
        hoja="Difusores Oficiales",
        columnas=tuple(Columna(nombre=question) for question in asked),
        filas=(tuple(formulario.responde(encargo.solicitud, question).valor for question in asked),),
    )


def _group(encargo: Encargo, title: str, rows: Sequence[Sequence[str]], asked: Sequence[str]) -> Campos:
    kept = [tuple(question for question in row if question in asked) for row in rows]
    return Campos(
        titulo=title,
        filas=tuple(tuple(_campo(encargo, question) for question in row) for row in kept if row),
    )


def _campo(encargo: Encargo, question: str) -> Campo:
    own = encargo.solicitud.respuestas.get(question)
    if own is None and question == TECNICO:
        return _person("Responsable técnico", formulario.responsable(encargo.solicitud, "tecnico"))
    if own is None and question == LEGAL:
        return _person("Responsable legal", formulario.responsable(encargo.solicitud, "legal"))
    answer = formulario.responde(encargo.solicitud, question).valor
    return Campo(rotulo=question, valor=answer, renglones=_LARGO)


def _person(title: str, one: ContactoBorrador | None) -> Campo:
    """The four data, each on its line, with what is known of them (MOR-A2-3, MEX-A1-3)."""
    lines = [f"{label}: {(None if one is None else getattr(one, key)) or ''}" for key, label in _ROTULOS.items()]
    return Campo(rotulo=title, valor="\n".join(lines), renglones=len(lines))
