"""The compliance report of a call: as JSON, as one HTML file, and as a tagged PDF that one hands to an auditor.

HTML carries its style and asks for nothing. The PDF is made by typst with the fonts it brings (extra ``papeles``):
PDF/UA-1, the same bytes for the same data.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined

import pregon
from pregon.base.fechas import fecha_larga
from pregon.base.hashing import grupos, sha256_bytes
from pregon.convocatoria.clausulas import clausulas_de
from pregon.convocatoria.escribe import to_toml_text
from pregon.convocatoria.lectura import in_words
from pregon.difusor.cumplimiento.estado import Pruebas, dictamina
from pregon.difusor.cumplimiento.evidencia import ESTADOS
from pregon.difusor.cumplimiento.mediciones import mide
from pregon.difusor.cumplimiento.registros import reune
from pregon.documentos.pdf import compone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.cumplimiento.declaraciones import Declaracion, Declarado, Dispensa
    from pregon.difusor.cumplimiento.estado import Dictamen
    from pregon.difusor.cumplimiento.evidencia import Estado
    from pregon.difusor.workspace import Workspace

FORMATO = "pregon/cumplimiento/1"
_QUIEN = {
    "difusor": "al difusor",
    "instituto": "al instituto",
    "ambos": "al difusor y al instituto",
    "ninguno": "a nadie",
}
_MARCAS = {
    "no_cumple": "✕",
    "pendiente": "…",
    "dispensado": "◆",
    "declarado": "✎",
    "cumple": "✓",
    "fuera_de_alcance": "○",
    "no_aplica": "–",
}
"""State without colour: what a grey print and who sees no colours read."""
_DICE = {
    "no_cumple": "Se comprobó, o venció el plazo, y no se cumple.",
    "pendiente": "Aún no puede decirse: la noche no ha ocurrido, o falta medir o declarar algo.",
    "dispensado": "No se cumple y el instituto lo aceptó: consta quién y cuándo.",
    "declarado": "Lo dijo una persona, con su nombre y fecha; un programa no puede verlo.",
    "cumple": "Se comprobó y se cumple.",
    "fuera_de_alcance": "El texto no lo dice, o ningún programa puede comprobarlo.",
    "no_aplica": "Le toca al instituto, o el texto lo deja a elección y no se usa.",
}
_MARCADO = re.compile(r"\*{2,}|(?<!\S)#{1,6}(?=\s)")
"""Marks of bold and of headings that the files of the texts carry; the calls, as printed, have none."""
_VINETA = re.compile(r"^[-•] |(?<=[:;.] )- (?=(?:[a-z]|\d{1,2})[.)] )")
"""And of the items of a list: the first one, and those before the letter or number that the print does have."""
_ENLACE = re.compile(r"\[([^\[\]]+)\]\([^()\s]+\)")
_REVISION = {"bien": "Bien", "aviso": "Aviso", "falla": "Falla"}


@dataclass(frozen=True)
class Informe:
    """Everything that the report says. ``difusor`` None: there is none yet, only what the call will ask."""

    convocatoria: Convocatoria
    hora: datetime
    difusor: str | None
    nodo: str | None
    ambiente: str | None
    dictamenes: tuple[Dictamen, ...]
    pruebas: Pruebas | None

    @property
    def resumen(self) -> dict[Estado, int]:
        """How many clauses are in each state, worst first; every state is there."""
        counts = Counter(one.estado for one in self.dictamenes)
        return {state: counts[state] for state in ESTADOS}

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        proofs = self.pruebas
        return {
            "formato": FORMATO,
            "convocatoria": self.convocatoria.id,
            "perfil_sha256": perfil_sha256(self.convocatoria),
            "difusor": self.difusor,
            "nodo": self.nodo,
            "ambiente": self.ambiente,
            "hora": self.hora.isoformat(),
            "version": pregon.__version__,
            "resumen": self.resumen,
            "clausulas": [one.as_dict() for one in self.dictamenes],
            "declaraciones": None if proofs is None else proofs.declarado.model_dump(mode="json"),
            "revision": None
            if proofs is None or proofs.revision is None
            else {
                "hora": proofs.revision.hora.isoformat(),
                "version": proofs.revision.version,
                "sha256": proofs.revision.evidencia.sha256,
                "comprobaciones": list(proofs.revision.comprobaciones),
            },
        }


def perfil_sha256(convocatoria: Convocatoria) -> str:
    """SHA-256 of the profile as ``to_toml_text`` writes it: which values the report is of."""
    return sha256_bytes(to_toml_text(convocatoria).encode())


def de_convocatoria(convocatoria: Convocatoria, *, hora: datetime) -> Informe:
    """What a call will ask of a difusor: every clause, nothing of it done yet.

    Raises:
        EntradaError: nobody wrote the clauses of that call.
    """
    verdicts = dictamina(clausulas_de(convocatoria.id), convocatoria, None)
    return Informe(convocatoria, hora, None, None, None, verdicts, None)


def de_difusor(workspace: Workspace, *, clock: Clock, disk: Disk) -> Informe:
    """The report of one difusor, now. Changes nothing.

    Raises:
        EntradaError: nobody wrote the clauses of its call.
        AjustesError, DanadoError, DiscoError: what it keeps cannot be read.
    """
    call = workspace.convocatoria
    clauses = clausulas_de(call.id)
    records = reune(workspace, clock=clock, disk=disk)
    proofs = Pruebas(
        ahora=records.ahora,
        version=pregon.__version__,
        mediciones=mide(records),
        revision=records.revision,
        declarado=records.declarado,
        documentos_mal=records.documentos_mal,
    )
    settings = workspace.settings
    verdicts = dictamina(clauses, call, proofs)
    return Informe(call, records.ahora, settings.id, settings.nodo, settings.ambiente, verdicts, proofs)


def html(report: Informe) -> bytes:
    """One HTML file, self-contained: every text escaped, no script, nothing fetched."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_resource("informe.html").decode())
    return template.render(_view(report)).encode()


