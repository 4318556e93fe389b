"""The letters: notice to the institute, commitment, waiver of infrastructure, and word to who must be told.

What a commitment says is the text of the call or of its annex, in ``cartas/<name>.txt``; the profile names which
(``carta.plantilla``).
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError
from pregon.base.fechas import fecha_larga
from pregon.convocatoria.solicitud import formulario
from pregon.difusor.formatos.encargo import RAYA, Papel
from pregon.documentos.bloques import Campo, Campos, Columna, Lista, Parrafo, Tabla

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.difusor.formatos.encargo import Encargo
    from pregon.documentos.bloques import Bloque

TIPOS = {
    "academia": "institución académica",
    "osc": "organización de la sociedad civil",
    "medios": "medio de comunicación",
}
"""What may apply, in words (GRO-0.2, MOR-0.1)."""


def aviso(encargo: Encargo, adjuntos: Sequence[str], datos: Sequence[Bloque]) -> Papel:
    """The official letter by which one asks to be a difusor (GRO-1.4, DGO-I-4a, MOR-I-1, MEX-I-5, INE-I-g-1).

    ``datos``: the form, where the text wants it within the letter (GRO-1.7d). ``adjuntos``: what goes with it.
    """
    asked, call = encargo.solicitud, encargo.convocatoria
    technical = formulario.responsable(asked, "tecnico")
    reach = [] if technical is None else [technical.telefono, technical.celular, technical.correo]
    kind = TIPOS.get(asked.tipo or "", RAYA)
    text = (
        f"Con fundamento en la convocatoria que emitió el {encargo.instituto} para participar como difusores oficiales "
        f"del Programa de Resultados Electorales Preliminares, {asked.nombre or RAYA} ({kind}) da aviso de su interés "
        f"en participar y solicita su registro como difusor oficial de los resultados de {_y(call.nombres_elecciones)} "
        f"({call.nombre}). Los resultados se publicarán, sin costo para quien los consulte, en {asked.url or RAYA}."
    )
    contact = (
        f"Para coordinar la interconexión, las pruebas y la operación, nuestro responsable técnico es "
        f"{RAYA if technical is None else technical.nombre or RAYA} ({'; '.join(way for way in reach if way) or RAYA})."
    )
    title = f"Aviso y solicitud de registro como difusor oficial: {call.nombre}"
    blocks: list[Bloque] = [
        *_cabeza(encargo, "Aviso y solicitud de registro como difusor oficial"),
        Parrafo(texto=text),
    ]
    # Where the letter is an annex to fill, the notice states what it lacks, with its reserve (MOR-I-9b, MEX-I-9).
    blocks += [*_parrafos(encargo, "compromiso-reserva")] if _plantilla(encargo).startswith("anexo") else []
    blocks += [*datos, Parrafo(texto=contact)]
    if adjuntos:
        blocks += [Parrafo(texto="Se acompañan:"), Lista(elementos=tuple(adjuntos), numerada=True)]
    paper = encargo.hoja(title, *blocks, *_cierre(encargo), carta=True)
    blanks = encargo.blancos(
        ("nombre", asked.nombre, "Nombre del difusor"),
        ("tipo", asked.tipo, "Tipo de difusor: academia, osc o medios"),
        ("url", asked.url, "Dirección en que publicará"),
        ("oficio.lugar", encargo.lugar, "Lugar en que se firma"),
    )
    return Papel(
        clave="solicitud",
        titulo="Aviso y solicitud de registro",
        documentos={"docx": paper, "pdf": paper},
        blancos=(*blanks, *encargo.blancos_de_firma()),
        destino=_destino(encargo),
        vence=call.plazos.solicitud,
    )


def compromiso(encargo: Encargo) -> Papel:
    """The written commitment, in the words of the call (GRO-1.7, DGO-I-8, MOR-A3, MEX-A2, INE-I-g-2).

    Raises:
        AjustesError: the profile names a letter that there is none of.
    """
    call = encargo.convocatoria
    paper = encargo.hoja(
        f"Carta compromiso: {call.nombre}",
        *_cabeza(encargo, None),
        *_parrafos(encargo, _plantilla(encargo)),
        *_cierre(encargo),
        carta=True,
    )
    return Papel(
        clave="carta-compromiso",
        titulo="Carta compromiso",
        documentos={"docx": paper, "pdf": paper},
        blancos=(
            *encargo.blancos(
                ("nombre", encargo.solicitud.nombre, "Nombre del difusor"),
                ("oficio.lugar", encargo.lugar, "Lugar en que se firma"),
            ),
            *encargo.blancos_de_firma(),
        ),
        destino=_destino(encargo),
        vence=call.plazos.documentos or call.plazos.solicitud,
    )


def enterado(encargo: Encargo, quien: str) -> Papel:
    """A draft of the notice by which the addressee tells ``quien`` that somebody applied (DGO-I-4b).

    It is the institute's to sign; it has nothing that the public list will not have.
    """
    asked, call = encargo.solicitud, encargo.convocatoria
    sender = RAYA if call.carta is None else call.carta.destinatario
    place = call.entidad.nombre if call.carta is None or call.carta.lugar is None else call.carta.lugar
    paper = encargo.hoja(
        f"Proyecto de aviso al {quien}",
        Parrafo(texto=f"{place}, a ____ de {RAYA} de {encargo.fecha.year}", alinea="derecha"),
        Parrafo(texto=f"{quien}\n{encargo.instituto}\nPRESENTE", negrita=True),
        Parrafo(
            texto=f"En cumplimiento de la convocatoria a difusores oficiales ({call.nombre}), se hace de su "
            f"conocimiento que el ____ de {RAYA} de {encargo.fecha.year} se recibió la manifestación de interés de "
            "quien se indica:"
        ),
        Campos(
            filas=(
                (Campo(rotulo="Interesado", valor=asked.nombre), Campo(rotulo="Tipo", valor=_tipo(encargo))),
                (Campo(rotulo="Dirección en que publicará los resultados", valor=asked.url),),
                (Campo(rotulo="Fecha del oficio del interesado", valor=fecha_larga(encargo.fecha)),),
            )
        ),
        Parrafo(texto="Lo que se informa para los efectos a que haya lugar."),
        Parrafo(texto="ATENTAMENTE", alinea="centro", negrita=True),
        Parrafo(texto=f"{RAYA}\n{sender}", alinea="centro"),
        carta=True,
    )
    return Papel(
        clave="aviso-comite",
        titulo=f"Proyecto de aviso al {quien}",
        documentos={"docx": paper, "pdf": paper},
        blancos=encargo.blancos(
            ("nombre", asked.nombre, "Nombre del difusor"),
            ("tipo", asked.tipo, "Tipo de difusor: academia, osc o medios"),
            ("url", asked.url, "Dirección en que publicará"),
        ),
        destino=f"{sender}, que lo firma y lo envía",
    )


def dispensa(encargo: Encargo) -> Papel:
    """What of the infrastructure is not met and what there is instead, for the institute to decide on (GRO-2.6)."""
    asked, call = encargo.solicitud, encargo.convocatoria
    rows = tuple((one.concepto, one.declarado) for one in asked.dispensa)
    paper = encargo.hoja(
        f"Características de la infraestructura: {call.nombre}",
        *_cabeza(encargo, "Características de la infraestructura con que se cuenta"),
        Parrafo(
            texto=f"{asked.nombre or RAYA} no cumple con algún aspecto de los requerimientos de infraestructura de la "
            f"convocatoria y remite las características con que cuenta, para que el {encargo.instituto} las valide y "
            "determine su posible participación."
        ),
        Tabla(
            titulo="Requerimientos e infraestructura con que se cuenta",
            columnas=(Columna(nombre="Requerimiento"), Columna(nombre="Con lo que se cuenta", ancho=2)),
            filas=rows,
        ),
        *_cierre(encargo),
        carta=True,
    )
    return Papel(
        clave="infraestructura",
        titulo="Características de la infraestructura",
        documentos={"docx": paper, "pdf": paper},
        blancos=encargo.blancos_de_firma(),
        destino=_destino(encargo),
        vence=call.plazos.solicitud,
    )


def _destino(encargo: Encargo) -> str:
    letter = encargo.convocatoria.carta
    return encargo.instituto if letter is None else letter.destinatario


def _plantilla(encargo: Encargo) -> str:
    return "compromiso" if encargo.convocatoria.carta is None else encargo.convocatoria.carta.plantilla


def _lugar(encargo: Encargo) -> str:
    return encargo.lugar or RAYA


def _tipo(encargo: Encargo) -> str | None:
    return None if encargo.solicitud.tipo is None else TIPOS[encargo.solicitud.tipo].capitalize()


def _cabeza(encargo: Encargo, asunto: str | None) -> list[Bloque]:
    number = encargo.solicitud.oficio.numero
    top = [f"{_lugar(encargo)}, a {fecha_larga(encargo.fecha)}"]
    if asunto is not None:
        top += [*([f"Oficio {number}"] if number else []), f"Asunto: {asunto}"]
    return [
        Parrafo(texto="\n".join(top), alinea="derecha"),
        Parrafo(texto=f"{_destino(encargo)}\n{encargo.instituto}\nPRESENTE", negrita=True),
    ]


def _cierre(encargo: Encargo) -> list[Bloque]:
    name = encargo.solicitud.nombre
    return [
        Parrafo(texto="ATENTAMENTE" + (f"\n{name}" if name else ""), alinea="centro", negrita=True),
        encargo.firmas(),
    ]


def _parrafos(encargo: Encargo, plantilla: str) -> list[Parrafo]:
    """The paragraphs of a letter with the call's and the difusor's own words in their places."""
    folder = resources.files("pregon.difusor.formatos").joinpath("cartas")
    known = sorted(one.name.removesuffix(".txt") for one in folder.iterdir() if one.name.endswith(".txt"))
    if plantilla not in known:
        raise AjustesError(
            f"No hay carta «{plantilla}» (carta.plantilla de la convocatoria).",
            intacto="No se escribió nada.",
            que_hacer=f"Use una de éstas en el perfil: {', '.join(known)}.",
        )
    call = encargo.convocatoria
    words = {
        "difusor": encargo.solicitud.nombre or RAYA,
        "instituto": encargo.instituto,
        "convocatoria": call.nombre,
        "jornada": fecha_larga(call.inicio),
        "anio": str(call.inicio.year),
    }
    text = folder.joinpath(f"{plantilla}.txt").read_text(encoding="utf-8")
    return [Parrafo(texto=" ".join(one.split("\n")).format_map(words)) for one in text.strip().split("\n\n")]


def _y(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} y {words[-1]}"
