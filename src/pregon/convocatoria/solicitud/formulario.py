"""What each call's form asks, answered with what the ficha says, and what is still missing.

The profile gives the questions in the words of the text (``formulario.campos``); the ones of the five calls are known
here by those words. A question that is not known, of an institute's own profile, is answered in ``[respuestas]``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pregon.convocatoria.solicitud import contactos

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pregon.convocatoria.model import Convocatoria
    from pregon.convocatoria.solicitud.modelo import Borrador, ContactoBorrador

SIN_FTP = "No aplica: cuenta SSH con llave pública; nunca FTP ni contraseña"
"""The answer to the question for an FTP account and its password (MOR-A2-5, MEX-A1-5)."""


@dataclass(frozen=True, kw_only=True)
class Respuesta:
    """One question of a form and its answer, None where there is none. ``faltan``: the keys of the file, with their
    paths (``contacto[0].telefono``), that it lacks for the answer.
    """

    pregunta: str
    valor: str | None
    faltan: tuple[str, ...] = ()


def respuestas(ficha: Borrador, convocatoria: Convocatoria) -> dict[str, str | None]:
    """Each question of the call's form, in its order, with its answer; None where the ficha gives none.

    After them go the answers of ``[respuestas]`` that no question asks for: the columns of an annex that the text
    does not bring (DGO-II-f).
    """
    asked = {question: responde(ficha, question).valor for question in convocatoria.formulario.campos}
    return asked | {key: value for key, value in ficha.respuestas.items() if key not in asked}


def responde(ficha: Borrador, pregunta: str) -> Respuesta:
    """The answer to one question, known by its words or by ``[respuestas]``, which goes first."""
    known = CONOCIDAS.get(pregunta)
    own = ficha.respuestas.get(pregunta)
    if own is not None:
        return Respuesta(pregunta=pregunta, valor=own)
    if known is None:
        return Respuesta(pregunta=pregunta, valor=None, faltan=(f"respuestas.{_quoted(pregunta)}",))
    value = known.halla(ficha)
    return Respuesta(pregunta=pregunta, valor=value, faltan=() if value else _blanks(ficha, known.claves))


def faltantes(ficha: Borrador, convocatoria: Convocatoria) -> tuple[str, ...]:
    """What keeps a difusor from being admitted, in Spanish, each with its clause or question; empty, nothing."""
    missing = [f"Formulario: {question}" for question, answer in respuestas(ficha, convocatoria).items() if not answer]
    missing += [f"Contacto técnico para la etapa «{name}»" for name in contactos.sin_contacto(ficha, convocatoria)]
    received = {one.nombre for one in ficha.documento}
    missing += [f"Documento: {name}" for name in convocatoria.documentos if name not in received]
    missing += [f"Dispensa {one.decision}: {one.concepto}" for one in ficha.dispensa if one.decision != "aceptada"]
    return (*missing, *impedimentos(ficha, convocatoria))


def impedimentos(ficha: Borrador, convocatoria: Convocatoria) -> tuple[str, ...]:
    """What of the form itself goes against the call, whatever papers come with it."""
    found = []
    if convocatoria.participantes and ficha.tipo is not None and ficha.tipo not in convocatoria.participantes:
        found.append(f"La convocatoria no admite difusores de tipo «{ficha.tipo}»")
    if convocatoria.minimos.ip_publicas_por_servidor and not ficha.infraestructura.ip:
        found.append("Dirección IP pública de cada servidor ([infraestructura] ip)")
    if ficha.dispensa and not convocatoria.minimos.dispensa:
        found.append("La convocatoria no prevé dispensas de infraestructura")
    if ficha.personalizada is not None and convocatoria.personalizacion == "no":
        found.append("La convocatoria no permite la presentación personalizada")
    return tuple(found)


def plantilla(convocatoria: Convocatoria, *, con_documentos: bool = True) -> str:
    """A ficha to fill in, TOML: every key, the call's stages, documents and questions that have no key of their own.

    ``con_documentos`` False: without the papers received, which only who receives them can write down.
    """
    stages = ", ".join(_quoted(one.nombre) for one in contactos.etapas(convocatoria))
    kinds = convocatoria.participantes or ("academia", "osc", "medios")
    lines = [
        f"# Ficha de un difusor: {convocatoria.nombre}. Lo que no aplique se quita.",
        'nombre = ""',
        f"tipo = {_quoted(kinds[0])}  # {' o '.join(filter(None, (', '.join(kinds[:-1]), kinds[-1])))}",
        f"url = {_quoted('https://' + (convocatoria.enlace_ejemplo or 'prep.difusor.example').split('://')[-1])}",
        'sitio = "https://difusor.example"',
        'vista_previa = "https://previa.difusor.example"',
        f"transporte = {_quoted(convocatoria.transporte.protocolo)}",
        "",
        "[domicilio]",
        'direccion = ""',
        'ciudad = ""',
        'estado = ""',
        "",
        "[[contacto]]  # uno por persona; sin «etapas», todas; sin «desde» y «hasta», a cualquier hora",
        'nombre = ""',
        'papel = "tecnico"  # o "legal"',
        'cargo = ""',
        'telefono = ""',
        'celular = ""',
        'correo = ""',
        f"etapas = [{stages}]",
        "desde = 08:00:00",
        "hasta = 20:00:00",
        "",
        "[infraestructura]",
        'software = ""',
        'hardware = ""',
        'energia = ""',
        'red = ""',
        'ip = [""]  # la dirección pública de cada servidor',
        "",
        "[llaves]",
        '# acuses = """-----BEGIN PUBLIC KEY-----…"""',
        '# anfitrion = "servidor.example ssh-ed25519 …"',
    ]
    for name in convocatoria.documentos if con_documentos else ():
        lines += ["", "[[documento]]", f"nombre = {_quoted(name)}", "# recibido = 2024-05-18", '# sha256 = ""']
    own = [question for question in convocatoria.formulario.campos if question not in CONOCIDAS]
    if own or not convocatoria.formulario.campos:
        lines += ["", "[respuestas]", *(f'{_quoted(question)} = ""' for question in own)]
        if convocatoria.formulario.anexo and not own:
            lines.append(f'# Cada columna de {convocatoria.formulario.anexo}, con sus palabras: "Columna" = "valor"')
    return "\n".join(lines) + "\n"


def _of(ficha: Borrador, papel: Literal["tecnico", "legal"], field: str) -> str | None:
    """The field of the first contact that has it: the form asks for one phone, the roster has several people."""
    return next((value for one in ficha.de_papel(papel) if (value := getattr(one, field))), None)


def _place(ficha: Borrador, field: str) -> str | None:
    value: str | None = None if ficha.domicilio is None else getattr(ficha.domicilio, field)
    return value


def responsable(ficha: Borrador, papel: Literal["tecnico", "legal"]) -> ContactoBorrador | None:
    """Whom the form names: the first who has all four data (MOR-A2-3, MEX-A1-3), else the first of that role."""
    people = ficha.de_papel(papel)
    whole = (one for one in people if all(getattr(one, field) for field in CUATRO))
    return next(whole, people[0] if people else None)


def _person(ficha: Borrador, papel: Literal["tecnico", "legal"]) -> str | None:
    one = responsable(ficha, papel)
    data = [] if one is None else [value for field in CUATRO if (value := getattr(one, field))]
    return "; ".join(data) if len(data) == len(CUATRO) else None


def _blanks(ficha: Borrador, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Which of ``keys`` nothing is written in, each at its path in the file."""
    found = []
    for key in keys:
        table, _, field = key.rpartition(".")
        match table:
            case "tecnico" | "legal":
                one = responsable(ficha, table)
                place = len(ficha.contacto) if one is None else ficha.contacto.index(one)
                path, value = f"contacto[{place}].{field}", None if one is None else getattr(one, field)
            case "":
                path, value = key, getattr(ficha, key)
            case _:
                held = getattr(ficha, table)
                path, value = key, None if held is None else getattr(held, field)
        if not value:
            found.append(path)
    return tuple(found)


