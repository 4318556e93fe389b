"""A profile in the words of people: sections of labelled lines, in Spanish."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from pregon.base.fechas import DIAS, fecha_larga

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pregon.convocatoria.model import Convocatoria
    from pregon.convocatoria.secciones import Ventana

UNSTATED = "el texto no lo dice"

_FAILURE = {
    "interrumpir": "se interrumpe la transmisión",
    "bloquear": "se bloquea la comunicación",
    "baja": "se da de baja al difusor",
}
_CAUSES = {
    "periodos": "actualizaciones seguidas sin recibir",
    "incumplimiento": "incumplir cualquier disposición",
    "ataque": "sufrir un ataque",
    "documentos": "no cumplir los mínimos o no entregar la documentación",
    "simulacro": "no trabajar de manera conjunta en un simulacro",
}
_DEADLINES = {
    "solicitud": "Solicitud, a más tardar",
    "infraestructura": "Infraestructura operando, a más tardar",
    "documentos": "Documentación, a más tardar",
    "logo": "Logotipo, a más tardar",
    "analisis_capacidad": "Análisis de capacidad, a más tardar",
    "procedimiento": "El instituto entrega el procedimiento, a más tardar",
    "calendario_pruebas": "El instituto notifica las pruebas, a más tardar",
    "lista": "Lista pública de difusores",
    "memoria_formato": "El instituto entrega el formato de memoria, a más tardar",
    "memoria_entrega": "Memoria técnica, a más tardar",
}
_MINIMUMS = {
    "cores": "{} núcleos",
    "ghz": "{} GHz",
    "ram_gb": "{} GB de memoria",
    "disco_gb": "{} GB de disco",
    "iops": "{} IOPS",
    "mbps": "{} Mbps",
    "red_gbps": "tarjeta de red de {} Gbps",
    "ip_publicas_por_servidor": "{} IP pública por servidor",
    "ups_kva_por_servidor": "UPS de {} kVA por servidor",
    "ups_kva_comunicaciones": "{} kVA más para comunicaciones",
}
_QUALITIES = {"ssd": "disco de estado sólido", "red_redundante": "tarjeta de red redundante"}
_DEMANDS = {
    "docker": "Docker",
    "cdn": "CDN",
    "purga": "purga de caché",
    "ddos": "protección DDoS",
    "waf": "WAF",
    "intrusiones": "detección de intrusos",
    "alta_disponibilidad": "alta disponibilidad",
    "balanceador": "balanceador",
    "energia_redundante": "energía y clima redundantes",
}
_SECTIONS = {
    "bitacoras": "bitácoras de acceso",
    "incidencias": "reporte de incidencias",
    "comparativo": "comparativo de visitas",
    "estadisticas": "estadísticas del portal",
    "sugerencias": "comentarios y sugerencias",
}
_PERSONAL = {"no": "no se permite", "autorizada": "solo con autorización previa del instituto"}
_EMBED = {"si": "permitido", "no": "no permitido", "no_dicho": UNSTATED}
_PROOF = {
    "firma": "firma del instituto",
    "suma": "lista de sumas de verificación",
    "ninguna": "ninguna: solo se anota lo recibido",
}


@dataclass(frozen=True)
class Block:
    """A heading and its lines: label and text."""

    titulo: str
    lineas: tuple[tuple[str, str], ...]


def in_words(day: date) -> str:
    """``domingo 6 de junio de 2021``; with an aware instant, also its hour and offset: ``…, 20:00 h (UTC-5)``."""
    text = f"{DIAS[day.weekday()]} {fecha_larga(day)}"
    if not isinstance(day, datetime):
        return text
    offset = day.utcoffset()
    zone = "" if offset is None else f" (UTC{int(offset.total_seconds()) // 3600:+d})"
    return f"{text}, {day:%H:%M} h{zone}"


def describe(convocatoria: Convocatoria) -> tuple[Block, ...]:
    """The whole profile, for a person to read."""
    blocks = (
        Block("Elección", tuple(_election(convocatoria))),
        Block("La noche", tuple(_night(convocatoria))),
        Block("El corte", tuple(_cut(convocatoria))),
        Block("La publicación", tuple(_publication(convocatoria))),
        Block("Si el difusor falla", tuple(_failure(convocatoria))),
        Block("Infraestructura", tuple(_infrastructure(convocatoria))),
        Block("Calendario", tuple(_calendar(convocatoria))),
        Block("Papeles", tuple(_papers(convocatoria))),
    )
    return tuple(block for block in blocks if block.lineas)


def _election(profile: Convocatoria) -> Iterator[tuple[str, str]]:
    yield "Instituto", profile.instituto_nombre or profile.instituto
    yield "Entidad", f"{profile.entidad.nombre} ({profile.entidad.clave})"
    yield "Elecciones", _join(profile.nombres_elecciones)
    if profile.participantes:
        names = {
            "academia": "instituciones académicas",
            "osc": "organizaciones de la sociedad civil",
            "medios": "medios de comunicación",
        }
        yield "Pueden participar", _join(names[kind] for kind in profile.participantes)


def _night(profile: Convocatoria) -> Iterator[tuple[str, str]]:
    stated = "fin_actualizacion" in profile.model_fields_set
    early = "; o antes, si el instituto lo declara" if profile.cierre_anticipado_permitido else ""
    yield "Inicio", in_words(profile.inicio)
    yield "Fin de actualización", in_words(profile.fin_actualizacion) + early + _unless(stated=stated)
    kept = profile.permanencia_hasta
    yield "Permanece hasta", in_words(kept) if kept else f"{UNSTATED}: hasta que el instituto lo indique"
    shortest = f"{profile.intervalo_piso_min} a " if profile.intervalo_piso_min else ""
    yield "Un corte cada", f"{shortest}{profile.intervalo_min} minutos"
    if profile.retraso_max_s:
        yield "Retraso máximo al publicar", f"{profile.retraso_max_s} segundos"
    if profile.transferencia_max_s:
        yield "Transferencia máxima", f"{profile.transferencia_max_s} segundos"


def _cut(profile: Convocatoria) -> Iterator[tuple[str, str]]:
    carrier, package = profile.transporte, profile.paquete
    way = "el instituto lo entrega" if carrier.modo == "push" else "el difusor lo recoge"
    word = "puerto" if len(carrier.puertos) == 1 else "puertos"
    ports = f", {word} {_join(map(str, carrier.puertos))}" if carrier.puertos else ""
    link = f", con un enlace exclusivo de {carrier.mbps} Mbps" if carrier.mbps else ""
    name = carrier.protocolo if carrier.protocolo == "rsync" else carrier.protocolo.upper()
    yield "Transporte", f"{way} por {name}{ports}{link}"
    stated = package.model_fields_set
    yield "Contenido", _join(kind.upper() for kind in package.formatos) + _unless(stated="formatos" in stated)
    yield "Archivo", package.archivo + _unless(stated="archivo" in stated)
    if package.tam_min_mb and package.tam_max_mb:
        yield "Tamaño", f"de {package.tam_min_mb} a {package.tam_max_mb} MB"
    elif package.tam_medio_mb:
        yield "Tamaño", f"unos {package.tam_medio_mb} MB"
    yield "Verificación", _PROOF[profile.verificacion]
    whole = profile.historial.conservar == "completo"
    room = f" (unos {profile.historial.gb} GB)" if profile.historial.gb else ""
    yield "Historial", ("todos los paquetes completos" if whole else "lo recibido") + room


def _publication(profile: Convocatoria) -> Iterator[tuple[str, str]]:
    yield "Presentación personalizada", _PERSONAL[profile.personalizacion]
    yield "Embeber en otra página", _EMBED[profile.embebido]
    yield "Fecha y hora del corte", "siempre a la vista"
    yield "Imágenes de actas", "solo en el sitio del instituto; los difusores las enlazan"
    if profile.verificador_url:
        yield "Comprobación de un sitio", profile.verificador_url
    if profile.enlace_ejemplo:
        yield "Ejemplo de enlace", profile.enlace_ejemplo


def _failure(profile: Convocatoria) -> Iterator[tuple[str, str]]:
    rule = profile.fallo
    causes = (f"{rule.periodos} {_CAUSES[c]}" if c == "periodos" else _CAUSES[c] for c in rule.causas)
    yield "Causa", _join(causes, last="o")
    effects = [_FAILURE[rule.accion]]
    if rule.aviso_en_portal:
        effects.append("el portal muestra un aviso")
    if rule.retira_liga:
        effects.append("se retira su liga de la lista")
    if rule.aviso_publico:
        effects.append("se avisa que ya no es un difusor válido")
    if rule.automatica:
        effects.append("el programa puede ordenarlo sin esperar a una persona")
    if rule.irrevocable:
        effects.append("la decisión es irrevocable, salvo fuerza mayor o caso fortuito")
    yield "Consecuencia", "; ".join(effects)


def _infrastructure(profile: Convocatoria) -> Iterator[tuple[str, str]]:
    least = profile.minimos
    amounts = [text.format(getattr(least, key)) for key, text in _MINIMUMS.items() if getattr(least, key) is not None]
    amounts += [text for key, text in _QUALITIES.items() if getattr(least, key)]
    if amounts:
        yield "Mínimos", _join(amounts)
    if least.fisico is not None:
        yield "Servidor", "físico" if least.fisico else "virtual"
    if least.nube is not None:
        yield "Nube pública", least.nube
    if least.dispensa:
        yield "Si algo no se cumple", "el instituto valida la infraestructura que se le declare"
    if least.so:
        yield "Sistema operativo", _join(least.so, last="o")
    if least.software:
        yield "Programas", _join(least.software)
    for level in ("requerido", "recomendado", "opcional"):
        names = [name for key, name in _DEMANDS.items() if getattr(profile, key) == level]
        if names:
            yield level.capitalize(), _join(names)
    yield from _service(profile)


def _service(profile: Convocatoria) -> Iterator[tuple[str, str]]:
    if profile.puertos_publicos:
        yield "Puertos abiertos a todos", _join(map(str, profile.puertos_publicos))
    if profile.puertos_restringidos:
        yield "Puertos solo para el instituto", _join(map(str, profile.puertos_restringidos))
    if profile.puertos_salida:
        yield "Salida", f"UDP {_join(map(str, profile.puertos_salida))}"
    if profile.ntp:
        yield "Reloj", "cliente NTP" + (f", con {profile.ntp_servidor}" if profile.ntp_servidor else "")
    if profile.syslog:
        yield "Bitácora del sistema", "syslog"
    if profile.root:
        yield "Cuenta del instituto", "el texto la pide con privilegios de root; se propone una restringida"
    if profile.tls_min:
        yield "TLS", f"{profile.tls_min} o superior"
    if profile.respuesta_max_s:
        yield "Respuesta", f"a lo sumo {profile.respuesta_max_s} segundos"
    if profile.disponibilidad_pct:
        yield "Disponibilidad", f"{profile.disponibilidad_pct} % mensual"


def _calendar(profile: Convocatoria) -> Iterator[tuple[str, str]]:
    for key, when in profile.plazos:
        if when is not None:
            told = _DEADLINES[key]
            if key == "lista":
                told += ", a más tardar" if profile.lista_antes else ", desde"
            yield told, in_words(when)
    for rehearsal in profile.simulacros:
        yield rehearsal.nombre, in_words(rehearsal.fecha) + (" (obligatorio)" if rehearsal.obligatorio else "")
    for window in (*profile.ventanas_prueba, *profile.etapas):
        yield window.nombre, _window(window)


def _window(window: Ventana) -> str:
    hours = ""
    if window.hora_desde is not None and window.hora_hasta is not None:
        hours = f", de {window.hora_desde:%H:%M} a {window.hora_hasta:%H:%M} h"
    return f"del {in_words(window.desde)} al {in_words(window.hasta)}{hours}"


def _papers(profile: Convocatoria) -> Iterator[tuple[str, str]]:
    if profile.documentos:
        yield "Documentos", "; ".join(profile.documentos)
    form = profile.formulario
    if form.campos or form.anexo:
        yield "Registro", "; ".join(form.campos) or f"{form.anexo} (no viene en el texto)"
    if profile.carta:
        sent = f"; se envía a {profile.carta.enviar_a}" if profile.carta.enviar_a else ""
        yield "Carta dirigida a", profile.carta.destinatario + sent
        if profile.carta.enterado:
            yield "Quien la recibe informa a", profile.carta.enterado
    if profile.memoria:
        yield "Memoria técnica", _join(_SECTIONS[section] for section in profile.memoria.secciones)
    for contact in profile.contactos:
        yield (
            "Contacto",
            ", ".join(
                part
                for part in (contact.area, contact.correo, contact.telefono, contact.horario, contact.domicilio)
                if part
            ),
        )
    if profile.casos_no_previstos:
        yield "Casos no previstos", profile.casos_no_previstos


def _unless(*, stated: bool) -> str:
    """What follows a value that is not of the text, but the one that Pregón takes."""
    return "" if stated else f" ({UNSTATED})"


def _join(words: Iterable[str], *, last: str = "y") -> str:
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
