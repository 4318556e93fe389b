"""What may be done from the board: by whom, with which fields, and when a request is refused. Pure.

Whoever asks writes why, always. What takes a difusor away from people, or gives it back by an order, is asked for by
typing the difusor's id once more. A request is read here once: what comes out of ``lee`` can be carried out.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from pregon.instituto.proceso.a_mano import TEXTO_MAX as ADVERTENCIA_MAX
from pregon.instituto.tablero.cuentas import OPERADOR, PAPELES, TITULAR
from pregon.trust.aviso import CORTE_MAX, MOTIVO_MAX, TEXTO_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Clave: TypeAlias = Literal["entrega", "advierte", "anota", "suspende", "reactiva", "confirma", "descarta"]
Clase: TypeAlias = Literal["difusor", "orden", "corte", "linea", "texto", "renglones", "casilla"]

MOTIVO_MIN: Final = 5
"""Characters of a reason: fewer say nothing to whoever reads the journal in a month."""
EVIDENCIAS_MAX: Final = 10
EVIDENCIA_MAX: Final = 300
_LETRA: Final = "!-~¡-¬®-ͯ‐-‧‰-⁞₠-₿←-⇿"
"""Characters of what people write: Latin letters with any accent, figures, the usual signs. None that is not seen."""
_CON_ESPACIO: Final = f" {_LETRA}"


@dataclass(frozen=True, kw_only=True)
class Campo:
    """One field of a form. ``patron``: what its whole value must match; ``falta``: what is said where it does not."""

    nombre: str
    clase: Clase
    etiqueta: str
    patron: str
    falta: str
    maximo: int
    ayuda: str = ""
    obligatorio: bool = True


@dataclass(frozen=True, kw_only=True)
class Accion:
    """One thing that may be done. ``papel``: the least role that may; ``pide``: what it does, in words of a button."""

    clave: Clave
    papel: str
    pide: str
    explica: str
    campos: tuple[Campo, ...]
    grave: bool = False
    """Whether it takes a difusor away from people, or changes what they see of it."""

    def campo(self, nombre: str) -> Campo | None:
        """The field of that name."""
        return next((one for one in self.campos if one.nombre == nombre), None)


@dataclass(frozen=True, kw_only=True)
class Peticion:
    """A request that may be carried out. ``numero``: of the form, spent once. ``responde_a``: what it answers to."""

    accion: Clave
    numero: str
    cuenta: str
    papel: str
    motivo: str
    difusor: str | None = None
    orden: str | None = None
    corte: int | None = None
    texto: str | None = None
    evidencia: tuple[str, ...] = ()
    completo: bool = False
    responde_a: str | None = None


def texto_de(minimo: int, maximo: int) -> str:
    """The pattern of a text of one line: so many characters, neither beginning nor ending with a space."""
    return f"[{_LETRA}][{_CON_ESPACIO}]{{{minimo - 2},{maximo - 2}}}[{_LETRA}]"


_PARRAFOS: Final = f"[{_LETRA}][{_CON_ESPACIO}\\n]{{3,{ADVERTENCIA_MAX - 2}}}[{_LETRA}]"
_RENGLON: Final = f"[{_LETRA}][{_CON_ESPACIO}]{{0,{EVIDENCIA_MAX - 1}}}"
_SIGNOS: Final = "con letras, números y signos usuales"
NUMERO: Final = Campo(
    nombre="numero",
    clase="linea",
    etiqueta="Número del formulario",
    patron="[A-Za-z0-9_-]{16,64}",
    falta="Vuelva a abrir el formulario: su número no es válido.",
    maximo=64,
)
RESPONDE: Final = Campo(
    nombre="responde_a",
    clase="linea",
    etiqueta="Lo que se atiende",
    patron="[a-z]{3,16}/[A-Za-z0-9._/-]{1,100}",
    falta="No se entiende a qué responde.",
    maximo=120,
    obligatorio=False,
)
MOTIVO: Final = Campo(
    nombre="motivo",
    clase="linea",
    etiqueta="Motivo",
    patron=texto_de(MOTIVO_MIN, MOTIVO_MAX),
    falta=f"Escriba el motivo: de {MOTIVO_MIN} a {MOTIVO_MAX} caracteres, {_SIGNOS}.",
    maximo=MOTIVO_MAX,
    ayuda="Queda en la bitácora con su cuenta.",
)
_MOTIVO_PUBLICO: Final = Campo(
    nombre="motivo",
    clase="linea",
    etiqueta="Motivo",
    patron=MOTIVO.patron,
    falta=MOTIVO.falta,
    maximo=MOTIVO_MAX,
    ayuda="Queda en la bitácora con su cuenta, y en el aviso firmado, que es público.",
)
_DIFUSOR: Final = Campo(
    nombre="difusor",
    clase="difusor",
    etiqueta="Difusor",
    patron="[a-z0-9-]{2,32}",
    falta="Elija un difusor.",
    maximo=32,
)
_DIFUSOR_SI_ACASO: Final = Campo(
    nombre="difusor",
    clase="difusor",
    etiqueta="Difusor, si es de uno",
    patron=_DIFUSOR.patron,
    falta=_DIFUSOR.falta,
    maximo=32,
    obligatorio=False,
)
_CORTE: Final = Campo(
    nombre="corte",
    clase="corte",
    etiqueta="Corte",
    patron="0|[1-9][0-9]{0,3}",
    falta=f"El corte es un número de 0 a {CORTE_MAX}.",
    maximo=4,
    obligatorio=False,
)
_ORDEN: Final = Campo(
    nombre="orden",
    clase="orden",
    etiqueta="Orden",
    patron="O[0-9]{4,6}",
    falta="Elija la orden.",
    maximo=7,
)
_EVIDENCIA: Final = Campo(
    nombre="evidencia",
    clase="renglones",
    etiqueta="Evidencia",
    patron=f"{_RENGLON}(\\n{_RENGLON}){{0,{EVIDENCIAS_MAX - 1}}}",
    falta=f"Escriba qué lo muestra: de 1 a {EVIDENCIAS_MAX} renglones, {_SIGNOS}.",
    maximo=EVIDENCIAS_MAX * (EVIDENCIA_MAX + 1),
    ayuda="Un renglón por cada prueba: números de observaciones, acuses, llamadas.",
)
_EVIDENCIA_SI_ACASO: Final = Campo(
    nombre="evidencia",
    clase="renglones",
    etiqueta="Evidencia",
    patron=_EVIDENCIA.patron,
    falta=_EVIDENCIA.falta,
    maximo=_EVIDENCIA.maximo,
    ayuda="Obligatoria si el difusor fue retirado por un ataque.",
    obligatorio=False,
)
_CIUDADANIA: Final = Campo(
    nombre="texto",
    clase="linea",
    etiqueta="Lo que leerá la ciudadanía en ese sitio",
    patron=texto_de(MOTIVO_MIN, TEXTO_MAX),
    falta=f"Ese texto lleva de {MOTIVO_MIN} a {TEXTO_MAX} caracteres, {_SIGNOS}.",
    maximo=TEXTO_MAX,
    ayuda="Si lo deja en blanco, el usual.",
    obligatorio=False,
)
_CONFIRMACION: Final = Campo(
    nombre="confirmacion",
    clase="linea",
    etiqueta="Escriba el identificador del difusor",
    patron=_DIFUSOR.patron,
    falta="No es el identificador del difusor: no se hizo nada.",
    maximo=32,
)

ACCIONES: Final[Mapping[Clave, Accion]] = {
    one.clave: one
    for one in (
        Accion(
            clave="entrega",
            papel=OPERADOR,
            pide="Entregar de nuevo",
            explica="Se le entrega ahora el corte más reciente, aunque su nodo esté en pausa.",
            campos=(
                _DIFUSOR,
                _CORTE,
                Campo(
                    nombre="completo",
                    clase="casilla",
                    etiqueta="El paquete completo, aunque bastaran los cambios",
                    patron="si",
                    falta="Marque la casilla o déjela en blanco.",
                    maximo=2,
                    obligatorio=False,
                ),
                MOTIVO,
            ),
        ),
        Accion(
            clave="advierte",
            papel=OPERADOR,
            pide="Advertir",
            explica="Se le escribe por todos sus canales. No cambia la cuenta de cortes fallidos.",
            campos=(
                _DIFUSOR,
                _CORTE,
                Campo(
                    nombre="texto",
                    clase="texto",
                    etiqueta="Lo que leerá el difusor",
                    patron=_PARRAFOS,
                    falta=f"Escriba la advertencia: de 5 a {ADVERTENCIA_MAX} caracteres, {_SIGNOS}.",
                    maximo=ADVERTENCIA_MAX,
                ),
                MOTIVO,
            ),
        ),
        Accion(
            clave="anota",
            papel=OPERADOR,
            pide="Anotar",
            explica="Queda en la bitácora de la noche: una llamada, lo que se supo, lo que se acordó.",
            campos=(
                _DIFUSOR_SI_ACASO,
                _CORTE,
                Campo(
                    nombre="motivo",
                    clase="linea",
                    etiqueta="Nota",
                    patron=MOTIVO.patron,
                    falta=f"Escriba la nota: de {MOTIVO_MIN} a {MOTIVO_MAX} caracteres, {_SIGNOS}.",
                    maximo=MOTIVO_MAX,
                    ayuda="Sin datos personales: la bitácora va en los expedientes.",
                ),
            ),
        ),
        Accion(
            clave="suspende",
            papel=TITULAR,
            pide="Suspender",
            explica="Se firma el aviso: su portal deja de mostrar resultados y lo dice; su liga se deshabilita.",
            campos=(_DIFUSOR, _MOTIVO_PUBLICO, _EVIDENCIA, _CIUDADANIA, _CONFIRMACION),
            grave=True,
        ),
        Accion(
            clave="reactiva",
            papel=TITULAR,
            pide="Reactivar",
            explica="Se firma su reinstalación: vuelve a mostrar resultados cuando tenga el corte más reciente.",
            campos=(_DIFUSOR, _MOTIVO_PUBLICO, _EVIDENCIA_SI_ACASO, _CIUDADANIA),
            grave=True,
        ),
        Accion(
            clave="confirma",
            papel=TITULAR,
            pide="Confirmar la orden",
            explica="Se cumple la orden propuesta: se firma su aviso y cambia el estado del difusor.",
            campos=(_ORDEN, _DIFUSOR, MOTIVO, _CIUDADANIA, _CONFIRMACION),
            grave=True,
        ),
        Accion(
            clave="descarta",
            papel=TITULAR,
            pide="Descartar la orden",
            explica="No se firma nada; la cuenta sigue, y otro corte fallido la propone de nuevo.",
            campos=(_ORDEN, _DIFUSOR, MOTIVO),
        ),
    )
}
CLAVES: Final[tuple[Clave, ...]] = get_args(Clave)
DE_ORDEN: Final[frozenset[Clave]] = frozenset({"confirma", "descarta"})
"""Those that are asked for from an order that waits."""


def accion(clave: str) -> Accion | None:
    """The action of that key."""
    return next((one for one in ACCIONES.values() if one.clave == clave), None)


def puede(papeles: Iterable[str], cual: Accion) -> bool:
    """Whether an account of those roles may do it: each role may do what those before it may."""
    return any(one in PAPELES and PAPELES.index(one) >= PAPELES.index(cual.papel) for one in papeles)


def papel_de(papeles: Iterable[str]) -> str:
    """The highest role of an account; empty where it has none."""
    own = [one for one in PAPELES if one in set(papeles)]
    return own[-1] if own else ""


def limpia(formulario: Mapping[str, str]) -> dict[str, str]:
    """What a person typed in a page, without what it means nothing: ends of line of browsers, spaces at the ends.

    Empty fields are left out: a form sends them all.
    """
    made = {}
    for name, value in formulario.items():
        lines = [" ".join(line.split()) for line in unicodedata.normalize("NFC", value).splitlines()]
        text = "\n".join(lines).strip() if name in ("texto", "evidencia") else " ".join(lines).strip()
        if name == "evidencia":
            text = "\n".join(line for line in lines if line)
        if text:
            made[name] = text
    return made


def lee(
    cual: Accion, formulario: Mapping[str, str], *, cuenta: str, papeles: Iterable[str]
) -> Peticion | dict[str, str]:
    """The request that a form makes, or what is wrong with it by field. Every value must be as its pattern says.

    ``formulario``: its fields without the token of the session.
    """
    known = {one.nombre: one for one in (NUMERO, RESPONDE, *cual.campos)}
    wrong = {name: "Ese campo no existe en este formulario." for name in formulario if name not in known}
    for name, field in known.items():
        value = formulario.get(name)
        if value is None:
            if field.obligatorio:
                wrong[name] = field.falta
        elif len(value) > field.maximo or re.fullmatch(field.patron, value) is None:
            wrong[name] = field.falta
    typed = formulario.get("confirmacion")
    if cual.campo("confirmacion") is not None and "confirmacion" not in wrong and typed != formulario.get("difusor"):
        wrong["confirmacion"] = _CONFIRMACION.falta
    if wrong:
        return wrong
    cut = formulario.get("corte")
    return Peticion(
        accion=cual.clave,
        numero=formulario["numero"],
        cuenta=cuenta,
        papel=papel_de(papeles),
        motivo=formulario["motivo"],
        difusor=formulario.get("difusor"),
        orden=formulario.get("orden"),
        corte=None if cut is None else int(cut),
        texto=formulario.get("texto"),
        evidencia=tuple(formulario.get("evidencia", "").splitlines()),
        completo=formulario.get("completo") == "si",
        responde_a=formulario.get("responde_a"),
    )


def verbo(peticion: Peticion) -> str:
    """What is asked for, in words: ``suspender a radio-uno``."""
    words = ACCIONES[peticion.accion].pide
    what = words[0].lower() + words[1:]
    if peticion.orden is not None:
        what += f" {peticion.orden}"
    if peticion.difusor is not None:
        what += f", de {peticion.difusor}" if peticion.orden is not None else f" a {peticion.difusor}"
    return what
