"""What the rows of a file show by themselves: findings counted over all actas, with a few examples each."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from pregon.prep.model import Acta, Estado, Finding, Marker, Severidad
from pregon.prep.text import parse_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Fault: TypeAlias = tuple[str, str]
"""What is odd in one acta: the code of the finding, and its detail for a person."""
MAX_EXAMPLES = 5
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_BLANK = frozenset({"", "-", "--", "N/A", "n/a"})
_CAPTURED = frozenset({Estado.CONTABILIZADA, Estado.NO_CONTABILIZADA})


@dataclass
class _Tally:
    severidad: Severidad
    text: Callable[[int], str]
    count: int = 0
    first: str = ""
    examples: list[str] = field(default_factory=list)


class RowFindings:
    """Takes the actas one by one (``add``) and gives the findings (``findings``). CONTABILIZADA is never judged.

    Who has the actas by columns tells what ``add`` would have seen: ``note`` for each of their ``faults``, in the order
    of the file; ``keys`` and ``images`` for all at once.

    SUMA_VOTOS, EXCEDE_SIN_MARCA, CLAVE_REPETIDA, SHA_REPETIDO, SHA_FORMATO, FECHA_RARA, VALOR_DESCONOCIDO,
    CONTABILIZADA_DESCONOCIDA.
    """

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {
            "VALOR_DESCONOCIDO": _Tally("bloquea", lambda n: f"{n:,} acta(s) con texto que no es cifra ni marca"),
            "CONTABILIZADA_DESCONOCIDA": _Tally("bloquea", lambda n: f"{n:,} acta(s) con CONTABILIZADA desconocida"),
            "SUMA_VOTOS": _Tally("avisa", lambda n: f"{n:,} acta(s) cuyo total calculado no es la suma de sus votos"),
            "EXCEDE_SIN_MARCA": _Tally(
                "avisa",
                lambda n: f"{n:,} acta(s) contabilizada(s) con más votos que la lista nominal y sus representantes",
            ),
            "SHA_FORMATO": _Tally("avisa", lambda n: f"{n:,} acta(s) con un código de integridad que no es SHA-256"),
            "FECHA_RARA": _Tally("avisa", lambda n: f"{n:,} acta(s) con fechas fuera de orden o ilegibles"),
        }
        self._keys: Counter[str] = Counter()
        self._hashes: Counter[str] = Counter()

    def add(self, acta: Acta) -> None:
        """Look at one acta."""
        if acta.estado is Estado.FUERA_CATALOGO:
            return
        self._keys[acta.clave_acta] += 1
        if acta.estado in _CAPTURED:
            self._hashes[acta.sha] += 1
        for codigo, detalle in faults(acta):
            self.note(codigo, detalle, linea=acta.linea, nombre=acta.clave_acta or acta.clave_casilla)

    def note(self, codigo: str, detalle: str, *, linea: int, nombre: str) -> None:
        """Count one of an acta's ``faults``; ``nombre`` is its CLAVE_ACTA, or CLAVE_CASILLA where that is empty."""
        tally = self._tallies[codigo]
        tally.count += 1
        if tally.count == 1:
            tally.first = f"línea {linea}"
        if len(tally.examples) < MAX_EXAMPLES:
            tally.examples.append(f"{nombre} (línea {linea}): {detalle}")

    def keys(self, claves: Iterable[str]) -> None:
        """Count the CLAVE_ACTA of many actas: of those within the catalogue, empty or ``-`` where there is none."""
        self._keys.update(claves)

    def images(self, shas: Iterable[str]) -> None:
        """Count the codes of the images of many actas: of the contabilizadas and no contabilizadas."""
        self._hashes.update(shas)

    def findings(self) -> tuple[Finding, ...]:
        """The findings so far, the gravest first."""
        found = [
            Finding(code, tally.severidad, tally.first, f"{tally.text(tally.count)}: {'; '.join(tally.examples)}.")
            for code, tally in self._tallies.items()
            if tally.count
        ]
        same = "una misma imagen (código de integridad) aparece en más de un acta"
        # An acta that counts twice warns: a query that joins too much shows nowhere else.
        told: tuple[tuple[str, Severidad, Counter[str], str], ...] = (
            ("SHA_REPETIDO", "avisa", self._hashes, same),
            ("CLAVE_REPETIDA", "informa", self._keys, "CLAVE_ACTA no es única"),
        )
        for code, weight, counter, what in told:
            repeated = [(key, n) for key, n in counter.items() if n > 1 and key not in _BLANK]
            if repeated:
                shown = "; ".join(f"{key[:16]} {n} veces" for key, n in repeated[:MAX_EXAMPLES])
                found.append(Finding(code, weight, "actas", f"{what}: {len(repeated):,} valores repetidos: {shown}."))
        return tuple(found)


