"""What each call's form asks, answered with what the ficha says, and what is still missing.

The profile gives the questions in the words of the text (``formulario.campos``); the ones of the five calls are known
here by those words. A question that is not known, of an institute's own profile, is answered in ``[respuestas]``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pregon.instituto.registro import contactos

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.registro.modelo import Contacto, Domicilio, Ficha

SIN_FTP = "No aplica: cuenta SSH con llave pública; nunca FTP ni contraseña"
"""The answer to the question for an FTP account and its password (MOR-A2-5, MEX-A1-5)."""


def respuestas(ficha: Ficha, convocatoria: Convocatoria) -> dict[str, str | None]:
    """Each question of the call's form, in its order, with its answer; None where the ficha gives none.

    After them go the answers of ``[respuestas]`` that no question asks for: the columns of an annex that the text
    does not bring (DGO-II-f).
    """
    known = _known()
    answers: dict[str, str | None] = {}
    for question in convocatoria.formulario.campos:
        own = ficha.respuestas.get(question)
        find = known.get(question)
        answers[question] = own if own is not None or find is None else find(ficha)
    return answers | {key: value for key, value in ficha.respuestas.items() if key not in answers}


def faltantes(ficha: Ficha, convocatoria: Convocatoria) -> tuple[str, ...]:
    """What keeps a difusor from being admitted, in Spanish, each with its clause or question; empty, nothing."""
    missing = [f"Formulario: {question}" for question, answer in respuestas(ficha, convocatoria).items() if not answer]
    missing += [f"Contacto técnico para la etapa «{name}»" for name in contactos.sin_contacto(ficha, convocatoria)]
    received = {one.nombre for one in ficha.documento}
    missing += [f"Documento: {name}" for name in convocatoria.documentos if name not in received]
    if convocatoria.participantes and ficha.tipo not in convocatoria.participantes:
        missing.append(f"La convocatoria no admite difusores de tipo «{ficha.tipo}»")
    wanted = convocatoria.minimos.ip_publicas_por_servidor
    if wanted and not ficha.infraestructura.ip:
        missing.append("Dirección IP pública de cada servidor ([infraestructura] ip)")
    if ficha.dispensa and not convocatoria.minimos.dispensa:
        missing.append("La convocatoria no prevé dispensas de infraestructura")
    missing += [f"Dispensa {one.decision}: {one.concepto}" for one in ficha.dispensa if one.decision != "aceptada"]
    if ficha.personalizada is not None and convocatoria.personalizacion == "no":
        missing.append("La convocatoria no permite la presentación personalizada")
    return tuple(missing)


def plantilla(convocatoria: Convocatoria) -> str:
    """A ficha to fill in, TOML: every key, the call's stages, documents and questions that have no key of their own."""
    known = _known()
    stages = ", ".join(_quoted(one.nombre) for one in contactos.etapas(convocatoria))
    lines = [
        f"# Ficha de un difusor: {convocatoria.nombre}. Lo que no aplique se quita.",
        'nombre = ""',
        f"tipo = {_quoted((convocatoria.participantes or ('medios',))[0])}  # academia, osc o medios",
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
    for name in convocatoria.documentos:
        lines += ["", "[[documento]]", f"nombre = {_quoted(name)}", "# recibido = 2024-05-18", '# sha256 = ""']
    own = [question for question in convocatoria.formulario.campos if question not in known]
    if own or not convocatoria.formulario.campos:
        lines += ["", "[respuestas]", *(f'{_quoted(question)} = ""' for question in own)]
        if convocatoria.formulario.anexo and not own:
            lines.append(f'# Cada columna de {convocatoria.formulario.anexo}, con sus palabras: "Columna" = "valor"')
    return "\n".join(lines) + "\n"


def _known() -> Mapping[str, Callable[[Ficha], str | None]]:
    """How each question of the calls is answered: GRO-1.7d, MOR-A2-1 to MOR-A2-7, MEX-A1-1 to MEX-A1-6."""
    return {
        "Dominio de publicación": lambda ficha: urlsplit(ficha.url).hostname,
        "Nombre completo del contacto técnico": lambda ficha: _of(ficha, "tecnico", "nombre"),
        "Compañía / Entidad a la que representa": lambda ficha: ficha.nombre,
        "Teléfono fijo": lambda ficha: _of(ficha, "tecnico", "telefono"),
        "Teléfono móvil": lambda ficha: _of(ficha, "tecnico", "celular"),
        "Email": lambda ficha: _of(ficha, "tecnico", "correo"),
        "Dirección completa": lambda ficha: _place(ficha.domicilio, "direccion"),
        "Ciudad": lambda ficha: _place(ficha.domicilio, "ciudad"),
        "Estado": lambda ficha: _place(ficha.domicilio, "estado"),
        "Nombre del medio difusor": lambda ficha: ficha.nombre,
        "Dirección del sitio web": lambda ficha: ficha.sitio,
        "Propuesta de enlace (liga de acceso)": lambda ficha: ficha.url,
        "Responsable técnico: nombre, teléfono, celular, email": lambda ficha: _person(ficha.de_papel("tecnico")),
        "Responsable legal: nombre, teléfono, celular, email": lambda ficha: _person(ficha.de_papel("legal")),
        "IP o dominio de cuenta FTP; usuario y contraseña FTP": lambda _: SIN_FTP,
        "Software del servidor web": lambda ficha: ficha.infraestructura.software,
        "Características de hardware": lambda ficha: ficha.infraestructura.hardware,
        "Infraestructura de alimentación eléctrica": lambda ficha: ficha.infraestructura.energia,
        "Infraestructura de red y seguridad de acceso": lambda ficha: ficha.infraestructura.red,
    }


def _of(ficha: Ficha, papel: Literal["tecnico"], field: str) -> str | None:
    """The field of the first contact that has it: the form asks for one phone, the roster has several people."""
    return next((value for one in ficha.de_papel(papel) if (value := getattr(one, field))), None)


def _place(domicilio: Domicilio | None, field: str) -> str | None:
    return None if domicilio is None else str(getattr(domicilio, field))


def _person(people: tuple[Contacto, ...]) -> str | None:
    """The four data of the first who has all of them (MOR-A2-3, MEX-A1-3)."""
    for one in people:
        if one.telefono and one.celular and one.correo:
            return f"{one.nombre}; {one.telefono}; {one.celular}; {one.correo}"
    return None


def _quoted(text: str) -> str:
    # A JSON string is a TOML one, but for a character that no form has.
    return json.dumps(text, ensure_ascii=False)
