"""The verdict of each clause. Pure: clauses, profile, preflight, measurements, declarations and waivers go in.

The state of a clause is the worst of its ways. A waiver turns ``no_cumple`` into ``dispensado`` (GRO-2.6), and nothing
else: what is only pending is not waived. What a machine could not measure (``aviso``) is pending until somebody
declares it under the code in lower case; what it measured to fail is never good by declaration.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pregon.base.fechas import fecha_larga
from pregon.convocatoria.calendario import fechas
from pregon.convocatoria.clausulas import del_perfil
from pregon.convocatoria.lectura import in_words
from pregon.difusor.cumplimiento.declaraciones import CARPETA, DOCUMENTOS, Declarado
from pregon.difusor.cumplimiento.evidencia import Estado, Evidencia, Medicion, peor
from pregon.difusor.cumplimiento.valores import en_palabras

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pregon.convocatoria.clausulas import Clausula, Manera
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.cumplimiento.declaraciones import Declaracion, Dispensa
    from pregon.difusor.cumplimiento.registros import Revision

PLAZO_DE = {
    "aviso": "plazos.solicitud",
    "solicitud": "plazos.solicitud",
    "carta": "plazos.solicitud",
    "logo": "plazos.logo",
    "analisis_capacidad": "plazos.analisis_capacidad",
    "memoria": "plazos.memoria_entrega",
    "procedimientos": "plazos.documentos",
    "diagrama": "plazos.documentos",
}
"""The deadline of the call by which each declaration is due, where its profile has it."""
_DE_REVISION: dict[str, Estado] = {"bien": "cumple", "aviso": "pendiente", "falla": "no_cumple"}
"""From best to worst: what a check of the preflight means for a clause."""
_GRAVEDAD = tuple(_DE_REVISION)


@dataclass(frozen=True)
class Pruebas:
    """What is known of one difusor at an instant. ``documentos_mal``: what ails a document, by its name."""

    ahora: datetime
    version: str
    mediciones: Mapping[str, Medicion] = field(default_factory=dict)
    revision: Revision | None = None
    declarado: Declarado = field(default_factory=Declarado)
    documentos_mal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Paso:
    """One way of a clause: what was looked at (``como``), its state, what was found, and the proofs."""

    manera: str
    estado: Estado
    como: str
    hallado: str
    evidencia: tuple[Evidencia, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            "manera": self.manera,
            "estado": self.estado,
            "como": self.como,
            "hallado": self.hallado,
            "evidencia": [one.as_dict() for one in self.evidencia],
        }


@dataclass(frozen=True)
class Dictamen:
    """A clause and its verdict. ``dispensa``: the waiver, in words, where the institute gave one."""

    clausula: Clausula
    estado: Estado
    pasos: tuple[Paso, ...]
    dispensa: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        clause = self.clausula
        return {
            "id": clause.id,
            "quien": clause.quien,
            "titulo": clause.titulo,
            "cita": clause.cita,
            "lineas": [list(pair) for pair in clause.lineas],
            "nota": clause.nota,
            "estado": self.estado,
            "dispensa": self.dispensa,
            "comprobado": [one.as_dict() for one in self.pasos],
        }


def dictamina(
    clausulas: tuple[Clausula, ...], convocatoria: Convocatoria, pruebas: Pruebas | None
) -> tuple[Dictamen, ...]:
    """The verdict of every clause, in their order. ``pruebas`` None: there is no difusor yet, and all is to be done."""
    judge = _Juez(convocatoria, pruebas)
    return tuple(judge.clause(one) for one in clausulas)


class _Juez:
    def __init__(self, call: Convocatoria, proofs: Pruebas | None) -> None:
        self._call = call
        self._proofs = proofs
        self._dates = {one.clave: one for one in fechas(call)}
        foreseen = ", ".join(del_perfil(call.id, "minimos.dispensa")) or "como caso que el texto no prevé"
        self._waiver = f"El instituto acepta lo que se tiene ({foreseen}): «pregon difusor dispensa»."

    def clause(self, clause: Clausula) -> Dictamen:
        """One clause: each way by itself, then the worst; the institute's own duties are not judged here."""
        ours = self._ours(clause)
        steps = tuple(self._step(way, clause) for way in clause.como)
        if not ours:
            return Dictamen(clause, "no_aplica", steps)
        state = peor(step.estado for step in steps if step.estado != "no_aplica")
        waiver = None if self._proofs is None else self._proofs.declarado.dispensa_de(clause.id)
        if waiver is None or self._proofs is None:
            return Dictamen(clause, state, steps)
        wrong = self._wrong(waiver)
        found = f"Dispensa de {waiver.quien}, {fecha_larga(waiver.fecha)}."
        found += f" Dice: «{waiver.texto.rstrip('.')}»." if waiver.texto else ""
        step = Paso("dispensa", "no_cumple" if wrong else "dispensado", self._waiver, wrong or found, _paper(waiver))
        if state == "no_cumple" and wrong is None:
            state = "dispensado"
        return Dictamen(clause, state, (*steps, step), found)

    def _ours(self, clause: Clausula) -> bool:
        if all(way.modo != "instituto" for way in clause.como):
            return True
        return clause.quien == "ambos" and any(way.modo in ("declara", "medicion", "revision") for way in clause.como)

    def _step(self, way: Manera, clause: Clausula) -> Paso:
        match way.modo:
            case "instituto":
                return Paso(str(way), "no_aplica", "Le toca al instituto.", "No se juzga al difusor por ello.")
            case "fuera":
                return Paso(str(way), "fuera_de_alcance", "Ningún programa puede comprobarlo.", "La nota dice por qué.")
            case "perfil":
                return self._profile(way, clause)
            case "programa":
                return self._program(way, clause)
            case "revision":
                return self._declarable(way, self._check(way))
            case "medicion":
                return self._declarable(way, self._measure(way))
            case _:
                return self._declared(way)

    def _profile(self, way: Manera, clause: Clausula) -> Paso:
        value = en_palabras(self._call, way.dato)
        what = f"Pregón trabaja con ese valor del perfil («{way.dato}»)."
        value = f"El perfil dice: {value}."
        if self._proofs is None:
            return Paso(str(way), "pendiente", what, value)
        due = self._dates.get(way.dato)
        keys = [one.dato for one in clause.como if one.modo == "declara"]
        if due is None or not due.limite or due.quien != "difusor" or not keys:
            return Paso(str(way), "cumple", what, value)
        state, found = self._in_time(way.dato, [self._proofs.declarado.de(key) for key in keys])
        return Paso(str(way), state, "Se compara la fecha de lo declarado con el plazo del calendario.", found)

    def _in_time(self, key: str, said: list[Declaracion | None]) -> tuple[Estado, str]:
        """How the days of some declarations stand against a deadline."""
        due = self._dates[key]
        limit = self._call.vence(due.hasta)
        last = limit.astimezone(self._call.zona).date()
        told = [one for one in said if one is not None]
        now = self._proofs.ahora if self._proofs else limit
        if len(told) < len(said):
            return ("pendiente", f"Plazo: {due.cuando()}.") if now <= limit else (
                "no_cumple", f"El plazo venció y no se ha declarado: {due.cuando()}."
            )  # fmt: skip
        day = max(one.fecha for one in told)
        if day > last:
            return "no_cumple", f"Se hizo el {fecha_larga(day)}, {_days((day - last).days)} tarde: {due.cuando()}."
        return "cumple", f"Se hizo el {fecha_larga(day)}, en tiempo: {due.cuando()}."

    def _program(self, way: Manera, clause: Clausula) -> Paso:
        what = "Pregón lo hace por construcción; cada versión se prueba, y no se publica si la prueba falla."
        version = "" if self._proofs is None else f"Pregón {self._proofs.version}. "
        names = ", ".join(clause.pruebas)
        state: Estado = "pendiente" if self._proofs is None else "cumple"
        return Paso(str(way), state, what, f"{version}Prueba: {names}.")

    def _check(self, way: Manera) -> Paso:
        what = f"Lo mide «pregon difusor revisa» ({way.dato})."
        kept = None if self._proofs is None else self._proofs.revision
        if kept is None:
            found = (
                "No se ha revisado." if self._proofs is None else "No hay una revisión guardada («revisa --guarda»)."
            )
            return Paso(str(way), "pendiente", what, found)
        if way.dato == "REVISION_GUARDADA":
            when = in_words(kept.hora.astimezone(self._call.zona))
            return Paso(str(way), "cumple", what, f"Revisión guardada el {when}.", (kept.evidencia,))
        found_here = [one for one in kept.comprobaciones if one["codigo"] == way.dato]
        if not found_here:
            return Paso(
                str(way), "pendiente", what, "La revisión guardada no trae esta comprobación.", (kept.evidencia,)
            )
        worst = max(found_here, key=lambda one: _GRAVEDAD.index(one["estado"]))
        state = _DE_REVISION[worst["estado"]]
        text = f"{worst['que']}. Medido: {worst['medido']}. Debe: {worst['minimo']}."
        if worst["arreglo"]:
            text += f" {worst['arreglo']}"
        return Paso(str(way), state, what, text, (kept.evidencia,))

    def _measure(self, way: Manera) -> Paso:
        what = f"Se mide con los registros de la noche de este difusor ({way.dato})."
        if self._proofs is None:
            return Paso(str(way), "pendiente", what, "La noche no ha ocurrido.")
        found = self._proofs.mediciones[way.dato]
        return Paso(str(way), found.estado, what, found.dicho, found.evidencia)

    def _declarable(self, way: Manera, step: Paso) -> Paso:
        """The same, or declared: what could not be measured, and only that, may be said by a person."""
        if step.estado != "pendiente" or self._proofs is None:
            return step
        said = self._proofs.declarado.de(way.dato.lower())
        if said is None:
            return step
        wrong = self._wrong(said)
        text = f"{step.hallado} {wrong or _said(said)}"
        return Paso(
            step.manera, "no_cumple" if wrong else "declarado", step.como, text, (*step.evidencia, *_paper(said))
        )

    def _declared(self, way: Manera) -> Paso:
        what = f"Lo declara una persona («pregon difusor declara», clave «{way.dato}»)."
        due = self._dates.get(PLAZO_DE.get(way.dato, ""))
        limit = "" if due is None else f" Plazo: {due.cuando()}."
        said = None if self._proofs is None else self._proofs.declarado.de(way.dato)
        if said is None and self._optional(way.dato):
            return Paso(
                str(way), "no_aplica", what, "El texto lo recomienda o lo deja a elección, y no se ha declarado."
            )
        if said is None:
            return Paso(str(way), "pendiente", what, f"No se ha declarado.{limit}")
        wrong = self._wrong(said)
        if wrong is not None:
            return Paso(str(way), "no_cumple", what, wrong, _paper(said))
        late = ""
        if due is not None and said.fecha > (last := self._call.vence(due.hasta).astimezone(self._call.zona).date()):
            late = f" Es {_days((said.fecha - last).days)} después del plazo ({due.cuando()})."
        return Paso(str(way), "declarado", what, _said(said) + late, _paper(said))

    def _optional(self, key: str) -> bool:
        """Whether the profile says that what a key declares is only recommended, or optional."""
        names = type(self._call).model_fields
        name = next((one for one in (key, f"{key}_redundante") if one in names), None)
        return name is not None and getattr(self._call, name) in ("recomendado", "opcional")

    def _wrong(self, said: Declaracion | Dispensa) -> str | None:
        if said.documento is None or self._proofs is None:
            return None
        return self._proofs.documentos_mal.get(said.documento)


def _said(one: Declaracion) -> str:
    words = f" «{one.texto.rstrip('.')}»." if one.texto else ""
    paper = f" Documento: {one.nombre}." if one.nombre else ""
    return f"Lo declaró {one.quien}, con fecha {fecha_larga(one.fecha)}.{words}{paper}"


def _paper(one: Declaracion | Dispensa) -> tuple[Evidencia, ...]:
    if one.documento is None:
        return (Evidencia("Declaración", f"{CARPETA}/declaraciones.toml", None, one.hora),)
    return (Evidencia(f"Documento {one.nombre}", f"{CARPETA}/{DOCUMENTOS}/{one.documento}", one.sha256, one.hora),)


def _days(n: int) -> str:
    return "un día" if n == 1 else f"{n} días"
