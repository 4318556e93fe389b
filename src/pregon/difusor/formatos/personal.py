"""The list of staff: who coordinates and supports, for each stage (GRO-5.4, DGO-III-5, INE-V-a-ii)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.convocatoria.solicitud import contactos
from pregon.difusor.formatos.encargo import Blanco, Papel
from pregon.documentos.bloques import Columna, Nota, Parrafo, Tabla, Titulo

if TYPE_CHECKING:
    from pregon.convocatoria.solicitud.contactos import Etapa
    from pregon.convocatoria.solicitud.modelo import ContactoBorrador
    from pregon.difusor.formatos.encargo import Encargo
    from pregon.documentos.bloques import Bloque, Celda

COLUMNAS = (
    Columna(nombre="Nombre", ancho=1.5),
    Columna(nombre="Rol o puesto", ancho=1.4),
    Columna(nombre="Teléfonos", ancho=1.1),
    Columna(nombre="Correo electrónico", ancho=1.7),
    Columna(nombre="Horario"),
    Columna(nombre="Personal de", ancho=1.1),
)


def listado(encargo: Encargo) -> Papel:
    """Technical staff by stage, and then who answers legally."""
    asked, call = encargo.solicitud, encargo.convocatoria
    blocks: list[Bloque] = [
        Parrafo(texto=f"{asked.nombre or 'Difusor'} designa a las personas siguientes. Esta lista es confidencial.")
    ]
    blanks: list[Blanco] = []
    for stage in contactos.etapas(call):
        people = contactos.de_etapa(asked, stage.nombre)
        blocks.append(Titulo(texto=stage.nombre))
        if people:
            blocks.append(_tabla(encargo, f"Personal técnico: {_dias(stage)}", stage.nombre, people))
        else:
            blocks.append(Nota(texto="No hay personal técnico para esta etapa.", tono="aviso"))
            place = f"contacto[{len(asked.contacto)}].etapas"
            blanks.append(Blanco(ruta=place, que=f"Personal técnico para la etapa «{stage.nombre}»"))
    if legal := asked.de_papel("legal"):
        blocks += [Titulo(texto="Responsable legal"), _tabla(encargo, "Responsable legal", "Responsable legal", legal)]
    for n, one in enumerate(asked.contacto):
        blanks += _blancos(n, one, correo=not call.etapas)
    page = encargo.hoja(f"Personal responsable: {call.nombre}", *blocks, horizontal=True)
    return Papel(
        clave="personal",
        titulo="Listado de personal",
        documentos={"docx": page, "pdf": page, "xlsx": page},
        blancos=tuple(blanks),
        destino=None if call.carta is None else call.carta.destinatario,
        vence=call.plazos.documentos or call.plazos.solicitud,
    )


def _dias(stage: Etapa) -> str:
    if stage.desde is None or stage.hasta is None:
        edge = stage.desde or stage.hasta
        return stage.nombre if edge is None else f"{'desde' if stage.desde else 'hasta'} el {edge:%d/%m/%Y}"
    return f"del {stage.desde:%d/%m/%Y} al {stage.hasta:%d/%m/%Y}"


def _tabla(encargo: Encargo, title: str, sheet: str, people: tuple[ContactoBorrador, ...]) -> Tabla:
    rows = tuple(_renglon(encargo, one) for one in people)
    return Tabla(titulo=title, hoja=sheet, columnas=COLUMNAS, filas=rows)


def _renglon(encargo: Encargo, one: ContactoBorrador) -> tuple[Celda, ...]:
    phones = "\n".join(each for each in (one.telefono, one.celular) if each) or None
    of = one.proveedor or encargo.solicitud.nombre
    return (one.nombre, one.cargo, phones, one.correo, one.horario_texto, of)


def _blancos(n: int, one: ContactoBorrador, *, correo: bool) -> list[Blanco]:
    """``correo``: the calls without stages of their own ask for it (INE-V-a-ii)."""
    told = [("nombre", one.nombre, "Nombre"), ("cargo", one.cargo, "Rol o puesto")]
    told.append(("telefono", one.telefono or one.celular, "Teléfono"))
    if correo:
        told.append(("correo", one.correo, "Correo electrónico"))
    return [Blanco(ruta=f"contacto[{n}].{key}", que=f"{what} del personal") for key, value, what in told if not value]
