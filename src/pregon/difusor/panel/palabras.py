"""What codes, states and events are called where a tired person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pregon.base.fechas import DIAS, fecha_larga

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

ESTADOS = {
    "espera": ("En espera", "Todavía no se muestra ningún corte al público.", "calma"),
    "publicado": ("Publicado", "El público ve el corte más reciente.", "bien"),
    "atrasado": ("Atrasado", "El público ve el último corte que llegó; el siguiente no llegó a tiempo.", "ojo"),
    "suspendido": ("Suspendido", "El público ve el aviso de suspensión.", "mal"),
    "cerrado": ("Cerrado", "El público ve el último corte de la convocatoria.", "bien"),
}
"""Of each state: its name, what it means, its tone."""

RESULTADOS = {
    "aceptado": "Llegó un corte y se aceptó",
    "sin_novedad": "Bien, sin novedad",
    "rechazado": "Se rechazó lo que llegó",
    "fallo": "No se pudo recibir",
}

CODIGOS = {
    "RED": "falló la conexión con el instituto o lo que entrega está incompleto",
    "DESTINO": "el instituto no acepta lo que se le envía",
    "PURGA": "la caché o la CDN no aceptó que se purgara",
    "TRANSPORTE": "lo que se transfería no llegó",
    "FIRMA": "la firma no es del instituto, o lo que llegó no se entiende",
    "UMBRAL": "faltan firmas del instituto",
    "EXPIRADO": "lo firmado ya venció: revise el reloj o avise al instituto",
    "RETROCESO": "se ofreció algo más antiguo que lo ya aceptado",
    "EQUIVOCO": "el instituto firmó dos contenidos distintos con el mismo número de corte",
    "CADENA": "el corte no sigue al anterior",
    "AMBIENTE": "se ofreció un simulacro a un sitio oficial, o al revés",
    "CONVOCATORIA": "el paquete es de otra convocatoria",
    "SUMA": "las sumas del paquete faltan o no coinciden",
    "HASH": "los bytes no son los que el instituto dice",
    "DISCO": "no queda espacio, o el disco o la base de estado fallan",
    "DANADO": "la base de estado está dañada",
    "ESCRITURA": "no se puede escribir en la carpeta",
    "AJUSTES": "los ajustes no están bien",
    "ENTRADA": "falta un archivo que hacía falta",
    "INSTANCIA": "otro proceso u otra máquina hace lo mismo",
    "FORMATO": "un archivo no se entiende",
    "COMPROBACION": "una comprobación no pasó",
}
"""The codes of base/errors.py that reception may end in."""

QUE_HACER = {
    "RED": "Compruebe que este equipo tiene red y pregunte al instituto si su servidor responde.",
    "RELOJ": "Ponga en hora el equipo (chronyc tracking) y compruebe su fuente de hora.",
    "PENDIENTE": "Se publica en la siguiente pasada. Si sigue, revise el registro de «pregon difusor opera».",
    "ATRASADO": "Pregunte al instituto. Lo publicado sigue a la vista; no apague nada.",
    "DISCO": "Libere espacio en el disco de la carpeta de Pregón.",
    "ESCRITURA": "Revise permisos y que el disco no esté montado sólo para leer.",
}
"""For an alarm that does not say by itself what to do."""
LLAME = "Si sigue, llame al instituto con el archivo de «pregon difusor diagnostico»."

EVENTOS = {
    "aceptado": "Corte {corte} recibido y verificado",
    "publicado": "Corte {corte} a la vista del público",
    "visible": "Corte {corte} comprobado en la dirección pública",
    "muestra": "Se muestra la página «{que}»",
    "rechazado": "Se rechazó lo que llegó",
    "fallo": "No se pudo recibir",
    "dañado": "Archivo dañado en este equipo",
    "alterado": "Alguien cambió un archivo publicado: {hecho}",
    "alterados": "Alguien cambió {total} archivos publicados",
    "reparado": "Se repusieron archivos del corte {corte}",
    "sin_original": "No se pudo traer el archivo original del corte {corte}",
    "acuses_sin_copia": "Los acuses no se pudieron copiar",
    "acuse_sin_entregar": "Un acuse no se pudo enviar",
    "nube_visible": "La nube «{nombre}» muestra {que}",
    "nube_falla": "La nube «{nombre}» no se pudo actualizar",
    "nube_repuesta": "La nube «{nombre}» no estaba como se dejó; se repuso",
    "ajustes": "Se leyeron otra vez los ajustes",
    "ajustes_rechazados": "Los ajustes nuevos no valen; siguen los anteriores",
    "falla": "Falló {donde}",
    "alarma": "Empezó la alarma {codigo}",
    "alarma_resuelta": "Terminó la alarma {codigo}",
    "mensaje": "Aviso por {canal}: {resultado}",
    "aviso": "Llegó el aviso {n} del instituto ({clase})",
    "aviso_ininteligible": "No se entiende el aviso {n} del instituto",
    "aviso_cambiado": "El instituto cambió el aviso {n}: no se admite",
    "avisos_sin_leer": "No se pudieron leer los avisos del instituto",
    "retraso_anunciado": "El instituto anunció un retraso",
    "interrumpido": "Se interrumpió la publicación ({causa})",
    "reanudado": "Se reanudó la publicación",
    "personalizada": "Cambió la vista personalizada",
    "estado_apartado": "La base de estado estaba dañada: se apartó y se rehizo",
}
MAX_TEXTO = 300
"""Characters of an event's own text."""


class _Falta(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "—"


def evento(tipo: str, dato: Mapping[str, Any]) -> tuple[str, str]:
    """An event in words, and what it adds: its own text, or its code in words."""
    fields = _Falta({key: str(value)[:MAX_TEXTO] for key, value in dato.items()})
    text = EVENTOS.get(tipo, tipo.replace("_", " ").capitalize()).format_map(fields)
    more = str(dato.get("que_paso") or dato.get("texto") or dato.get("motivo") or dato.get("ruta") or "")
    if not more and dato.get("codigo") is not None and not tipo.startswith("alarma"):
        more = codigo(str(dato["codigo"]))
    return text[:MAX_TEXTO], more[:MAX_TEXTO]


def codigo(code: str) -> str:
    """A code of failure in words, with the code itself for whoever is called."""
    words = CODIGOS.get(code)
    if words is None and code.startswith("ARCHIVO"):
        words = "el archivo del paquete no se admite"
    return code if words is None else f"{words} ({code})"


def hora(instant: datetime, zona: ZoneInfo, now: datetime, *, segundos: bool = False) -> str:
    """An instant as read tonight: ``22:40``, or with its day where that is another."""
    local, today = instant.astimezone(zona), now.astimezone(zona).date()
    text = f"{local:%H:%M:%S}" if segundos else f"{local:%H:%M}"
    away = abs((local.date() - today).days)
    if away == 0:
        return text
    return f"{DIAS[local.weekday()]} {text}" if away < 6 else f"{fecha_larga(local)}, {text}"


def hace(seconds: float) -> str:
    """How long ago, or how long until: «un momento», «12 min», «3 h 5 min», «4 días»."""
    minutes = int(abs(seconds) // 60)
    if minutes < 1:
        return "un momento"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{minutes // 1440} días"


def tamano(count: int) -> str:
    """Bytes, as disks are sold: «1.2 GB»."""
    value, units = float(count), ("bytes", "kB", "MB", "GB", "TB")
    for unit in units[:-1]:
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} {units[-1]}"
