"""``manifiesto.json``: what one cut is and every file that it brings (design §7).

Written as canonical bytes, hashed as bytes, kept as the bytes received. It lies beside the archive and lists every
file of the package but itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar, cast

from pregon.base.jsonio import canonical_json
from pregon.paquete.errors import ManifiestoError
from pregon.paquete.instante import parse_instant
from pregon.paquete.names import NameSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

Ambiente = Literal["oficial", "simulacro"]
Cierre = Literal["horario", "anticipado"]

FORMATO = "pregon/paquete/1"
MANIFEST_MAX_BYTES = 32 << 20
"""Largest manifest read: about 150,000 files."""
CORTE_MAX = 9999
"""Folders of cuts have four digits (design §7)."""
FILE_MAX_BYTES = 1 << 53
"""Largest size that every JSON reader keeps exact."""

_T = TypeVar("_T")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ENTRY = frozenset({"ruta", "bytes", "sha256"})
_BARE = re.compile(r"[A-Za-z0-9._/-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_MAX_DEPTH = 32


@dataclass(frozen=True)
class FileEntry:
    """One file of the package: path, size in bytes, SHA-256 in lower-case hexadecimal."""

    ruta: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Autorizacion:
    """A finding that a person let pass: its code, the reason given, who and when.

    ``contienda``: the id of the only contest that it is for; None for any. Written only when there is one.
    """

    codigo: str
    motivo: str
    operador: str
    hora: datetime
    contienda: str | None = None


@dataclass(frozen=True, kw_only=True)
class ManifestHead:
    """What the institute states of a cut, before its files are listed. Instants are aware."""

    convocatoria: str
    instituto: str
    ambiente: Ambiente
    elecciones: tuple[str, ...]
    corte: int
    hora_corte: datetime
    generado: datetime
    ultimo: bool = False
    cierre: Cierre | None = None
    proximo: datetime | None = None
    incluye_especiales: bool | None = None
    autorizaciones: tuple[Autorizacion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest(ManifestHead):
    """A whole manifest: the head, the SHA-256 of the previous cut's manifest (None for the first) and the files.

    ``otros`` keeps the keys that this version does not know (design §5: kept in signed documents).
    """

    anterior: str | None
    archivos: tuple[FileEntry, ...]
    otros: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def to_bytes(self) -> bytes:
        """The canonical bytes: UTF-8, sorted keys, final newline; instants to the second, with offset."""
        document = canonical_json(
            {
                **self.otros,
                "formato": FORMATO,
                "convocatoria": self.convocatoria,
                "instituto": self.instituto,
                "ambiente": self.ambiente,
                "elecciones": list(self.elecciones),
                "corte": self.corte,
                "hora_corte": _instant_text(self.hora_corte),
                "generado": _instant_text(self.generado),
                "ultimo": self.ultimo,
                "cierre": self.cierre,
                "proximo": None if self.proximo is None else _instant_text(self.proximo),
                "anterior": self.anterior,
                "incluye_especiales": self.incluye_especiales,
                "autorizaciones": [_authorised(item) for item in self.autorizaciones],
                "archivos": [],
            }
        )
        # The list is written here: a national cut has 20,000 files, and json indents in Python.
        head, mark, tail = document.partition(_NO_FILES)
        return b"".join([head, _files_text(self.archivos) if self.archivos else mark, tail])


_NO_FILES = b'\n  "archivos": []'
"""Two spaces: a key of the document itself."""


def _files_text(entries: Sequence[FileEntry]) -> bytes:
    quoted = (f'"{e.ruta}"' if _BARE.fullmatch(e.ruta) else json.dumps(e.ruta, ensure_ascii=False) for e in entries)
    items = [
        f'    {{\n      "bytes": {entry.bytes},\n      "ruta": {ruta},\n      "sha256": "{entry.sha256}"\n    }}'
        for entry, ruta in zip(entries, quoted, strict=True)
    ]
    return ('\n  "archivos": [\n' + ",\n".join(items) + "\n  ]").encode()


def _authorised(item: Autorizacion) -> dict[str, str]:
    found = {
        "codigo": item.codigo,
        "motivo": item.motivo,
        "operador": item.operador,
        "hora": _instant_text(item.hora),
    }
    return found if item.contienda is None else {**found, "contienda": item.contienda}


def _instant_text(instant: datetime) -> str:
    if instant.tzinfo is None:
        raise ValueError("instants of a manifest carry their offset")
    return instant.isoformat(timespec="seconds")


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest, strictly: every key of design §7 with its type, every path admitted by ``names``.

    Keys that are not known are kept in ``otros``; repeated keys, fractions, ``NaN``, halves of characters and what is
    too deep to be written again are refused.

    Raises:
        ManifiestoError: ARCHIVO_MANIFIESTO; the text names the place.
        ArchivoError: a path is not admitted (the leaf says why).
    """
    if len(data) > MANIFEST_MAX_BYTES:
        raise ManifiestoError(f"El manifiesto mide {len(data):,} bytes; el límite es {MANIFEST_MAX_BYTES:,}.")
    try:
        document = json.loads(
            data.decode(), object_pairs_hook=_unique, parse_float=_no_fraction, parse_constant=_no_fraction
        )
        manifest = _manifest(_Place("", document))
        if _HALF.search(data):
            json.dumps(document, ensure_ascii=False).encode()  # half a character is not a text: nobody can write it
    except (ValueError, RecursionError) as exc:
        raise ManifiestoError(f"El manifiesto no es un JSON admisible: {exc}") from exc
    return manifest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("una clave está repetida")
    return table


