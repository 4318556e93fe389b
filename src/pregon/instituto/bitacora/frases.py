"""The words of the papers: what each event of the journal says, in Spanish, and how hours and numbers are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pregon.instituto.bitacora.documento import Tono

VEREDICTOS: dict[str, tuple[str, Tono]] = {
    "al_dia": ("Al día", "bien"),
    "atrasado": ("Atrasado", "falla"),
    "alterado": ("Alterado", "falla"),
    "inaccesible": ("Inaccesible", "falla"),
    "sin_determinar": ("Sin determinar", "gris"),
}
CAUSAS = {
    "ninguna": "",
    "instituto": "del instituto",
    "red": "de la red",
    "difusor": "del difusor",
    "sin_determinar": "sin determinar",
}
RESULTADOS: dict[str, tuple[str, Tono]] = {
    "cumplio": ("Cumplió", "bien"),
    "fallo": ("Falló", "falla"),
    "no_cuenta": ("No cuenta", "gris"),
}
FASES_ENVIO: dict[str, tuple[str, Tono]] = {
    "por_enviar": ("Por enviar", "aviso"),
    "enviando": ("Enviándose", "aviso"),
    "aceptada": ("Entregada", "bien"),
    "fallo": ("Falló; se intenta de nuevo", "falla"),
    "en_duda": ("En duda: el programa murió al enviarla", "aviso"),
    "perdida": ("No se pudo entregar", "falla"),
}
FASES_ORDEN: dict[str, tuple[str, Tono]] = {
    "propuesta": ("Espera a una persona", "aviso"),
    "confirmada": ("Confirmada", "aviso"),
    "cumplida": ("Cumplida", "bien"),
    "descartada": ("Descartada", "gris"),
}
ACCIONES = {
    "suspender": "suspender",
    "baja": "dar de baja",
    "regreso": "reactivar",
}
AVISOS: dict[str, tuple[str, Tono]] = {
    "suspension": ("Suspensión", "falla"),
    "reinstalacion": ("Reinstalación", "bien"),
    "ataque": ("Retiro por ataque", "falla"),
    "retraso": ("Retraso del instituto", "aviso"),
}
ESTADOS: dict[str, Tono] = {
    "activo": "bien",
    "admitido": "bien",
    "solicitado": "aviso",
    "suspendido": "falla",
    "bloqueado": "falla",
    "baja": "falla",
    "rechazado": "gris",
    "concluido": "gris",
}
SUCESOS = {
    "inicia": "Se creó el espacio de trabajo de {convocatoria} ({ambiente})",
    "corte": "Se firmó el corte {corte}, hecho en {segundos} s; lo ordenó {operador}",
    "corte_perdido": "El instituto no firmó el corte del periodo {periodo}",
    "corte_bloqueado": "La revisión de los datos no dejó salir el corte {corte}",
    "retraso": "El instituto anunció que el corte {corte} se retrasa (aviso {aviso})",
    "entrega": "Entrega del corte {corte} al nodo {destino}",
    "sin_acuses": "No se pudieron recoger los acuses del nodo {difusor}/{nodo}",
    "acuse": "Llegó el acuse {n} del nodo {difusor}/{nodo}: corte {corte}, {evento}",
    "acuse_rechazado": "Se rechazó un acuse del nodo {difusor}/{nodo} ({codigo})",
    "alta": "Se registró el difusor {difusor}",
    "estado_difusor": "El difusor {difusor} pasó de «{de}» a «{a}»",
    "baja": "El difusor {difusor} causó baja",
    "dictamen": "Dictamen de {difusor}: {veredicto}{causa}",
    "periodo": "Cerró el periodo {periodo} (corte {corte}) de {difusor}: {resultado}",
    "advertencia": "Comunicación {id}: {fase}",
    "orden_propuesta": "Se propuso la orden {id}: {accion} a {difusor}",
    "orden_confirmada": "{operador} confirmó la orden {id}",
    "orden_descartada": "{operador} descartó la orden {id}",
    "orden_cumplida": "Se cumplió la orden {id} (aviso {aviso})",
    "soporte": "Caso de soporte {n} de {difusor}, {clase}: {que}",
    "punto_sin_red": "El punto de observación {punto} perdió su propia red: lo que vio no cuenta",
    "aviso": "El instituto firmó el aviso {n} ({clase})",
    "sello": "Se firmó el sello {numero}, que abarca hasta el suceso {hasta}",
    "mensaje": "Mensaje {codigo} por {canal}: {resultado}",
    "ceremonia": "Ceremonia de llaves: {acto}",
    "relevo": "La máquina {a} tomó el lugar de {de}",
    "relevo_termina": "El relevo terminó lo que la otra máquina dejó a medias",
    "expediente": "Se hizo un expediente (suma {sha256})",
    "informe": "Se hizo el informe de la noche (suma {sha256})",
    "clave_noche": "Se hizo la clave de la noche {noche}",
    "clave_noche_dada": "Se selló la clave de la noche {noche} para el nodo {difusor}/{nodo}",
    "clave_noche_destruida": "Se destruyó la clave de la noche {noche}",
    "memoria": "Se admitió la entrega de conteos del nodo {difusor}/{nodo} (suma {sha256})",
    "memoria_rechazada": "Se rechazó una entrega de conteos ({codigo})",
    "bitacoras_abiertas": "Se abrieron las bitácoras de acceso del nodo {difusor}/{nodo} (suma {sha256})",
    "alarma": "Alarma {codigo}",
    "alarma_resuelta": "Terminó la alarma {codigo}",
    "nota": "Nota: {que}",
    "tablero_accion": "{cuenta} ({papel}), desde el tablero, {verbo}: {paso}",
    "tablero_cuenta": "La cuenta {cuenta} del tablero fue {paso}",
    "tablero_entrada": "{cuenta} entró al tablero desde {direccion}",
    "tablero_salida": "{cuenta} salió del tablero",
    "tablero_rechazo": "El tablero rechazó a {cuenta} desde {direccion} ({por}): {que}",
    "tablero_ajeno": "El tablero rechazó lo que llegó de {direccion} ({por}): {que}",
}
NOTAS = {
    "ficha": "Cambió la ficha de {difusor}; lo pidió {operador}",
    "logo": "Cambió el logo de {difusor}",
    "clave_registro": "Se creó o se cambió la clave que sella el registro",
    "cierre_ordenado": "{operador} ordenó el cierre {cierre}",
    "cierre_retirado": "{operador} retiró la orden de cierre",
    "cierre_confirmado": "Todos los difusores acusan que muestran el corte de cierre {corte}",
}
"""What an event ``nota`` says, by its ``que``."""
"""By kind of event; what is not here is told with its own words."""
MAX_TEXTO = 400


class _Falta(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "—"


def hora(instante: datetime, zona: ZoneInfo) -> str:
    """``06/06/2021 20:40:05``, local."""
    return f"{instante.astimezone(zona):%d/%m/%Y %H:%M:%S}"


def corta(instante: datetime, zona: ZoneInfo) -> str:
    """``06/06 20:40:05``, local: for tables of one night."""
    return f"{instante.astimezone(zona):%d/%m %H:%M:%S}"


def numero(corte: int | None) -> str:
    """A cut as people call it; nothing for none."""
    return "" if corte is None else f"{corte:04d}"


def evidencia(numeros: Sequence[int]) -> str:
    """Numbers of observations, in one cell."""
    return ", ".join(str(one) for one in numeros)


def suceso(tipo: str, dato: Mapping[str, Any]) -> str:
    """One event in one or two sentences, without its hour."""
    fields = _Falta({key: _word(key, value) for key, value in dato.items() if value is not None})
    if tipo == "nota" and "que" not in fields:
        return str(dato.get("texto") or dato.get("clase") or "Nota")[:MAX_TEXTO]
    known = NOTAS.get(str(dato.get("que"))) if tipo == "nota" else None
    text = (known or SUCESOS.get(tipo, tipo.replace("_", " ").capitalize())).format_map(fields)
    if tipo == "advertencia" and "canal" in fields:
        text += f" por {fields['canal']}"
    told = ("texto",) if tipo == "alarma" else ("que_paso", "porque", "motivo")
    more = " ".join(next((str(dato[key]) for key in told if dato.get(key)), "").split())
    return f"{text}: {more}"[:MAX_TEXTO] if more else f"{text}."[:MAX_TEXTO]


def _word(key: str, value: Any) -> str:
    match key, value:
        case "corte", int():
            return f"{value:04d}"
        case ("aviso", int()) | ("n", int()) | ("numero", int()):
            return f"{value:06d}" if key != "n" else str(value)
        case "operador", "":
            return "—"
        case "resultado", str():
            return RESULTADOS.get(value, (value, ""))[0].lower()
        case "causa", "sin_determinar":
            return ", sin saber de quién es la causa"
        case "causa", str():
            return f", por causa {CAUSAS[value]}" if CAUSAS.get(value) else ""
        case "veredicto", str():
            return VEREDICTOS.get(value, (value, ""))[0].lower()
        case "accion", str():
            return ACCIONES.get(value, value)
        case "fase", str():
            return {"redactada": "redactada", **{k: v[0].lower() for k, v in FASES_ENVIO.items()}}.get(value, value)
        case _:
            return str(value)[:MAX_TEXTO]
