"""Whether a signed folder (a file, or a report) is what the institute wrote: for whoever has it, without a workspace.

1. The signature of ``SHA256SUMS``, from the root that is trusted and the metadata that the folder brings.
2. Every file against its sum, and no file beside them.
3. The chain of ``bitacora.jsonl``, up to the head that was signed, and against every seal in the folder.
4. Each acuse, with the key that came with it; those of one node, of a difusor's file, as a chain.
5. Each notice and each manifest against the signed lists.

A report has steps 1 and 2 alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.cadena import Apunte, Cabeza
from pregon.base.errors import EntradaError, FirmaError, FormatoError, PregonError
from pregon.base.hashing import open_regular, sha256_bytes, sha256_file
from pregon.base.razones import razon
from pregon.instituto.bitacora import informe, papeles, sellos
from pregon.instituto.bitacora.cadena import Tapado, verifica
from pregon.instituto.bitacora.carpeta import FIRMA, SUMAS
from pregon.instituto.bitacora.expediente import BITACORA, CADENA, REPOSITORIO
from pregon.trust.acuse import load_public_key, read_acuse, verify_chain
from pregon.trust.sobre import MAX_BYTES, listed, paper_keys, read_paper

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from securesystemslib.signer import Key

    from pregon.trust.acuse import Acuse

INTACTO = "No se cambió nada."
LINEA_MAX = 4 << 20
"""Bytes of one line of the journal."""
SUMAS_MAX = 32 << 20


@dataclass(frozen=True)
class Examen:
    """What was found. ``de``: of what, as it was signed; ``problemas``: Spanish, none where all holds."""

    de: dict[str, Any]
    archivos: int
    sucesos: int
    acuses: int
    problemas: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether all holds."""
        return not self.problemas

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            "ok": self.ok,
            "de": self.de,
            "archivos": self.archivos,
            "sucesos": self.sucesos,
            "acuses": self.acuses,
            "problemas": list(self.problemas),
        }


def examina(folder: Path, root: bytes, metadata: Path | None = None) -> Examen:
    """Check a folder with the root that is trusted. ``metadata``: of the repository, where the folder brings none.

    Raises:
        EntradaError: it is no such folder.
        FormatoError, FirmaError: its sums were not signed by the institute of that root: nothing in it is proved.
    """
    where = folder / REPOSITORIO / "metadata"
    if metadata is not None and not where.is_dir():
        where = metadata
    allowed = paper_keys(where, root)
    sums = _read(folder / SUMAS, SUMAS_MAX)  # 1
    claim = _claim(_read(folder / FIRMA, MAX_BYTES), allowed)
    if claim.get("sumas_sha256") != sha256_bytes(sums):
        raise FirmaError(
            f"«{SUMAS}» no es el que el instituto firmó.",
            intacto=INTACTO,
            que_hacer="Pida otra vez la carpeta, y conserve ésta como prueba.",
        )
    problems: list[str] = []
    problems += _files(folder, sums)  # 2
    events = acuses = 0
    if (folder / BITACORA).is_file():
        events, wrong = _chain(folder, claim, allowed)  # 3
        problems += wrong
        acuses, wrong = _acuses(folder, whole="difusor" in claim["de"])  # 4
        problems += wrong
        problems += _repository(folder, root)  # 5
    return Examen(claim["de"], sums.count(b"\n"), events, acuses, tuple(problems))


def _claim(data: bytes, allowed: Sequence[Key]) -> dict[str, Any]:
    try:
        claim = read_paper(data, papeles.FORMATO, allowed)
    except FormatoError:
        claim = read_paper(data, informe.FORMATO, allowed)
    head = claim.get("bitacora")
    if not isinstance(claim.get("de"), dict) or not isinstance(head, dict) or not {"n", "eslabon"} <= head.keys():
        raise FormatoError(
            f"«{FIRMA}» no dice de qué es.",
            intacto=INTACTO,
            que_hacer="La hizo otra versión de Pregón: compruébela con aquélla.",
        )
    return claim


def _files(folder: Path, sums: bytes) -> Iterator[str]:
    told = {name: digest for digest, _, name in (line.partition("  ") for line in sums.decode().splitlines())}
    there = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if (path.is_symlink() or not path.is_dir()) and path.name not in (SUMAS, FIRMA)
    }
    for name, digest in told.items():
        path = there.get(name)
        if path is None:
            yield f"Falta el archivo {name}."
        elif path.is_symlink() or not path.is_file() or sha256_file(path) != digest:  # a pipe would be waited for
            yield f"El archivo {name} no es el que se firmó."
    yield from (f"El archivo {name} no está en las sumas firmadas." for name in sorted(there.keys() - told.keys()))


def _chain(folder: Path, claim: dict[str, Any], allowed: Sequence[Key]) -> tuple[int, list[str]]:
    wrong: list[str] = []
    seals = []
    for path in sorted((folder / CADENA).glob("[0-9]*.json")):
        try:
            seals.append(sellos.parse(_read(path, MAX_BYTES), allowed))
        except PregonError as exc:
            wrong.append(f"El sello {path.stem}: {exc.que_paso}")
    head = Cabeza(int(claim["bitacora"]["n"]), str(claim["bitacora"]["eslabon"]))
    lines = _Renglones(folder / BITACORA)
    try:
        read = verifica(lines, dados=head.n, sellos=seals)
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0, [*wrong, f"«{BITACORA}» no se entiende: el renglón {lines.leidos} está cortado o cambiado."]
    wrong += [fault.que for fault in read.fallas]
    if read.cabeza != head:
        wrong.append(f"La cadena termina en el suceso {read.cabeza.n} con otro eslabón que el firmado ({head.n}).")
    return read.sucesos, wrong


class _Renglones:
    """The lines of a journal's file. ``leidos``: how many were begun."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.leidos = 0

    def __iter__(self) -> Iterator[Apunte | Tapado]:
        with self._path.open("rb") as file:
            while line := file.readline(LINEA_MAX):
                self.leidos += 1
                data = json.loads(line)
                link = data["eslabon"]
                if "huella" in data:
                    yield Tapado(int(data["n"]), str(data["huella"]), link)
                else:
                    yield Apunte(int(data["n"]), str(data["hora"]), str(data["tipo"]), str(data["dato"]), link)


def _acuses(folder: Path, *, whole: bool) -> tuple[int, list[str]]:
    wrong: list[str] = []
    many = 0
    for public in sorted((folder / "acuses").glob("*/*/acuse.pub.pem")):
        nodo = "/".join(public.parts[-3:-1])
        try:
            key = load_public_key(public)
            read: list[Acuse] = [
                read_acuse(_read(path, MAX_BYTES), key) for path in sorted(public.parent.glob("[0-9]*.json"))
            ]
            many += len(read)
            if whole and read:
                verify_chain(read, read[0].emisor)
        except PregonError as exc:
            wrong.append(f"Los acuses de {nodo}: {exc.que_paso}")
    return many, wrong


def _repository(folder: Path, root: bytes) -> Iterator[str]:
    metadata = folder / REPOSITORIO / "metadata"
    for role in ("avisos", "cortes"):
        signed = listed(metadata, root, role)
        place = folder / REPOSITORIO / "targets"
        for path in sorted(one for one in (place / role).rglob("*") if one.is_file()):
            name = path.relative_to(place).as_posix()
            if signed.get(name) != sha256_file(path):
                yield f"{name} no es el que el instituto firmó."


def _read(path: Path, limit: int) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(limit + 1)
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer {path}: {razon(exc)}.",
            intacto=INTACTO,
            que_hacer="Dé la carpeta de un expediente o de un informe, completa.",
        ) from exc
