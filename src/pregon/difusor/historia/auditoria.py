"""Looks back at what was received: lists the cuts, verifies them again, makes a past one again, exports it.

Everything is made from the originals in ``historico/``, in a folder of its own (``auditoria/``): nothing here reads or
writes what is public. Each of the three ways to use it has its own room there and its own lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.durable import PARCIAL
from pregon.base.errors import ComprobacionError, DiscoError, EntradaError, EscrituraError
from pregon.base.fechas import fecha_larga
from pregon.base.hashing import CHUNK, sha256_file
from pregon.base.locks import exclusive
from pregon.base.space import RESERVA, require_free
from pregon.difusor import report
from pregon.difusor.historia.history import ALTERADO, History
from pregon.difusor.objects import ObjectStore
from pregon.difusor.release import plan
from pregon.paquete.archive import zip_of
from pregon.paquete.empacado import pack
from pregon.paquete.names import MANIFIESTO
from pregon.trust.oferta import split_archives

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.libro import Libro
    from pregon.difusor.release import Plan
    from pregon.difusor.workspace import Workspace
    from pregon.paquete.crudo import Packed

CUARTOS = "auditoria"
"""Folder of the workspace where past cuts are made again; what is in it is never kept."""
PUBLICO = "publico"
ORIGINALES = "originales"
"""The two folders of what is exported."""
SUMAS = "SHA256SUMS"
MAX_NOMBRADAS = 5
"""Paths that a problem names."""


@dataclass(frozen=True)
class Examen:
    """What verifying a cut again found: files and bytes of its originals, public paths made again, what is wrong."""

    corte: int
    originales: int
    bytes: int
    rutas: int
    problemas: tuple[str, ...]

    @property
    def sano(self) -> bool:
        """Whether everything is as it was accepted."""
        return not self.problemas

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "numero": self.corte,
            "sano": self.sano,
            "originales": self.originales,
            "bytes": self.bytes,
            "rutas": self.rutas,
            "problemas": list(self.problemas),
        }


class Auditoria:
    """The past cuts of one workspace. Changes nothing of it outside ``auditoria/``."""

    def __init__(self, workspace: Workspace, libro: Libro, disk: Disk) -> None:
        self._workspace = workspace
        self._libro = libro
        self._disk = disk
        self._history = History(workspace.historico, disk)

    def cut(self, number: int) -> Aceptado:
        """The accepted cut of that number.

        Raises:
            EntradaError: there is none.
        """
        for known in self._libro.cortes():
            if known.corte == number:
                return known
        raise EntradaError(
            f"Este difusor no ha aceptado un corte {number}.",
            intacto="No se cambió nada.",
            que_hacer="Vea cuáles hay con «pregon difusor cortes».",
        )

    def lista(self) -> list[dict[str, Any]]:
        """``report.cortes`` and, of each, the bytes of its originals and whether its whole archive is here."""
        found = report.cortes(self._libro)
        for row, cut in zip(found, self._libro.cortes(), strict=True):
            whole, kept = split_archives(cut.archivos)[0], self._history.archives(cut.corte)
            row["bytes"] = self._history.weight(cut.corte)
            row["completo"] = whole is not None and whole.nombre in {path.name for path in kept}
        return found

    def es_publico(self, cut: Aceptado) -> bool:
        """Whether the cut is, or was, past its embargo: it was made public, or a later one was."""
        public = self._libro.publicado
        return public is not None and cut.corte <= public

    def verifica(self, numbers: Sequence[int] = ()) -> Iterator[Examen]:
        """Verify again those cuts, all where none is named, oldest first.

        1. The record beside the originals is the one that was accepted.
        2. The manifest has the SHA-256 that was accepted, and those of the cuts in between lead to it.
        3. Each archive is the signed one.
        4. Every public path of the cut, those of earlier cuts that it carried too, can be made again.

        Raises:
            EntradaError: a number that was not accepted.
            DiscoError: there is no room to make a cut again.
        """
        chosen = [self.cut(number) for number in numbers] or list(self._libro.cortes())
        with self._room("verifica") as room:
            store = ObjectStore(room, self._disk)
            for cut in sorted(chosen, key=lambda known: known.corte):
                yield self._examine(cut, store)

    def _examine(self, cut: Aceptado, store: ObjectStore) -> Examen:
        problems, made = self._problems(cut), 0
        if self._has_manifest(cut):
            what, lost = self._make(cut, store)
            made = sum(sha256 not in lost for sha256 in what.rutas.values())
            problems += _unmade(what, lost)
            for sha256 in list(store.stored()):  # What the next one shares stays: it is made once.
                if sha256 not in what.rutas.values():
                    store.drop(sha256)
        files = self._history.files(cut.corte)
        return Examen(cut.corte, len(files), sum(path.lstat().st_size for path in files), made, tuple(problems))

    def _has_manifest(self, cut: Aceptado) -> bool:
        try:
            self._history.manifest(cut)
        except DiscoError:
            return False
        return True

    def _problems(self, cut: Aceptado) -> list[str]:
        """1, 2 and 3 of ``verifica``."""
        found = []
        if self._history.recibo(cut.corte) != cut:
            found.append("El recibo guardado con los originales no es el que se aceptó.")
        try:
            if self._history.broken_chain(cut):
                found.append("Los manifiestos de los cortes intermedios no llevan al de este corte.")
        except DiscoError as exc:
            found.append(exc.que_paso)
        found += [f"El original {path.name} no es el que se recibió." for path in self._history.wrong(cut)]
        return found

    def _make(self, cut: Aceptado, store: ObjectStore) -> tuple[Plan, set[str]]:
        """Make again in ``store`` everything that was public with ``cut``; what could not be is returned."""
        manifest, raw = self._history.manifest(cut)
        older = []
        before = [known for known in self._libro.cortes() if known.corte < cut.corte]
        carried = self._workspace.convocatoria.cortes_visibles - 1
        for known in list(reversed(before))[:carried]:
            with contextlib.suppress(DiscoError):  # That one is told when it is its turn.
                older.append(self._history.manifest(known)[0])
        what = plan(manifest, cut.sha256, older)
        sizes = {entry.sha256: entry.bytes for past in (*older, manifest) for entry in past.archivos}
        wanted = {sha for sha in what.rutas.values() if sha != cut.sha256 and not store.has(sha, sizes[sha])}
        require_free(self._workspace.folder, sum(sizes[sha256] for sha256 in wanted) + RESERVA)
        if not store.has(cut.sha256, len(raw)):
            store.put(cut.sha256, len(raw), [raw])
        return what, self._history.remake(wanted, [*before, cut], store)

    @contextlib.contextmanager
    def tree(self, number: int, room: str) -> Iterator[tuple[Aceptado, Path]]:
        """The cut and, until the block ends, a folder with its public tree made again and hashed; then it is removed.

        Raises:
            EntradaError: it was not accepted.
            ComprobacionError: it is not sound.
            DiscoError: there is no room.
            InstanciaError: another process has that ``room``.
        """
        cut = self.cut(number)
        with self._room(room) as folder:
            store = ObjectStore(folder / "objetos", self._disk)
            self._disk.make_folder(folder / "objetos")
            problems = self._problems(cut)
            what, lost = self._make(cut, store) if not problems else (None, set())
            if what is None or lost:
                raise _unsound(cut, problems or _unmade(what, lost))
            root = folder / what.name
            for ruta, sha256 in what.rutas.items():
                self._disk.make_folder((root / ruta).parent)
                self._disk.link(store.path(sha256), root / ruta)
            yield cut, root

    def exporta(self, number: int, salida: Path) -> int:
        """Write a past cut to ``salida``, a folder or (by its name) a zip; how many files went.

        ``publico/`` is the tree that was public, byte for byte, its ``manifiesto.json`` too; ``originales/`` what was
        received; ``SHA256SUMS`` lists both for ``sha256sum -c``. Everything is hashed while it is written, and the
        same cut gives the same zip.

        Raises: as ``tree``, and
            EscrituraError: ``salida`` is there already; or it cannot be written: nothing stays.
            ComprobacionError: the cut is not public yet (GRO-1.1a); a simulacro has no such secret.
        """
        if os.path.lexists(salida):
            raise EscrituraError(
                f"Ya existe {salida}.",
                intacto="No se cambió nada.",
                que_hacer="Dé en --salida un nombre nuevo: lo exportado nunca se sobrescribe.",
            )
        if self._workspace.settings.ambiente != "simulacro" and not self.es_publico(self.cut(number)):
            raise embargado(number, "exporta")
        with self.tree(number, "exporta") as (cut, root):
            files = self._to_export(cut, root)
            require_free(salida.absolute().parent, sum(path.stat().st_size for path, _ in files.values()) + RESERVA)
            lines = (f"{sha256}  {ruta}\n" for ruta, (_, sha256) in sorted(files.items()))
            sums = root.parent / SUMAS
            self._disk.create(sums, "".join(lines).encode())
            files[SUMAS] = (sums, sha256_file(sums))
            if salida.suffix == ".zip":
                members = ((ruta, _packed(ruta, path, sha256)) for ruta, (path, sha256) in sorted(files.items()))
                self._disk.write(salida, zip_of(members, stamp=cut.hora_corte))
            else:
                self._to_folder(files, salida)
        return len(files)

    def _to_export(self, cut: Aceptado, root: Path) -> dict[str, tuple[Path, str]]:
        """Path in the export to where it is now and its SHA-256. Signed originals by the signature, not by the disk."""
        signed = {ref.nombre: ref.sha256 for ref in cut.archivos} | {MANIFIESTO: cut.sha256}
        kept = self._history.folder(cut.corte)
        files = {
            f"{PUBLICO}/{path.relative_to(root)}": (path, sha256_file(path))
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }
        for path in self._history.files(cut.corte):
            if path.name.endswith(ALTERADO):
                continue
            ours = signed.get(path.name) if path.parent == kept else None
            files[f"{ORIGINALES}/{path.relative_to(kept)}"] = (path, ours or sha256_file(path))
        return files

    def _to_folder(self, files: dict[str, tuple[Path, str]], salida: Path) -> None:
        provisional = salida.with_name(salida.name + PARCIAL)
        self._disk.remove_tree(provisional)
        try:
            for ruta, (path, sha256) in files.items():
                self._disk.make_folder((provisional / ruta).parent)
                self._disk.create(provisional / ruta, _checked(path, sha256))
            self._disk.sync_filesystem(provisional)
            self._disk.replace(provisional, salida)
        except BaseException:
            with contextlib.suppress(DiscoError, EscrituraError):
                self._disk.remove_tree(provisional)
            raise

    @contextlib.contextmanager
    def _room(self, name: str) -> Iterator[Path]:
        """An empty folder for one process. What a killed one left in it goes first."""
        rooms = self._workspace.folder / CUARTOS
        self._disk.make_folder(rooms, mode=0o700)
        with exclusive(rooms / f"{name}.lock"):
            room = rooms / name
            self._disk.remove_tree(room)
            self._disk.make_folder(room, mode=0o700)
            try:
                yield room
            finally:
                self._disk.remove_tree(room)


def permanencia(workspace: Workspace, now: datetime) -> dict[str, Any]:
    """Since when the last cut may be withdrawn, and a sentence; nothing withdraws it by itself (GRO-1.1c, MEX-I-1b)."""
    until = workspace.convocatoria.permanencia_hasta
    if until is None:
        text = "La convocatoria no dice hasta cuándo: el último corte se queda hasta que el instituto diga otra cosa."
    elif now <= until:
        text = f"El último corte debe seguir publicado al menos hasta {_instant(until)}."
    else:
        text = (
            f"El plazo de permanencia terminó {_instant(until)}. El último corte sigue publicado; puede "
            "retirarse deteniendo «opera» y «sirve», si el instituto no dice otra cosa."
        )
    over = until is not None and now > until
    return {"hasta": None if until is None else until.isoformat(), "cumplida": over, "texto": text}


def _instant(local: datetime) -> str:
    return f"el {fecha_larga(local)} a las {local:%H:%M}"


def embargado(number: int, orden: str) -> ComprobacionError:
    """The refusal to let out a cut that is not public yet."""
    return ComprobacionError(
        f"El corte {number} todavía no es público: no se {orden} antes de la hora de inicio.",
        intacto="No se escribió ni se sirvió nada.",
        que_hacer="Espere a que se publique. Para revisarlo en este equipo, «--sirve» sin --direccion.",
    )


def _unmade(what: Plan | None, lost: set[str]) -> list[str]:
    if what is None or not lost:
        return []
    rutas = sorted(ruta for ruta, sha256 in what.rutas.items() if sha256 in lost)
    named = ", ".join(rutas[:MAX_NOMBRADAS]) + ("…" if len(rutas) > MAX_NOMBRADAS else "")
    return [f"No se pueden rehacer {len(rutas)} direcciones con los originales guardados: {named}"]


def _unsound(cut: Aceptado, problems: Iterable[str]) -> ComprobacionError:
    return ComprobacionError(
        f"El corte {cut.corte} no está como se aceptó: {' '.join(problems)}",
        intacto="Lo publicado sigue como estaba; no se escribió nada fuera de la carpeta de trabajo.",
        que_hacer="Reponga en historico/ el original, copiado del instituto o de otro difusor, y repita la orden.",
    )


def _checked(path: Path, sha256: str) -> Iterator[bytes]:
    """The content of a file in pieces.

    Raises:
        ComprobacionError: it is not the one of that hash, known when the last piece was given.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            yield chunk
    if digest.hexdigest() != sha256:
        raise _changed(path)


def _packed(ruta: str, path: Path, sha256: str) -> Packed:
    packed = pack(ruta, path)
    if packed.sha256 != sha256:
        raise _changed(path)
    return packed


def _changed(path: Path) -> ComprobacionError:
    return ComprobacionError(
        f"{path} cambió mientras se exportaba.",
        intacto="Lo publicado sigue como estaba; lo exportado a medias se quitó.",
        que_hacer="Revise quién escribe en esa carpeta y repita la orden.",
    )