def pdf(report: Informe) -> bytes:
    """A PDF/UA-1 document.

    Raises:
        AjustesError: typst is not installed.
    """
    return compone(
        _resource("informe.typ"), _view(report), hora=report.hora, sin_papeles="o use --html, que no lo necesita."
    )


def _resource(name: str) -> bytes:
    return resources.files("pregon.difusor.cumplimiento").joinpath(name).read_bytes()


def _view(report: Informe) -> dict[str, Any]:
    """What both templates show: texts only, as people read them."""
    call, proofs = report.convocatoria, report.pruebas
    made = report.hora.astimezone(call.zona)
    kept = None if proofs is None else proofs.revision
    return {
        "titulo": f"Cumplimiento de {call.nombre}",
        "convocatoria": call.id,
        "nombre": call.nombre,
        "instituto": call.instituto_nombre or call.instituto,
        "difusor": report.difusor or "",
        "nodo": report.nodo or "",
        "ambiente": report.ambiente or "",
        "hecho": in_words(made.replace(microsecond=0)),
        "fecha": [made.year, made.month, made.day],
        "version": pregon.__version__,
        "perfil": grupos(perfil_sha256(call)),
        "total": len(report.dictamenes),
        "resumen": [
            {"estado": state, "nombre": ESTADOS[state], "marca": _MARCAS[state], "dice": _DICE[state], "n": count}
            for state, count in report.resumen.items()
        ],
        "por_atender": [
            {"id": one.clausula.id, "titulo": one.clausula.titulo, "estado": one.estado, "nombre": ESTADOS[one.estado]}
            for one in report.dictamenes
            if one.estado == "no_cumple"
        ],
        "clausulas": [_clause(one, report) for one in report.dictamenes],
        "declaraciones": [] if proofs is None else _papers(proofs.declarado),
        "revision": None
        if kept is None
        else {
            "hora": in_words(kept.hora.astimezone(call.zona).replace(microsecond=0)),
            "version": kept.version,
            "sha256": grupos(kept.evidencia.sha256 or ""),
            "comprobaciones": [
                {
                    key: str(one[key] or "")
                    for key in ("codigo", "clausula", "que", "medido", "minimo", "estado", "arreglo")
                }
                | {"nombre": _REVISION[one["estado"]]}
                for one in kept.comprobaciones
            ],
        },
    }


def _clause(one: Dictamen, report: Informe) -> dict[str, Any]:
    clause = one.clausula
    zone = report.convocatoria.zona
    return {
        "id": clause.id,
        "quien": _QUIEN[clause.quien],
        "titulo": clause.titulo,
        "lineas": _lines(clause.lineas),
        "cita": _cita(clause.cita),
        "nota": clause.nota or "",
        "estado": one.estado,
        "nombre": ESTADOS[one.estado],
        "marca": _MARCAS[one.estado],
        "pasos": [
            {
                "estado": step.estado,
                "nombre": ESTADOS[step.estado],
                "como": step.como,
                "hallado": step.hallado,
                "evidencia": [
                    {
                        "que": proof.que,
                        "archivo": proof.archivo or "",
                        "sha256": grupos(proof.sha256 or ""),
                        "fecha": "" if proof.fecha is None else f"{proof.fecha.astimezone(zone):%d/%m/%Y %H:%M:%S}",
                    }
                    for proof in step.evidencia
                ],
            }
            for step in one.pasos
        ],
    }


def _cita(text: str) -> str:
    """A quotation as it is printed in the call, without what the file of its text marks it with."""
    plain = " ".join(_MARCADO.sub("", text).replace("\uf0b7", "•").split())
    return _ENLACE.sub(r"\1", _VINETA.sub("", plain))


def _lines(spans: Sequence[tuple[int, int]]) -> str:
    """Lines of the call's text: «renglón 140», «renglones 29 a 30 y 44»; empty for none."""
    if not spans:
        return ""
    word = "renglón" if len(spans) == 1 and spans[0][0] == spans[0][1] else "renglones"
    return f"{word} " + " y ".join(f"{a}" if a == b else f"{a} a {b}" for a, b in spans)


def _papers(declared: Declarado) -> list[dict[str, str]]:
    rows: list[tuple[Declaracion | Dispensa, str]] = [
        *((one, f"Declaración «{one.clave}»") for one in declared.declaracion),
        *((one, f"Dispensa de {one.clausula}") for one in declared.dispensa),
    ]
    return [
        {
            "que": label,
            "vale": "Vale" if declared.vale(one) else "Reemplazada",
            "quien": one.quien,
            "fecha": fecha_larga(one.fecha),
            "hora": f"{one.hora:%d/%m/%Y %H:%M:%S}",
            "texto": one.texto or "",
            "nombre": one.nombre or "",
            "sha256": grupos(one.sha256 or ""),
        }
        for one, label in rows
    ]
