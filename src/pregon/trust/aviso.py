"""A signed notice of the institute: ``targets/avisos/000007.json`` (design §7).

``{formato: "pregon/aviso/1", n, tipo, difusores: ["*" | id], motivo, texto, desde, hasta, corte}``. Its bytes are
verified before they come here; this module reads them strictly, once. What it means: ``difusor.interrupcion``.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast, get_args

from pregon.base.errors import FormatoError
from pregon.base.jsonio import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

Tipo = Literal["suspension", "reinstalacion", "ataque", "retraso"]

FORMATO = "pregon/aviso/1"
TODOS = "*"
"""In ``difusores``: every one of them. Only a delay is for all."""
AVISO_MAX_BYTES = 64 << 10
NOTICE_MAX = 999_999
"""Names of notices have six digits."""
MOTIVO_MAX = 300
"""Characters of ``motivo``: why, for the record."""
TEXTO_MAX = 1000
"""Characters of ``texto``: what citizens read. A page of ours shows it whole."""
DIFUSORES_MAX = 1000
"""Difusores that one notice names."""
CORTE_MAX = 9999

_KEYS = ("formato", "n", "tipo", "difusores", "motivo", "texto", "desde", "hasta", "corte")
_TIPOS: tuple[str, ...] = get_args(Tipo)
_NAME = re.compile(r"avisos/([0-9]{6})\.json")
_ID = re.compile(r"[a-z0-9-]{2,32}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control characters, those that turn the direction of reading (Cf) and those that are no character."""


@dataclass(frozen=True)
class Aviso:
    """One notice. Instants are aware; ``hasta`` None: no end is announced; ``corte``: the cut that it speaks of.

    ``difusores`` are ids, or only ``TODOS`` where ``tipo`` is «retraso». ``motivo`` and ``texto`` have neither control
    nor bidirectional characters.
    """

    n: int
    tipo: Tipo
    difusores: tuple[str, ...]
    motivo: str
    texto: str
    desde: datetime
    hasta: datetime | None = None
    corte: int | None = None

    def names(self, difusor: str) -> bool:
        """Whether it is for ``difusor``."""
        return difusor in self.difusores or self.difusores == (TODOS,)

    def to_json(self) -> dict[str, Any]:
        """The notice with the keys of design §7; instants in UTC, to the second."""
        return {
            "formato": FORMATO,
            "n": self.n,
            "tipo": self.tipo,
            "difusores": list(self.difusores),
            "motivo": self.motivo,
            "texto": self.texto,
            "desde": instant_text(self.desde),
            "hasta": None if self.hasta is None else instant_text(self.hasta),
            "corte": self.corte,
        }

    def to_bytes(self) -> bytes:
        """What is signed. Reading it back is the only check of what is written: both sides obey the same rules.

        Raises:
            FormatoError: a difusor would not understand it; the text names the key.
        """
        data = canonical_json(self.to_json())
        try:
            parse_aviso(data, n=self.n)
        except FormatoError as exc:
            raise FormatoError(
                exc.que_paso,
                intacto="No se firmó ningún aviso; el repositorio sigue como estaba.",
                que_hacer="Corrija lo señalado y repita la orden.",
            ) from exc
        return data


def notice_number(ruta: str) -> int | None:
    """The number in the path of a notice (``avisos/000007.json``); None where it is not such a path."""
    match = _NAME.fullmatch(ruta)
    return None if match is None or int(match[1]) == 0 else int(match[1])


def notice_path(n: int) -> str:
    """The path of notice ``n`` among the targets."""
    return f"avisos/{n:06d}.json"


def instant_text(instant: datetime) -> str:
    """An instant as it is written: UTC, to the second, with offset."""
    return instant.astimezone(UTC).isoformat(timespec="seconds")


