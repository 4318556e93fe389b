"""What a person said once of what no program can see: ``cumplimiento/declaraciones.toml`` and its documents.

::

    cumplimiento/
      declaraciones.toml        every declaration and every waiver, in the order in which they were given
      documentos/<sha256>.pdf   the papers, as they were given
      revision.json             the last preflight that was kept (``pregon difusor revisa --guarda``)
      revisiones/<hour>.json    every one that was

Nothing is ever taken out: of several declarations of one key the last counts, and the others stay as its history.
A waiver is of the institute: GRO-2.6 foresees it; elsewhere it is a case that the text did not foresee.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import AwareDatetime, Field

from pregon.base.errors import EntradaError, UsoError
from pregon.base.hashing import CHUNK, open_regular, sha256_bytes, sha256_file
from pregon.base.locks import exclusive
from pregon.base.razones import razon
from pregon.base.settings import Settings, load_toml
from pregon.convocatoria.clausulas import clausulas_de

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.difusor.workspace import Workspace

CARPETA = "cumplimiento"
ARCHIVO = "declaraciones.toml"
DOCUMENTOS = "documentos"
REVISION = "revision.json"
REVISIONES = "revisiones"
_CANDADO = ".candado"

MAX_DOCUMENTO = 64 << 20
"""A scanned contract of some hundred pages; more is another file by mistake."""
MAX_TEXTO = 4000

_EXTENSION = re.compile(r"\.[a-z0-9]{1,8}")
_INTACTO = "No se guardó nada; lo declarado sigue como estaba."

_Texto = Annotated[str, Field(min_length=1, max_length=MAX_TEXTO)]
_Corto = Annotated[str, Field(min_length=1, max_length=200)]
_Documento = Annotated[str, Field(pattern=r"^[0-9a-f]{64}(\.[a-z0-9]{1,8})?$")]


class _Dicho(Settings):
    """What both have: who, of which day, when it was written here, in which words, by which document.

    ``documento``: name in ``documentos/``; ``nombre``: the name that the file had. ``fecha``: day of the fact, which is
    what a deadline is judged by.
    """

    quien: _Corto
    fecha: dt.date
    hora: AwareDatetime
    texto: _Texto | None = None
    documento: _Documento | None = None
    nombre: _Corto | None = None

    @property
    def sha256(self) -> str | None:
        """Of the document; None where there is none."""
        return None if self.documento is None else self.documento[:64]


class Declaracion(_Dicho):
    """A key of the clauses (``carta``), declared once."""

    clave: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]


class Dispensa(_Dicho):
    """A clause that the institute accepts as it is (GRO-2.6): ``quien`` decided it."""

    clausula: _Corto


class Declarado(Settings):
    """The whole file. Unknown keys are refused: a mistyped one would be a paper that nobody ever sees."""

    formato: Literal["pregon/cumplimiento/1"] = "pregon/cumplimiento/1"
    declaracion: tuple[Declaracion, ...] = ()
    dispensa: tuple[Dispensa, ...] = ()

    def de(self, clave: str) -> Declaracion | None:
        """The declaration of a key that counts; None where there is none."""
        return next((one for one in reversed(self.declaracion) if one.clave == clave), None)

    def dispensa_de(self, clausula: str) -> Dispensa | None:
        """The waiver of a clause that counts; None where there is none."""
        return next((one for one in reversed(self.dispensa) if one.clausula == clausula), None)

    def vale(self, one: Declaracion | Dispensa) -> bool:
        """Whether it is the one that counts, and not of the history."""
        mine = self.de(one.clave) if isinstance(one, Declaracion) else self.dispensa_de(one.clausula)
        return one is mine


DichoT = TypeVar("DichoT", Declaracion, Dispensa)


@dataclass(frozen=True)
class Papel:
    """What a person gives with a declaration: words, a file, who says it, and the day of the fact (None: today)."""

    texto: str | None = None
    documento: Path | None = None
    quien: str | None = None
    fecha: dt.date | None = None


def claves(convocatoria: str) -> dict[str, tuple[str, ...]]:
    """What may be declared in a call, each with the ids of its clauses.

    Besides the keys of its ``declara:`` ways, the codes of checks and measurements in lower case: what could not be
    measured here may be declared (the velocity of a processor that does not tell it), never what was measured to fail.

    Raises:
        EntradaError: nobody wrote the clauses of that call.
    """
    found: dict[str, list[str]] = {}
    for clause in clausulas_de(convocatoria):
        for way in clause.como:
            if way.modo in ("declara", "revision", "medicion"):
                ids = found.setdefault(way.dato.lower(), [])
                if clause.id not in ids:
                    ids.append(clause.id)
    return {key: tuple(ids) for key, ids in sorted(found.items())}


def lee(folder: Path) -> Declarado:
    """What was declared in the workspace at ``folder``; nothing where nobody declared anything.

    Raises:
        AjustesError: the file is not what this program writes.
    """
    path = folder / CARPETA / ARCHIVO
    return load_toml(path, Declarado) if path.exists() else Declarado()


def intacto(folder: Path, one: Declaracion | Dispensa) -> str | None:
    """What is wrong with the document of a declaration; None where it is there with its own bytes, or there is none."""
    if one.documento is None:
        return None
    path = folder / CARPETA / DOCUMENTOS / one.documento
    try:
        same = not path.is_symlink() and sha256_file(path) == one.sha256
    except OSError:
        return f"El documento {one.documento} ya no está."
    return None if same else f"El documento {one.documento} cambió desde que se declaró."


def declara(workspace: Workspace, clave: str, papel: Papel, *, disk: Disk, ahora: dt.datetime) -> Declaracion:
    """Keep a declaration and its document, durably; one of the same key before it stays as history.

    Raises:
        UsoError: the call asks for no such key, nothing was said, or its day has not come.
        EntradaError: the document cannot be read, is empty or too long; or the clauses are not written.
        AjustesError: what was kept before cannot be read. InstanciaError: another process is writing it.
    """
    known = claves(workspace.convocatoria.id)
    if clave not in known:
        raise UsoError(
            f"La convocatoria {workspace.convocatoria.id} no pide declarar «{clave}».",
            intacto=_INTACTO,
            que_hacer="Use una de estas claves: " + ", ".join(known) + ".",
        )
    _check(workspace, papel, ahora)
    with _room(workspace, disk):
        kept = lee(workspace.folder)
        common = _common(workspace, papel, disk, ahora)
        made = Declaracion.model_validate({"clave": clave, **common})
        _write(workspace, kept.model_copy(update={"declaracion": (*kept.declaracion, made)}), disk)
    return made


def dispensa(workspace: Workspace, clausula: str, papel: Papel, *, disk: Disk, ahora: dt.datetime) -> Dispensa:
    """Keep a waiver of the institute and its document, as ``declara``. Raises as it.

    Raises:
        UsoError: also where the call has no such clause, or nobody is named who decided it.
    """
    known = [clause.id for clause in clausulas_de(workspace.convocatoria.id)]
    if clausula not in known:
        raise UsoError(
            f"La convocatoria {workspace.convocatoria.id} no tiene la cláusula «{clausula}».",
            intacto=_INTACTO,
            que_hacer=f"Vea sus números con «pregon convocatoria cumplimiento {workspace.convocatoria.id}».",
        )
    if not papel.quien:
        raise UsoError(
            "Una dispensa sin quien la decidió no dispensa nada.",
            intacto=_INTACTO,
            que_hacer="Diga con --quien quién del instituto la decidió, y con --fecha cuándo.",
        )
    _check(workspace, papel, ahora)
    with _room(workspace, disk):
        kept = lee(workspace.folder)
        made = Dispensa.model_validate({"clausula": clausula, **_common(workspace, papel, disk, ahora)})
        _write(workspace, kept.model_copy(update={"dispensa": (*kept.dispensa, made)}), disk)
    return made


def _check(workspace: Workspace, papel: Papel, ahora: dt.datetime) -> None:
    if not papel.texto and papel.documento is None:
        raise UsoError(
            "Falta qué se declara.",
            intacto=_INTACTO,
            que_hacer="Escríbalo con --texto, o dé el documento con --documento, o ambos.",
        )
    today = ahora.astimezone(workspace.convocatoria.zona).date()
    if papel.fecha is not None and papel.fecha > today:
        raise UsoError(
            f"La fecha {papel.fecha} no ha llegado: hoy es {today}.",
            intacto=_INTACTO,
            que_hacer="Dé con --fecha el día en que se hizo; sin ella se entiende hoy.",
        )
    if len(papel.texto or "") > MAX_TEXTO or len(papel.quien or "") > 200:
        raise UsoError(
            f"El texto admite {MAX_TEXTO} caracteres, y quien lo dice, 200.",
            intacto=_INTACTO,
            que_hacer="Abrévielo, o dé lo largo como documento con --documento.",
        )


def _room(workspace: Workspace, disk: Disk) -> AbstractContextManager[None]:
    """The lock of the store, its folders made."""
    home = workspace.folder / CARPETA
    disk.make_folder(home, mode=0o700)
    disk.make_folder(home / DOCUMENTOS, mode=0o700)
    return exclusive(home / _CANDADO)


def _common(workspace: Workspace, papel: Papel, disk: Disk, ahora: dt.datetime) -> dict[str, object]:
    local = ahora.astimezone(workspace.convocatoria.zona).replace(microsecond=0)
    return {
        "quien": papel.quien or f"el difusor {workspace.settings.id}",
        "fecha": papel.fecha or local.date(),
        "hora": local,
        "texto": papel.texto or None,
        "documento": None if papel.documento is None else _copy(workspace, papel.documento, disk),
        "nombre": None if papel.documento is None else papel.documento.name[:200],
    }


def _copy(workspace: Workspace, source: Path, disk: Disk) -> str:
    """Copy a document under its own hash; its name there. The same one again is the same file."""
    try:
        with open_regular(source) as file:
            data = b""
            while len(data) <= MAX_DOCUMENTO and (more := file.read(CHUNK)):
                data += more
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer el documento {source}: {razon(exc)}.", intacto=_INTACTO, que_hacer="Revise la ruta."
        ) from exc
    if not 0 < len(data) <= MAX_DOCUMENTO:
        raise EntradaError(
            f"El documento {source} está vacío o mide más de {MAX_DOCUMENTO >> 20} MB.",
            intacto=_INTACTO,
            que_hacer="Dé el archivo del documento, o uno más ligero.",
        )
    suffix = source.suffix.lower()
    name = sha256_bytes(data) + (suffix if _EXTENSION.fullmatch(suffix) else "")
    disk.write(workspace.folder / CARPETA / DOCUMENTOS / name, data, mode=0o600)
    return name


def _write(workspace: Workspace, kept: Declarado, disk: Disk) -> None:
    lines = [
        "# Lo que este difusor declaró, y lo que el instituto le dispensó. Lo escriben «pregon difusor declara» y",
        "# «dispensa»: nada se borra, y de cada clave vale lo último.",
        f"formato = {_toml(kept.formato)}",
        *_tables("declaracion", kept.declaracion),
        *_tables("dispensa", kept.dispensa),
    ]
    path = workspace.folder / CARPETA / ARCHIVO
    disk.write(path, ("\n".join(lines) + "\n").encode(), mode=0o600)


def _tables(name: str, rows: Sequence[DichoT]) -> list[str]:
    lines = []
    for row in rows:
        lines += ["", f"[[{name}]]"]
        for key, value in sorted(row):
            if value is not None:
                lines.append(f"{key} = {_toml(value)}")
    return lines


def _toml(value: str | dt.date) -> str:
    if isinstance(value, dt.date):  # An instant is one too, and keeps its offset.
        return value.isoformat()
    # JSON's escapes are TOML's, but for DEL; what the command line could not decode is no text.
    return json.dumps(value.encode(errors="replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007F")