def _no_fraction(text: str) -> NoReturn:
    raise ValueError(f"«{text[:40]}» no es un entero")


class _Place:
    """A JSON object being read, with its path for the message."""

    def __init__(self, path: str, value: object) -> None:
        self._path = path
        if not isinstance(value, dict):
            _bad(path or "(archivo)", "se esperaba un objeto")
        self.table = cast("dict[str, Any]", value)
        self._known: set[str] = set()

    def get(self, key: str, read: Callable[[str, Any], _T]) -> _T:
        where = f"{self._path}.{key}" if self._path else key
        if key not in self.table:
            _bad(where, "falta esta clave")
        self._known.add(key)
        return read(where, self.table[key])

    def rest(self) -> dict[str, Any]:
        return {key: value for key, value in self.table.items() if key not in self._known}


def _manifest(place: _Place) -> Manifest:
    place.get("formato", _one_of(FORMATO))
    manifest = Manifest(
        convocatoria=place.get("convocatoria", _identifier),
        instituto=place.get("instituto", _identifier),
        ambiente=cast("Ambiente", place.get("ambiente", _one_of("oficial", "simulacro"))),
        elecciones=place.get("elecciones", _tuple_of(_identifier)),
        corte=place.get("corte", _integer(CORTE_MAX)),
        hora_corte=place.get("hora_corte", _instant),
        generado=place.get("generado", _instant),
        ultimo=place.get("ultimo", _boolean),
        cierre=cast("Cierre | None", place.get("cierre", _or_null(_one_of("horario", "anticipado")))),
        proximo=place.get("proximo", _or_null(_instant)),
        anterior=place.get("anterior", _or_null(_sha256)),
        incluye_especiales=place.get("incluye_especiales", _or_null(_boolean)),
        autorizaciones=place.get("autorizaciones", _tuple_of(_autorizacion)),
        archivos=place.get("archivos", _file_entries),
        otros=place.rest(),
    )
    _check_depth(place)
    if manifest.cierre is not None and not manifest.ultimo:
        _bad("cierre", "sólo el último corte tiene cierre")
    if not manifest.elecciones or len(set(manifest.elecciones)) != len(manifest.elecciones):
        _bad("elecciones", "debe haber al menos una y ninguna repetida")
    names = NameSet()
    for entry in manifest.archivos:
        names.add_file(entry.ruta)
    return manifest


