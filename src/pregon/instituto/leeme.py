"""A LEEME.txt for the database of a contest whose source brings none: Spanish, right for any dialect read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pregon.instituto.fuentes import Fuente

COLUMNAS = {
    "CLAVE_CASILLA": "Entidad, sección, tipo, número y extensión de la casilla.",
    "CLAVE_ACTA": "Clave de la casilla y tipo de acta. Puede repetirse: no identifica por sí sola un renglón.",
    "SECCION": "Sección electoral.",
    "ID_CASILLA": "Número de la casilla.",
    "TIPO_CASILLA": "B básica, C contigua, E extraordinaria, S especial; otras letras, modalidades especiales de voto.",
    "EXT_CONTIGUA": "Número de contigua de una casilla extraordinaria.",
    "UBICACION_CASILLA": "1 urbana, 2 no urbana.",
    "TIPO_ACTA": "Tipo de acta impresa.",
    "TOTAL_BOLETAS_SOBRANTES": "Boletas no usadas y canceladas.",
    "TOTAL_PERSONAS_VOTARON": "Personas que votaron.",
    "TOTAL_REP_PARTIDO_CI_VOTARON": "Representantes de partido y de candidatura independiente que votaron.",
    "TOTAL_VOTOS_SACADOS": "Votos sacados de la urna.",
    "NO_REGISTRADOS": "Votos a candidaturas no registradas.",
    "NO_REGISTRADAS": "Votos a candidaturas no registradas.",
    "NULOS": "Votos nulos.",
    "TOTAL_VOTOS_ASENTADO": "Total de votos escrito en el acta.",
    "TOTAL_VOTOS_CALCULADO": "Suma de los votos del acta.",
    "LISTA_NOMINAL": "Personas en la lista nominal de la casilla; cero en casillas especiales.",
    "REPRESENTANTES_PP_CI": "Representantes acreditados ante la casilla.",
    "OBSERVACIONES": "Inconsistencias del acta, o por qué no se contabiliza.",
    "CONTABILIZADA": "1 contabilizada, 0 no contabilizada, 2 fuera de catálogo; vacío o guion, aún sin capturar.",
    "MECANISMOS_TRASLADO": "Mecanismo de traslado del paquete electoral.",
    "SHA": "SHA-256 de la imagen del acta.",
    "CODIGO_INTEGRIDAD": "SHA-256 de la imagen del acta.",
    "FECHA_HORA_ACOPIO": "Recepción del acta en el centro de acopio.",
    "FECHA_HORA_CAPTURA": "Captura de los datos.",
    "FECHA_HORA_VERIFICACION": "Verificación de los datos.",
    "ORIGEN": "Lugar de la digitalización.",
    "DIGITALIZACION": "Medio de la digitalización.",
    "TIPO_DOCUMENTO": "Tipo de documento digitalizado.",
}
"""What each column that is not of votes means, by its name."""


def leeme(source: Fuente, files: tuple[str, ...], *, simulacro: bool) -> bytes:
    """The text, in UTF-8. ``files`` lie beside it. Depends only on the source: no hour, no number."""
    table = source.tabla
    votes = table.columnas_voto
    separators = {",": "coma (,)", "|": "barra vertical (|)", ";": "punto y coma (;)", "\t": "tabulador"}
    separator = separators[table.dialecto.delimiter]
    encoding = "UTF-8" if table.dialecto.encoding == "utf-8" else "ISO-8859-1 (Latin-1)"
    lines = [
        "PROGRAMA DE RESULTADOS ELECTORALES PRELIMINARES",
        f"Base de datos de actas: {source.eleccion.titulo}",
        "",
        *(["SIMULACRO: estos datos no son resultados de ninguna elección.", ""] if simulacro else []),
        "Los resultados son preliminares, tienen carácter informativo y no son definitivos;",
        "por tanto, carecen de efectos jurídicos.",
        "",
        "ARCHIVOS",
        *(f"  {name}" for name in files),
        "",
        "CÓMO LEER LA BASE DE DATOS",
        f"  Los campos se separan con {separator}; la codificación es {encoding}.",
        "  Antes de las columnas vienen el nombre de la elección, la fecha y hora del corte y 13 datos de resumen.",
        "  Después, un renglón por acta; las actas fuera de catálogo van al final.",
        "  Sólo las actas con CONTABILIZADA igual a 1 suman a los resultados.",
        "  Los porcentajes llevan cuatro decimales, truncados y no redondeados: pueden no sumar 100.",
        "  En las columnas de votos, un texto en lugar de un número (ilegible, sin dato, sin acta, guion o vacío)",
        "  cuenta como cero votos; no es un cero asentado en el acta.",
        "",
        "COLUMNAS DE VOTOS, en el orden del acta",
        f"  {', '.join(votes)}",
        "  Una columna que une varios partidos son los votos marcados a favor de todos ellos. Suman a su candidatura",
        "  y se reparten por igual entre esos partidos en cada distrito o municipio; los votos que sobran van uno a",
        "  uno a los partidos de más votos propios.",
        "",
        "OTRAS COLUMNAS",
        *(f"  {name}: {COLUMNAS[name]}" for name in table.columnas if name in COLUMNAS and name not in votes),
    ]
    return ("\r\n".join(lines) + "\r\n").encode()
