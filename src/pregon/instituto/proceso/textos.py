"""The words of a warning and of what people read of an order, in Spanish. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.monitor.modelo import Dictamen, Motivo
    from pregon.instituto.proceso.diario import AccionOrden, OrdenDifusor
    from pregon.instituto.proceso.modelo import Cierre
    from pregon.instituto.proceso.regla import Regla

MOTIVOS: Final[dict[Motivo, str]] = {
    "CONTENIDO": "algún archivo público no es el que firmó el instituto",
    "ANTICIPADO": "mostró resultados antes de la hora de inicio",
    "CORTE_VIEJO": "sigue mostrando un corte anterior",
    "CORTE_AJENO": "muestra un corte que el instituto no firmó",
    "TLS": "su certificado o su conexión segura no son válidos",
    "CABECERAS": "sus cabeceras HTTP no son las pedidas",
    "HORA": "la hora de su servidor no es correcta",
    "SIN_RESPUESTA": "su portal no responde",
    "LENTO": "su portal responde más despacio de lo permitido",
    "AUTOINFORME": "su acuse dice otra cosa que lo que se ve desde afuera",
    "AVISO_PROPIO": "muestra el aviso de interrupción sin que el instituto lo ordenara",
    "ESPERA_TARDIA": "sigue mostrando la página de espera después del inicio",
}
ACCIONES: Final[dict[AccionOrden, str]] = {
    "suspender": "suspender",
    "baja": "dar de baja",
    "regreso": "reactivar",
}
CIUDADANIA: Final[dict[AccionOrden, str]] = {
    "suspender": "El instituto interrumpió la difusión de resultados en este sitio.",
    "baja": "Este sitio dejó de ser difusor oficial de los resultados.",
    "regreso": "El instituto autoriza a este sitio a mostrar de nuevo los resultados.",
}
"""What citizens read in the place of the portal, unless the operator writes something else."""


QUE_HACER: Final = (
    "Qué hacer: revise el servicio y su conexión, y confirme que su portal público muestra el corte vigente, entero. "
    "Un corte que muestre a tiempo pone la cuenta en cero."
)


def huella(dictamen: Dictamen) -> str:
    """SHA-256 of a dictamen as canonical JSON: what a warning cites, so that nobody changes it afterwards."""
    return sha256_bytes(
        canonical_json(
            {
                "difusor": dictamen.difusor,
                "hora": dictamen.hora.isoformat(),
                "veredicto": dictamen.veredicto,
                "causa": dictamen.causa,
                "motivos": list(dictamen.motivos),
                "corte": dictamen.corte,
                "atraso_s": dictamen.atraso_s,
                "evidencia": list(dictamen.evidencia),
            }
        )
    )


def hora_local(instante: datetime, convocatoria: Convocatoria) -> str:
    """``20:40 del 06/06/2021``, in the zone of the call."""
    return f"{instante.astimezone(convocatoria.zona):%H:%M del %d/%m/%Y}"


def motivos_en_palabras(motivos: Iterable[Motivo]) -> str:
    """What was seen, in one sentence without its end; empty where nothing more is known."""
    return "; ".join(MOTIVOS[one] for one in motivos)


def numeros(evidencia: Sequence[int]) -> str:
    """The numbers of some observations, as they are cited."""
    return ", ".join(str(one) for one in evidencia) if evidencia else "sin número"


def titulo(nombre: str, cuenta: int, regla: Regla) -> str:
    """Of a warning, in one line."""
    of = f" de {regla.propone_en}" if regla.contada else ""
    return f"Advertencia {cuenta}{of} a {nombre}: su portal no cumplió con el corte vigente"


def advertencia(
    ident: str,
    nombre: str,
    cierre: Cierre,
    cuenta: int,
    regla: Regla,
    convocatoria: Convocatoria,
    *,
    contacto: str,
    huellas: Sequence[str],
) -> str:
    """The whole text of a warning: reason, evidence, what follows and whom to ask (GRO-3.2, GRO-3.3a)."""
    hora = hora_local(cierre.hora, convocatoria)
    lines = [
        f"A {nombre}, difusor de «{convocatoria.nombre}».",
        "",
        f"Motivo: {cierre.porque}, el de las {hora} con {_cut(cierre)}.{_seen(cierre)}",
        f"Cuenta: {_count(cuenta, regla)}",
        f"Qué sigue: {_next(regla)}",
        QUE_HACER,
        "",
        f"Evidencia: observaciones {numeros(cierre.evidencia)} del monitor del instituto, a su disposición.",
        *(f"  {one}" for one in huellas),
        f"Para aclaraciones o ayuda: {contacto}. Cite la advertencia {ident}.",
        f"Fundamento: {regla.clausula}.",
    ]
    return "\n".join(lines)


def orden(one: OrdenDifusor, nombre: str, convocatoria: Convocatoria, contacto: str, *, regresa: bool) -> str:
    """The word to a difusor of an order about it: what, why, on what evidence, what follows and whom to ask.

    ``regresa``: whether the rule proposes the return by itself (``Regla.regresa``).
    """
    back = {
        "suspender": "puede volver cuando tenga verificado el corte vigente: conserve su servicio en marcha."
        if regresa
        else "sólo vuelve por orden del instituto: muéstrele que se corrigió, y conserve su servicio en marcha.",
        "baja": "la decisión es definitiva, salvo fuerza mayor o caso fortuito que el instituto valore (INE-I-d-3).",
        "regreso": "su portal muestra de nuevo los resultados al recibir el aviso firmado; la cuenta empieza en cero.",
    }[one.accion]
    return "\n".join(
        (
            f"A {nombre}, difusor de «{convocatoria.nombre}».",
            "",
            f"El instituto ordenó {ACCIONES[one.accion]} a este difusor (orden {one.id}).",
            f"Motivo: {one.porque}.",
            f"Qué sigue: {back}",
            "",
            "Evidencia:",
            *(f"  {each}" for each in one.evidencia),
            f"Para aclaraciones o ayuda: {contacto}. Cite la orden {one.id}.",
            f"Fundamento: {one.clausula}.",
        )
    )


def a_mano(ident: str, nombre: str, texto: str, convocatoria: Convocatoria, contacto: str) -> str:
    """The whole text of a warning that a person wrote."""
    return "\n".join(
        (
            f"A {nombre}, difusor de «{convocatoria.nombre}».",
            "",
            texto,
            "",
            "Esta advertencia no cambia la cuenta de cortes fallidos.",
            f"Para aclaraciones o ayuda: {contacto}. Cite la advertencia {ident}.",
        )
    )


def _cut(cierre: Cierre) -> str:
    return "el corte vigente" if cierre.corte is None else f"el corte {cierre.corte:04d}"


def _seen(cierre: Cierre) -> str:
    words = motivos_en_palabras(cierre.motivos)
    return f" Lo observado: {words}." if words else ""


def _count(cuenta: int, regla: Regla) -> str:
    failed = "1 corte fallido" if cuenta == 1 else f"{cuenta} cortes fallidos seguidos"
    if regla.contada:
        return f"{failed}, de {regla.propone_en} que fija la convocatoria. Los que falla el instituto no cuentan."
    return f"{failed}. La convocatoria no fija cuántos; los que falla el instituto no cuentan."


def _next(regla: Regla) -> str:
    if regla.propone_en is None:
        return "el instituto revisará lo ocurrido; ninguna cuenta de cortes lleva por sí sola a una sanción."
    who = "se ordenará" if regla.automatica else "una persona del instituto decidirá si se ordena"
    what = {
        "interrumpir": "interrumpir la difusión en su sitio, con el aviso en su portal y su liga deshabilitada",
        "bloquear": "bloquear la comunicación y retirarlo de la lista de difusores",
        "baja": "darlo de baja como difusor",
    }[regla.accion]
    return f"al llegar a {regla.propone_en} cortes fallidos seguidos {who} {what}."