def faults(acta: Acta) -> tuple[Fault, ...]:
    """What ``acta`` shows by itself, in the order of its reading; nearly always nothing, and nothing fuera de catálogo.

    Codes: VALOR_DESCONOCIDO, CONTABILIZADA_DESCONOCIDA, SUMA_VOTOS, EXCEDE_SIN_MARCA, SHA_FORMATO, FECHA_RARA.
    """
    if acta.estado in _CAPTURED:
        return tuple(_captured(acta))
    if acta.estado is Estado.PENDIENTE and not _pending_text(acta.contabilizada):
        return (("CONTABILIZADA_DESCONOCIDA", f"«{acta.contabilizada[:40]}»"),)
    return ()


def _captured(acta: Acta) -> Iterator[Fault]:
    if Marker.DESCONOCIDO in acta.votos or acta.lista_nominal is Marker.DESCONOCIDO:
        yield "VALOR_DESCONOCIDO", "columnas de votos o LISTA_NOMINAL"
    total, calculado = acta.suma, acta.calculado
    if isinstance(calculado, int):
        if calculado != total:
            yield "SUMA_VOTOS", f"{calculado} y suman {total}"
    elif total and acta.estado is Estado.CONTABILIZADA:
        yield "SUMA_VOTOS", f"{calculado.value} y suman {total}"
    if acta.estado is Estado.CONTABILIZADA and isinstance(acta.lista_nominal, int) and acta.lista_nominal:
        limit = acta.lista_nominal + (acta.representantes if isinstance(acta.representantes, int) else 0)
        if total > limit:
            yield "EXCEDE_SIN_MARCA", f"{total} votos, {limit}"
    if acta.sha not in _BLANK and not _SHA256.fullmatch(acta.sha):
        yield "SHA_FORMATO", f"«{acta.sha[:20]}»"
    if _odd_dates(acta.fechas):
        yield "FECHA_RARA", " | ".join(acta.fechas)


def _pending_text(text: str) -> bool:
    return text in _BLANK or parse_count(text) in (0, 1, 2)


def _odd_dates(fechas: tuple[str, str, str]) -> bool:
    """True when a date is not one, or acopio, captura and verificación are not in that order."""
    last = ""
    for text in fechas:
        if text in _BLANK:
            continue
        stamp = _stamp(text)
        if stamp is None or stamp < last:
            return True
        last = stamp
    return False


def _stamp(text: str) -> str | None:
    """``dd/mm/yyyy HH:MM[:SS]`` or ``yyyy-mm-dd HH:MM[:SS]`` as ``yyyymmddHH:MM``, comparable as text."""
    if text[2:3] == "/" and text[5:6] == "/":
        day = text[6:10] + text[3:5] + text[0:2]
    elif text[4:5] in "-/" and text[7:8] in "-/":
        day = text[0:4] + text[5:7] + text[8:10]
    else:
        return None
    hour = text[11:16]
    return day + hour if day.isdecimal() and len(day) == 8 and hour[2:3] == ":" else None
