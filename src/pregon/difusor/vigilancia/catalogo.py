"""Every alarm by its code: what it says, its limit and what to do. ``docs/operacion/vigilancia.md`` is its table.

A code is stable: outside programs read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Gravedad = Literal["alarma", "aviso"]


@dataclass(frozen=True)
class Regla:
    """One kind of alarm. ``limite`` names the setting or the fact that it is judged by; ``que_hacer`` is for a person.

    ``inmediata``: begins at the first observation; the others, at the second in a row, so that one hiccup is no alarm.
    """

    codigo: str
    gravedad: Gravedad
    titulo: str
    limite: str
    que_hacer: str
    inmediata: bool = False


_REGLAS = (
    Regla(
        "PORTAL_ALTERADO",
        "alarma",
        "El portal no muestra lo firmado",
        "el SHA-256 de la portada, manifiesto.json, corte.json o `muestra` archivos al azar no es el firmado",
        "Revise quién más atiende esa dirección (proxy, CDN, otro servidor) y quién entró a este equipo; si no sabe la "
        "causa, retire esa dirección y avise al instituto.",
        inmediata=True,
    ),
    Regla(
        "PORTAL_VIEJO",
        "alarma",
        "El portal muestra otro corte",
        "manifiesto.json es de otro corte que el publicado aquí, dos veces seguidas",
        "Vacíe la caché del proxy o CDN que está delante y quite de él toda regla que ignore Cache-Control.",
    ),
    Regla(
        "PORTAL_CAIDO",
        "alarma",
        "El portal no responde",
        "`respuesta_max_s`, o un estado que no es 200",
        "Revise el servidor web, el firewall y el DNS desde otro equipo; si la dirección cambió, corrija «url» en "
        "[servidor].",
    ),
    Regla(
        "PORTAL_TLS",
        "alarma",
        "El portal no ofrece una conexión segura válida",
        "TLS 1.2 o posterior con un certificado válido para ese nombre",
        "Renueve o corrija el certificado y su cadena; revise que el nombre sea el de «url».",
    ),
    Regla(
        "PORTAL_LENTO",
        "aviso",
        "Una página tarda demasiado",
        "`respuesta_max_s` por página (GRO-2.4h, INE-II-a-iii-3a)",
        "Revise la carga de este equipo y el enlace; si hay un CDN contratado, actívelo.",
    ),
    Regla(
        "PORTAL_CABECERAS",
        "aviso",
        "Al portal le faltan cabeceras",
        "las que escribe Pregón: Content-Security-Policy y las demás de seguridad, y Cache-Control en corte.json",
        "Quite del proxy o CDN lo que las borra, o vuelva a poner lo que imprime «pregon difusor configura».",
    ),
    Regla(
        "SERVIDOR",
        "alarma",
        "El servidor web de este equipo no atiende",
        "una conexión a su dirección local en 3 s",
        "Inicie «pregon difusor sirve» (o su unidad de systemd) y lea servidor/servidor.log.",
    ),
    Regla(
        "CERTIFICADO",
        "aviso",
        "El certificado del portal está por vencer",
        "`certificado_dias`; con menos de 3 días es alarma",
        "Renuévelo ahora; si es automático, revise que los puertos 80 y 443 lleguen a este equipo.",
        inmediata=True,
    ),
    Regla(
        "DISCO",
        "alarma",
        "Queda poco disco",
        "`disco_reserva_mb`",
        "Libere espacio en el disco del difusor; no borre historico/ ni objetos/.",
        inmediata=True,
    ),
    Regla(
        "DISCO_PRONTO",
        "aviso",
        "El disco no alcanza para los cortes que faltan",
        "el pronóstico de lo que falta de la jornada más `disco_reserva_mb`",
        "Amplíe el disco, o libere espacio, antes de que falte.",
    ),
    Regla(
        "INODOS",
        "alarma",
        "Quedan pocos inodos",
        "`inodos_reserva`",
        "Borre archivos ajenos a Pregón de ese sistema de archivos, o use otro con más inodos.",
    ),
    Regla(
        "MEMORIA",
        "aviso",
        "Queda poca memoria",
        "`memoria_min_mb` disponibles en el equipo",
        "Detenga lo que no haga falta en este equipo.",
    ),
    Regla(
        "MEMORIA_PROPIA",
        "aviso",
        "Pregón usa demasiada memoria",
        "`memoria_propia_max_mb` del proceso que recibe",
        "Reinicie el servicio entre dos cortes y envíe el diagnóstico.",
    ),
    Regla(
        "RELOJ",
        "alarma",
        "El reloj no está en hora",
        "`max_desfase_s` de [reloj]",
        "Corrija la hora (chronyc makestep) y revise sus servidores de tiempo.",
    ),
    Regla(
        "RELOJ_FUENTE",
        "aviso",
        "Nadie confirma el reloj",
        "una medición en los últimos 15 minutos",
        "Revise que chronyd corra y que el puerto 123 de UDP salga; vea «fuente» en [reloj].",
    ),
    Regla(
        "RELOJ_SALTO",
        "alarma",
        "El reloj saltó",
        "`salto_s` entre la hora y el tiempo transcurrido; dura 15 minutos",
        "Averigüe quién cambió la hora; la de apertura y las firmas dependen de ella.",
        inmediata=True,
    ),
    Regla(
        "BITACORA",
        "aviso",
        "La bitácora de accesos crece demasiado",
        "`bitacora_max_mb` por archivo (la rotación no trabaja) o disco lleno en menos de `bitacora_horas`",
        "Revise la rotación; copie fuera las bitácoras viejas (sirven para la memoria) y bórrelas aquí.",
    ),
    Regla(
        "ATRASADO",
        "alarma",
        "El siguiente corte no llega",
        "`proximo` del corte más `proximo_margen_s` del perfil (GRO-3.3)",
        "Revise el último intento en «pregon difusor estado» y llame al instituto; lo publicado sigue en pie.",
        inmediata=True,
    ),
    Regla(
        "SUSPENDIDO",
        "alarma",
        "Un aviso del instituto suspende a este difusor",
        "un aviso firmado vigente que nombra a este difusor (GRO-3.3b, MEX-I-13)",
        "Llame al instituto: el portal vuelve solo con la rehabilitación firmada y un corte verificado.",
        inmediata=True,
    ),
    Regla(
        "INTENTO",
        "alarma",
        "El último intento de recibir falló",
        "dos observaciones seguidas con un código de error",
        "Vea «pregon difusor estado»: si es la red (RED, DESTINO), revísela; si es una firma o un archivo, llame al "
        "instituto.",
    ),
    Regla(
        "ALTERADO",
        "alarma",
        "Alguien alteró archivos publicados en este equipo",
        "un hallazgo del barrido en la última hora",
        "Lo que se pudo se repuso. Revise quién entra a este equipo y conserve estado.sqlite.",
        inmediata=True,
    ),
    Regla(
        "RETIRADO",
        "alarma",
        "Hay direcciones que no se sirven",
        "contenido alterado cuyo original guardado también lo está",
        "Ponga en historico/ el archivo original del corte, copiado del instituto o de otro difusor.",
        inmediata=True,
    ),
    Regla(
        "ESTADO_REHECHO",
        "alarma",
        "La base de estado estaba dañada y se rehízo",
        "una base de estado apartada en las últimas 24 horas",
        "Revise el disco de este equipo y conserve el archivo apartado; lo publicado siguió como estaba.",
        inmediata=True,
    ),
    Regla(
        "BARRIDO_VENCIDO",
        "aviso",
        "El barrido de integridad va atrasado",
        "tres periodos de barrido sin terminar uno",
        "Revise la carga y el disco de este equipo.",
    ),
    Regla(
        "ACUSES",
        "aviso",
        "Hay acuses que no llegan al instituto",
        "`acuses_min` desde el más antiguo sin entregar",
        "Revise [acuses] y la red; publicar no depende de ellos, pero el instituto no sabe en qué corte va.",
    ),
    Regla(
        "NUBE",
        "alarma",
        "Una nube no muestra lo que se publica aquí",
        "`nube_min` desde que se le pidió, o desde que falla; si ahí ya publica otra máquina, al momento",
        "Vea «nube» en «pregon difusor estado --json»: si es el depósito, revise permisos y cuota; si es la purga o el "
        "borde, revise el CDN; si otra máquina reemplazó a ésta, apague ésta. Este equipo sigue publicando: mientras "
        "tanto se puede dar su propia dirección.",
        inmediata=True,
    ),
    Regla(
        "VIGENCIA",
        "aviso",
        "Una firma venció o está por vencer",
        "`vigencia_dias` para la raíz y los destinos; un día para las demás; el sello de tiempo, al vencer. Tras el "
        "último corte de una convocatoria sin `permanencia_hasta`, sólo la raíz y los destinos",
        "Avise al instituto para que firme de nuevo. Lo publicado no se retira por esto.",
        inmediata=True,
    ),
    Regla(
        "PERMANENCIA",
        "aviso",
        "Está por terminar el plazo de permanencia",
        "`permanencia_dias` antes de `permanencia_hasta` del perfil",
        "Respalde las bitácoras y el historico para la memoria antes de retirar el portal.",
        inmediata=True,
    ),
    Regla(
        "PLAZO",
        "aviso",
        "Un plazo de la convocatoria está por vencer",
        "7 días antes de cada plazo del difusor, hasta la hora de inicio",
        "Entregue lo que pide ese plazo; «pregon convocatoria calendario» los dice todos y «pregon convocatoria "
        "cumplimiento», lo que falta.",
        inmediata=True,
    ),
    Regla(
        "CANAL",
        "aviso",
        "Un canal de aviso no entrega",
        "10 minutos sin poder entregar por un canal de [[notifica]]",
        "Revise «destino», «usuario» y «secreto» de ese canal; mientras tanto mire el panel.",
    ),
    Regla(
        "ESTADO",
        "alarma",
        "La base de estado no se puede usar",
        "una lectura o escritura de estado.sqlite",
        "Revise el disco y los permisos de la carpeta; lo publicado sigue como estaba.",
        inmediata=True,
    ),
    Regla(
        "VIGILANCIA",
        "aviso",
        "Una revisión de la vigilancia falló",
        "una falla interna, dos veces seguidas",
        "Las demás revisiones siguen; envíe el diagnóstico a quien mantiene Pregón.",
    ),
)


def catalogo() -> dict[str, Regla]:
    """Every rule by its code, in the order in which alarms are shown."""
    return {regla.codigo: regla for regla in _REGLAS}