def parse_aviso(data: bytes, *, n: int) -> Aviso:
    """Read the notice whose file is number ``n``, strictly. Keys that are not known are ignored (design §5).

    Raises:
        FormatoError: it is larger than ``AVISO_MAX_BYTES``, is no JSON, or a key is not what it should be: the text
            names it. A kind that this version does not know is refused like any other wrong key.
    """
    if len(data) > AVISO_MAX_BYTES:
        raise _wrong(n, f"mide {len(data):,} bytes; el límite es {AVISO_MAX_BYTES:,}")
    try:
        document = json.loads(data.decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as exc:
        raise _wrong(n, f"no es un JSON admisible ({exc})") from exc
    if not isinstance(document, dict):
        raise _wrong(n, "se esperaba un objeto")
    return _Lectura(n, document).aviso()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("una clave está repetida")
    return table


def _wrong(n: int, problem: str) -> FormatoError:
    return FormatoError(
        f"El aviso {n:06d} no se entiende: {problem}.",
        intacto="El aviso no tuvo efecto; lo publicado sigue como estaba.",
        que_hacer="Avise al instituto: debe firmar otro aviso, con el número que sigue.",
    )


class _Lectura:
    """One document being read; every refusal names the key."""

    def __init__(self, n: int, document: Mapping[str, Any]) -> None:
        self._n = n
        self._document = document

    def aviso(self) -> Aviso:
        for key in _KEYS:
            if key not in self._document:
                self._bad(key, "falta esta clave")
        if self._document["formato"] != FORMATO:
            self._bad("formato", f"se esperaba «{FORMATO}»")
        if self._integer("n", NOTICE_MAX) != self._n:
            self._bad("n", "no es el número del nombre de su archivo")
        tipo = self._document["tipo"]
        if tipo not in _TIPOS:
            self._bad("tipo", "no es uno de los tipos que se conocen")
        desde = self._instant("desde")
        hasta = None if self._document["hasta"] is None else self._instant("hasta")
        if hasta is not None and hasta <= desde:
            self._bad("hasta", "no es posterior a «desde»")
        return Aviso(
            n=self._n,
            tipo=cast("Tipo", tipo),
            difusores=self._difusores(tipo),
            motivo=self._text("motivo", MOTIVO_MAX),
            texto=self._text("texto", TEXTO_MAX),
            desde=desde,
            hasta=hasta,
            corte=None if self._document["corte"] is None else self._integer("corte", CORTE_MAX),
        )

    def _difusores(self, tipo: str) -> tuple[str, ...]:
        value = self._document["difusores"]
        if not isinstance(value, list) or not 1 <= len(value) <= DIFUSORES_MAX:
            self._bad("difusores", f"se esperaba una lista de 1 a {DIFUSORES_MAX} difusores")
        if value == [TODOS]:
            if tipo != "retraso":
                self._bad("difusores", "«*» sólo puede ir en un retraso: los demás avisos nombran a cada difusor")
            return (TODOS,)
        if not all(isinstance(each, str) and _ID.fullmatch(each) for each in value) or len(set(value)) != len(value):
            self._bad("difusores", "hay uno repetido o que no es el identificador de un difusor")
        return tuple(value)

    def _text(self, key: str, most: int) -> str:
        value = self._document[key]
        if not isinstance(value, str) or len(value) > most:
            self._bad(key, f"se esperaba un texto de {most} caracteres a lo más")
        if any(unicodedata.category(character) in _INVISIBLE for character in value):
            self._bad(key, "lleva caracteres de control, invisibles o que invierten el sentido de lectura")
        if not value.strip():
            self._bad(key, "está vacío")
        return value

    def _integer(self, key: str, most: int) -> int:
        value = self._document[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            self._bad(key, f"se esperaba un entero de 0 a {most}")
        return value

    def _instant(self, key: str) -> datetime:
        value = self._document[key]
        if isinstance(value, str) and _INSTANT.fullmatch(value):
            try:
                return datetime.fromisoformat(value).astimezone(UTC)
            except (ValueError, OverflowError) as exc:  # A day that does not exist, or at an end of the calendar.
                raise _wrong(self._n, f"«{key}»: no es un día que exista") from exc
        raise _wrong(self._n, f"«{key}»: no es una fecha y hora ISO 8601 con diferencia horaria")

    def _bad(self, key: str, problem: str) -> NoReturn:
        raise _wrong(self._n, f"«{key}»: {problem}")
