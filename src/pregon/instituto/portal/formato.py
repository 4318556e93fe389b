"""Numbers, dates and names as people in Mexico read them. Pure; nothing is computed about votes here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pregon.base.fechas import fecha_larga
from pregon.prep.pendientes import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

NBSP = "\u00a0"
_TIEMPOS = {
    "Tiempo del Noroeste": ("America/Tijuana",),
    "Tiempo del Pacífico": ("America/Hermosillo", "America/Mazatlan", "America/Chihuahua"),
    "Tiempo del Sureste": ("America/Cancun",),
    "Tiempo del Centro": (
        "America/Mexico_City",
        "America/Merida",
        "America/Monterrey",
        "America/Matamoros",
        "America/Bahia_Banderas",
        "America/Ojinaga",
        "America/Ciudad_Juarez",
    ),
}
CASILLAS: Mapping[str, str] = {
    "B": "Básica",
    "C": "Contigua",
    "E": "Extraordinaria",
    "S": "Especial",
    "M": "Voto en el extranjero",
    "A": "Voto anticipado",
    "P": "Prisión preventiva",
    "V": "Prisión preventiva",
    "U": "Urna electrónica",
}
"""What each TIPO_CASILLA is called."""
_SIN_CASILLA = "—"
_PARTICULAS = frozenset({"de", "del", "la", "las", "los", "el", "y", "e", "von", "van", "da", "do", "dos"})
_ROMANOS = re.compile(r"(?:X{0,3})(?:IX|IV|V?I{0,3})")


def entero(value: int) -> str:
    """An integer with thousands commas: ``372,484``."""
    return f"{value:,}"


def porcentaje(value: str) -> str:
    """A four-decimal percentage followed by its sign, never broken across lines: ``62.9104 %``."""
    return f"{value}{NBSP}%"


def bytes_legibles(size: int) -> str:
    """A file size in kB or MB (powers of ten), one decimal, rounded up so that it never promises less."""
    unit, name = (1_000_000, "MB") if size >= 1_000_000 else (1_000, "kB")
    tenths = -(-size * 10 // unit)
    return f"{tenths // 10}.{tenths % 10}{NBSP}{name}"


def fecha(instant: datetime, zona: ZoneInfo) -> str:
    """The local date: ``6 de junio de 2021``."""
    local = instant.astimezone(zona)
    return fecha_larga(local)


def hora(instant: datetime, zona: ZoneInfo) -> str:
    """The local hour with its unit: ``22:40 h``."""
    return f"{instant.astimezone(zona):%H:%M}{NBSP}h"


def huso(instant: datetime, zona: ZoneInfo) -> str:
    """The offset in force that day, with a true minus: ``UTC−5``."""
    offset: timedelta | None = instant.astimezone(zona).utcoffset()
    minutes = 0 if offset is None else int(offset.total_seconds() // 60)
    sign = "+" if minutes >= 0 else "−"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


def tiempo(zona: ZoneInfo) -> str:
    """The legal name of the zone (Ley de los Husos Horarios), or its IANA key where it has none in Mexico."""
    for name, keys in _TIEMPOS.items():
        if zona.key in keys:
            return name
    return zona.key


def momento(instant: datetime, zona: ZoneInfo) -> str:
    """As every page shows the cut: ``6 de junio de 2021, 22:40 h (UTC−5), Tiempo del Centro``."""
    return f"{fecha(instant, zona)}, {hora(instant, zona)} ({huso(instant, zona)}), {tiempo(zona)}"


def nombre_propio(text: str) -> str:
    """A name written all in capitals, in the capitals of ordinary prose; anything else as it came.

    ``BIBY KAREN RABELO DE LA TORRE`` -> ``Biby Karen Rabelo de la Torre``. Accents are not invented.
    """
    clean = " ".join(text.split())
    if not clean or clean != clean.upper():
        return clean
    words = clean.split(" ")
    return " ".join(_word(word, first=index == 0) for index, word in enumerate(words))


def _word(word: str, *, first: bool) -> str:
    lower = word.lower()
    if not first and lower in _PARTICULAS:
        return lower
    if not first and len(word) > 1 and _ROMANOS.fullmatch(word):
        return word
    return re.sub(r"[^\W\d_]+", lambda match: match[0].capitalize(), lower)


def candidatura(text: str | None) -> str | None:
    """A candidate's name for people, or None where the catalogue holds a placeholder.

    Placeholders were published on election night (``real-data.md`` §4: ``Nombre Apellido Apellido``,
    ``SIN CANDIDATURA``); showing them as people would be wrong.
    """
    if text is None or is_placeholder(text):
        return None
    return nombre_propio(text)


def unidad(identifier: str, nombre: str) -> str:
    """A unit's name without the number that some files repeat in it: ``007. TENABO`` -> ``Tenabo``."""
    bare = re.sub(rf"^\s*0*{re.escape(identifier.lstrip('0') or '0')}\s*[.\-–:]\s*", "", nombre)
    return nombre_propio(bare or nombre)


def numero_unidad(identifier: str) -> str:
    """A unit's number without its padding: ``007`` -> ``7``; an id that is not a number stays."""
    return str(int(identifier)) if identifier.isdecimal() else identifier


def cantidad(count: int, one: str, many: str) -> str:
    """A count with its words: ``1 acta``, ``8,500 actas``."""
    return f"{entero(count)} {one if count == 1 else many}"


def casilla(tipo: str, numero: str, contigua: str) -> str:
    """A casilla for people, from TIPO_CASILLA, ID_CASILLA and EXT_CONTIGUA: ``Extraordinaria 1, contigua 2``."""
    if not tipo:
        return _SIN_CASILLA
    name = CASILLAS.get(tipo, f"Tipo {tipo}")
    number = "" if tipo == "B" else _number(numero)
    following = _number(contigua) if tipo == "E" else ""
    return f"{name} {number}".strip() + (f", contigua {following}" if following else "")


def _number(text: str) -> str:
    """Without padding; empty where it is zero or no number."""
    return text.lstrip("0") if text.isascii() and text.isdecimal() else ""
