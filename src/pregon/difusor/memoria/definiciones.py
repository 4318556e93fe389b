"""What each number is, as ``docs/memoria/definiciones.md`` says it; a test holds the two together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DOCUMENTO = "docs/memoria/definiciones.md"
DEFINICIONES: Mapping[str, str] = {
    "renglón": "Cada línea que no está en blanco ni es un comentario del formato",
    "renglón malo": (
        "El que no tiene dirección, hora, respuesta de una a tres cifras o tamaño en bytes, o mide más de 64 "
        "KiB. Se cuenta y no se mide: renglones = hits + malos + hits de otros días"
    ),
    "hit": ("Cada petición anotada en la bitácora, de quien sea y con la respuesta que sea. También lo que no es HTTP"),
    "bytes": (
        "Los del cuerpo de la respuesta según la bitácora; un guion es cero. CloudFront, S3, IIS y Cloudflare"
        " anotan lo que anota cada uno, a veces con cabeceras"
    ),
    "página": (
        "Hit de una persona: GET, respuesta 200 o 304, y la dirección es un documento: termina en /, su "
        "última parte no tiene punto, o termina en html, htm, xhtml, shtml, php, asp, aspx, jsp, jspx, do, "
        "cfm o cgi. Lo que sigue a ? no cuenta"
    ),
    "visitante": "Una dirección con un agente de navegador, que no es robot y vio al menos una página en la ventana",
    "visita": (
        "Los hits de un visitante sin huecos mayores que 30 minutos (1,800 s justos son la misma visita), si "
        "entre ellos hay una página. Los datos que la página pide sola también la mantienen"
    ),
    "segundos por visita": (
        "Del primer hit al último de la visita, en promedio: lo que se lee después del último no consta"
    ),
    "visitas en curso": "En cada minuto, las que ya tuvieron su primer hit y aún no pasan de su último",
    "robot": (
        "Hit cuyo agente está en la lista crawler-user-agents, o que no dice ninguno en una bitácora que los "
        "anota. Van aparte: cuentan como hits, y no como páginas, visitas ni visitantes"
    ),
    "errores": "Respuestas 500 en adelante",
    "tiempos": (
        "Lo que tardó cada respuesta, en milisegundos, donde la bitácora lo anota: al milisegundo hasta un "
        "segundo, y desde ahí con tres cifras, hacia abajo. p95: el menor tiempo que no rebasa 95 % de los "
        "hits. De Cloudflare es el tiempo al primer byte"
    ),
    "caché": (
        "La palabra con que la CDN o el proxy dice si lo tenía (hit, miss, refreshhit…), como la anota, en minúsculas"
    ),
    "corte y contienda": (
        "De las direcciones de un paquete de Pregón: /datos/0042/gub/… es del corte 42 y de la contienda gub;"
        " una página con /gub/ en su dirección es de esa contienda. Sólo lo que se sirvió (200, 206 o 304)"
    ),
    "referentes": "De qué otro sitio llegaron las personas a una página: sólo el nombre del equipo",
    "perdidas": "Direcciones que se pidieron y no estaban (404 o 410)",
    "navegadores y sistemas": (
        "Familia, por visita, según ua-parser. Se preguntan los 2,000 agentes con más visitas; el resto es «Otro»"
    ),
    "lugares": (
        "País y estado por visita, sólo si el operador da un archivo MMDB suyo. No se pregunta nada por la red"
    ),
    "día": "Local, en la zona de la convocatoria. Una visita es del día en que comienza",
    "ventana": (
        "Los días que se miden juntos: base (ordinarios) y eleccion. Lo que cae fuera se cuenta aparte "
        "(fuera) y no se mide. Una visita que cruza el borde cuenta sólo con lo que tiene adentro"
    ),
    "frescura": (
        "Segundos desde la hora del corte (o desde el inicio de la publicación, si el corte es anterior) "
        "hasta que fue público"
    ),
    "disponibilidad": (
        "Parte del tiempo, del inicio al fin de las actualizaciones, en que la vigilancia propia no vio caído el sitio"
    ),
}


def cita(*terms: str) -> str:
    """The line that stands below a table: which definitions its numbers have.

    Raises:
        KeyError: there is no such term.
    """
    for term in terms:
        DEFINICIONES[term]
    return f"Definiciones: {', '.join(terms)}."


def usadas(terms: Iterable[str] | None) -> tuple[tuple[str, str], ...]:
    """Those terms (None: all) with what they mean, in the order of the document."""
    wanted = None if terms is None else set(terms)
    return tuple((term, text) for term, text in DEFINICIONES.items() if wanted is None or term in wanted)