def _check_depth(place: _Place, *, above: int = 0) -> None:
    """That what is kept unread of a table, with ``above`` levels around it, is within the depth of a manifest."""
    if not _within(place.rest(), _MAX_DEPTH - above):
        _bad("(archivo)", f"tiene más de {_MAX_DEPTH} niveles")


def _within(value: Any, levels: int) -> bool:
    """Whether ``value`` has at most so many levels: what is kept unread must still be written by anybody."""
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_within(each, levels - 1) for each in inner)


def _autorizacion(where: str, value: Any) -> Autorizacion:
    place = _Place(where, value)
    found = Autorizacion(
        codigo=place.get("codigo", _text),
        motivo=place.get("motivo", _text),
        operador=place.get("operador", _text),
        hora=place.get("hora", _instant),
        contienda=place.get("contienda", _identifier) if "contienda" in place.table else None,
    )
    _check_depth(place, above=2)
    return found


def _file_entries(where: str, value: Any) -> tuple[FileEntry, ...]:
    """Every entry; those of the common form, which are nearly all, without asking key by key."""
    if not isinstance(value, list):
        _bad(where, "se esperaba una lista")
    found: list[FileEntry] = []
    for n, item in enumerate(value):
        if type(item) is dict and item.keys() == _ENTRY:
            ruta, size, digest = item["ruta"], item["bytes"], item["sha256"]
            typed = type(ruta) is str and type(size) is int and type(digest) is str
            if typed and 0 <= size <= FILE_MAX_BYTES and _SHA256.fullmatch(digest):
                found.append(FileEntry(ruta, size, digest))
                continue
        found.append(_file_entry(f"{where}[{n}]", item))
    return tuple(found)


def _file_entry(where: str, value: Any) -> FileEntry:
    place = _Place(where, value)
    found = FileEntry(
        ruta=place.get("ruta", _text),
        bytes=place.get("bytes", _integer(FILE_MAX_BYTES)),
        sha256=place.get("sha256", _sha256),
    )
    _check_depth(place, above=2)
    return found


def _bad(where: str, problem: str) -> NoReturn:
    raise ManifiestoError(f"El manifiesto no es admisible en «{where}»: {problem}.")


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str):
        _bad(where, "se esperaba un texto")
    return value


def _identifier(where: str, value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        _bad(where, "no es un identificador")
    return value


def _sha256(where: str, value: Any) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        _bad(where, "no es un SHA-256 en minúsculas")
    return value


def _boolean(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        _bad(where, "se esperaba true o false")
    return value


def _integer(maximum: int) -> Callable[[str, Any], int]:
    def read(where: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= maximum:
            _bad(where, f"se esperaba un entero de 0 a {maximum}")
        return value

    return read


def _instant(where: str, value: Any) -> datetime:
    try:
        return parse_instant(value)
    except ValueError:
        _bad(where, "no es una fecha y hora ISO 8601 con diferencia horaria")


def _one_of(*options: str) -> Callable[[str, Any], str]:
    def read(where: str, value: Any) -> str:
        if value not in options:
            _bad(where, f"se esperaba {' o '.join(options)}")
        return cast("str", value)

    return read


def _or_null(read: Callable[[str, Any], _T]) -> Callable[[str, Any], _T | None]:
    return lambda where, value: None if value is None else read(where, value)


def _tuple_of(read: Callable[[str, Any], _T]) -> Callable[[str, Any], tuple[_T, ...]]:
    def read_all(where: str, value: Any) -> tuple[_T, ...]:
        if not isinstance(value, list):
            _bad(where, "se esperaba una lista")
        return tuple(read(f"{where}[{n}]", item) for n, item in enumerate(value))

    return read_all
