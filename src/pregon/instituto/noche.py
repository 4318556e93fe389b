"""``noche.json``: what each cut of the night said of a contest, oldest first, so that any reader can draw its course.

Every cut writes the file anew: that of the package before it, and one entry more. It holds the figures of the entity
only, as they were published; nothing here is computed again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pregon.paquete.anterior import damaged
from pregon.prep.model import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.instituto.portal.vistas import VistaContienda
    from pregon.instituto.previo import Previo
    from pregon.tablas.model import ContestTotals

FORMATO = "pregon/noche/1"
ARCHIVO = "noche.json"
MAX_CORTES = 1000
"""Most entries: three days of a cut every five minutes. Beyond it the oldest leave, and their numbers tell it."""
_PERCENT_DECIMALS = 4


@dataclass(frozen=True)
class Entrada:
    """One cut of the night. Votes by key; ``encabeza``: units led by candidatura, None where all elect the same one.

    ``participacion``: percentage of four decimals, truncated, by the rule of that cut.
    """

    corte: int
    hora: datetime
    esperadas: int
    capturadas: int
    contabilizadas: int
    participacion: str
    total_votos: int
    lista_nominal: int
    candidaturas: Mapping[str, int]
    partidos: Mapping[str, int]
    encabeza: Mapping[str, int] | None


@dataclass(frozen=True)
class Noche:
    """The cuts of a contest, oldest first. The keys are in the order in which the night met them."""

    contienda: str
    candidaturas: tuple[str, ...] = ()
    partidos: tuple[str, ...] = ()
    cortes: tuple[Entrada, ...] = ()

    def with_cut(self, entry: Entrada) -> Noche:
        """The night with one cut more, the last; of more than ``MAX_CORTES`` the oldest leave."""
        return Noche(
            self.contienda,
            _joined(self.candidaturas, (*entry.candidaturas, *(entry.encabeza or ()))),
            _joined(self.partidos, entry.partidos),
            (*self.cortes, entry)[-MAX_CORTES:],
        )

    def as_dict(self) -> dict[str, Any]:
        """The object of the file. A list of votes follows the keys; null for one that its cut did not have.

        The list ends with the last key that the cut did have: one that came later does not touch it.
        """
        return {
            "formato": FORMATO,
            "contienda": self.contienda,
            "candidaturas": list(self.candidaturas),
            "partidos": list(self.partidos),
            "cortes": [
                {
                    "corte": entry.corte,
                    "hora_corte": entry.hora.isoformat(timespec="seconds"),
                    "esperadas": entry.esperadas,
                    "capturadas": entry.capturadas,
                    "contabilizadas": entry.contabilizadas,
                    "participacion": entry.participacion,
                    "total_votos": entry.total_votos,
                    "lista_nominal": entry.lista_nominal,
                    "candidaturas": _row(self.candidaturas, entry.candidaturas),
                    "partidos": _row(self.partidos, entry.partidos),
                    "encabeza": None if entry.encabeza is None else _row(self.candidaturas, entry.encabeza),
                }
                for entry in self.cortes
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Noche:
        """The night from the object of the file.

        Raises:
            KeyError, TypeError, ValueError: it is not one of this format.
        """
        if data["formato"] != FORMATO:
            raise ValueError(f"not {FORMATO}: {data['formato']!r}")
        lines, parties = tuple(map(_text, data["candidaturas"])), tuple(map(_text, data["partidos"]))
        entries = tuple(_entry(item, lines, parties) for item in data["cortes"])
        numbers = [entry.corte for entry in entries]
        if numbers != sorted(set(numbers)) or len(set(lines)) < len(lines) or len(set(parties)) < len(parties):
            raise ValueError("cuts or keys out of order or repeated")
        return cls(_text(data["contienda"]), lines, parties, entries)


def entry_of(totals: ContestTotals, view: VistaContienda, *, corte: int, hora: datetime) -> Entrada:
    """What this cut says of the contest: the figures that its pages show."""
    strip = view.avance
    leads = None
    if not view.eleccion.unico_cargo:
        led = {item.renglon.clave: item.unidades for item in view.liderazgos}
        leads = {key: led.pop(key, 0) for key in totals.candidaturas} | led
    return Entrada(
        corte=corte,
        hora=hora,
        esperadas=strip.esperadas,
        capturadas=strip.capturadas,
        contabilizadas=strip.contabilizadas,
        participacion=strip.participacion,
        total_votos=totals.entidad.total_votos,
        lista_nominal=strip.lista_nominal,
        candidaturas=dict(totals.candidaturas),
        partidos=dict(totals.partidos),
        encabeza=leads,
    )


def night_before(previo: Previo | None, contienda: str) -> tuple[Noche, tuple[Finding, ...]]:
    """The night up to the previous cut, empty where there is none or its package has no such file.

    A file in a format of another version is a warning, and the night begins anew: nobody should find out later.

    Raises:
        DiscoError: the package is damaged, or the file in it is not what it says it is.
    """
    empty = Noche(contienda)
    if previo is None or contienda not in previo.contiendas:
        return empty, ()
    content = previo.contenido(f"datos/{previo.corte:04d}/{contienda}/{ARCHIVO}")
    if content is None:
        return empty, ()
    try:
        data = json.loads(content)
        if data["formato"] != FORMATO and isinstance(data["formato"], str):
            return empty, (_of_another_version(data["formato"]),)
        night = Noche.from_json(data)
    except (KeyError, TypeError, ValueError) as exc:
        raise damaged(previo.archivo) from exc
    if night.contienda != contienda or not night.cortes or night.cortes[-1].corte != previo.corte:
        raise damaged(previo.archivo)
    return night, ()


def _of_another_version(formato: str) -> Finding:
    text = (
        f"El archivo del corte anterior es «{formato[:40]}» y este programa escribe «{FORMATO}»: "
        "la página «La noche hasta ahora» empieza de nuevo con este corte."
    )
    return Finding("NOCHE_AJENA", "avisa", ARCHIVO, text)


def _joined(known: Sequence[str], others: Sequence[str] | Mapping[str, int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *others)))


def _row(keys: Sequence[str], values: Mapping[str, int]) -> list[int | None]:
    row = [values.get(key) for key in keys]
    while row and row[-1] is None:
        row.pop()
    return row


def _entry(item: Mapping[str, Any], lines: Sequence[str], parties: Sequence[str]) -> Entrada:
    hour = datetime.fromisoformat(item["hora_corte"])
    if hour.tzinfo is None:
        raise ValueError("an hour without its zone")
    leads = item["encabeza"]
    whole, _, decimals = _text(item["participacion"]).partition(".")
    if not (whole.isdecimal() and decimals.isdecimal() and len(decimals) == _PERCENT_DECIMALS):
        raise ValueError("not a percentage")
    return Entrada(
        corte=_count(item["corte"]),
        hora=hour,
        esperadas=_count(item["esperadas"]),
        capturadas=_count(item["capturadas"]),
        contabilizadas=_count(item["contabilizadas"]),
        participacion=item["participacion"],
        total_votos=_count(item["total_votos"]),
        lista_nominal=_count(item["lista_nominal"]),
        candidaturas=_values(lines, item["candidaturas"]),
        partidos=_values(parties, item["partidos"]),
        encabeza=None if leads is None else _values(lines, leads),
    )


def _values(keys: Sequence[str], row: Sequence[int | None]) -> dict[str, int]:
    if len(row) > len(keys):
        raise ValueError("more votes than keys")
    return {key: _count(value) for key, value in zip(keys, row, strict=False) if value is not None}


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"not a count: {value!r}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value
