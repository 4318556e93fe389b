"""Kinds of things by the end of their names; what has no dot in its last part is a page (``definiciones.md``)."""

from __future__ import annotations

_POR_TIPO = {
    "pagina": "html htm xhtml shtml php asp aspx jsp jspx do cfm cgi",
    "datos": "json csv xml txt map geojson topojson",
    "paquete": "zip 7z gz tar",
    "estilo": "css",
    "guion": "js mjs",
    "imagen": "png jpg jpeg gif svg webp ico avif bmp",
    "letra": "woff woff2 ttf otf eot",
    "video": "mp4 webm m3u8 ts mov mp3",
    "documento": "pdf doc docx xls xlsx ppt pptx odt ods",
}
TIPOS = tuple((extension, tipo) for tipo, some in _POR_TIPO.items() for extension in some.split())
"""Ending without its dot, in lower case, and its kind. What is in none is «otro»."""