def _quoted(text: str) -> str:
    # A JSON string is a TOML one, but for a character that no form has.
    return json.dumps(text, ensure_ascii=False)


@dataclass(frozen=True)
class _Conocida:
    """How a question is answered, and of which keys: ``tecnico.`` and ``legal.`` are of the contact of that role."""

    halla: Callable[[Borrador], str | None]
    claves: tuple[str, ...]


CUATRO = ("nombre", "telefono", "celular", "correo")
"""The data of a person that the forms of Morelos and México ask for."""
CONOCIDAS: Mapping[str, _Conocida] = {
    "Dominio de publicación": _Conocida(lambda ficha: urlsplit(ficha.url or "").hostname, ("url",)),
    "Nombre completo del contacto técnico": _Conocida(
        lambda ficha: _of(ficha, "tecnico", "nombre"), ("tecnico.nombre",)
    ),
    "Compañía / Entidad a la que representa": _Conocida(lambda ficha: ficha.nombre, ("nombre",)),
    "Teléfono fijo": _Conocida(lambda ficha: _of(ficha, "tecnico", "telefono"), ("tecnico.telefono",)),
    "Teléfono móvil": _Conocida(lambda ficha: _of(ficha, "tecnico", "celular"), ("tecnico.celular",)),
    "Email": _Conocida(lambda ficha: _of(ficha, "tecnico", "correo"), ("tecnico.correo",)),
    "Dirección completa": _Conocida(lambda ficha: _place(ficha, "direccion"), ("domicilio.direccion",)),
    "Ciudad": _Conocida(lambda ficha: _place(ficha, "ciudad"), ("domicilio.ciudad",)),
    "Estado": _Conocida(lambda ficha: _place(ficha, "estado"), ("domicilio.estado",)),
    "Nombre del medio difusor": _Conocida(lambda ficha: ficha.nombre, ("nombre",)),
    "Dirección del sitio web": _Conocida(lambda ficha: ficha.sitio, ("sitio",)),
    "Propuesta de enlace (liga de acceso)": _Conocida(lambda ficha: ficha.url, ("url",)),
    "Responsable técnico: nombre, teléfono, celular, email": _Conocida(
        lambda ficha: _person(ficha, "tecnico"), tuple(f"tecnico.{field}" for field in CUATRO)
    ),
    "Responsable legal: nombre, teléfono, celular, email": _Conocida(
        lambda ficha: _person(ficha, "legal"), tuple(f"legal.{field}" for field in CUATRO)
    ),
    "IP o dominio de cuenta FTP; usuario y contraseña FTP": _Conocida(lambda _: SIN_FTP, ()),
    "Software del servidor web": _Conocida(lambda ficha: ficha.infraestructura.software, ("infraestructura.software",)),
    "Características de hardware": _Conocida(
        lambda ficha: ficha.infraestructura.hardware, ("infraestructura.hardware",)
    ),
    "Infraestructura de alimentación eléctrica": _Conocida(
        lambda ficha: ficha.infraestructura.energia, ("infraestructura.energia",)
    ),
    "Infraestructura de red y seguridad de acceso": _Conocida(
        lambda ficha: ficha.infraestructura.red, ("infraestructura.red",)
    ),
}
"""How each question of the calls is answered: GRO-1.7d, MOR-A2-1 to MOR-A2-7, MEX-A1-1 to MEX-A1-6."""
