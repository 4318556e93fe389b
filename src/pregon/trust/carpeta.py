"""What a signed repository (design §2) has on disk: its documents, cuts and notices, checked as they are read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tuf.api.metadata import Metadata, TargetFile
from tuf.api.serialization import DeserializationError

from pregon.base.durable import PARCIAL
from pregon.base.errors import DiscoError, EntradaError, EscrituraError
from pregon.base.hashing import sha256_bytes
from pregon.base.razones import razon
from pregon.paquete.manifest import parse_manifest
from pregon.paquete.names import MANIFIESTO, check_path
from pregon.trust import orden
from pregon.trust.aviso import NOTICE_MAX, notice_number
from pregon.trust.papeles import signed_files

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.paquete.manifest import Manifest
    from pregon.trust.verified import CutRef, Identity

_VERSIONED = re.compile(r"([1-9][0-9]*)\.([a-z]+)\.json")


class SignedFolder:
    """The reading half of a ``Repository``: nothing here signs or writes."""

    def __init__(self, folder: Path) -> None:
        """Open the repository in ``folder``.

        Raises:
            EntradaError: there is none.
            DiscoError: its metadata cannot be read.
        """
        self._folder = folder
        self._identity = orden.claim_of(self._load("root").signed.unrecognized_fields).identity

    @property
    def identity(self) -> Identity:
        """Whose repository this is."""
        return self._identity

    @property
    def folder(self) -> Path:
        """The static folder that carriers copy."""
        return self._folder

    def root_bytes(self) -> bytes:
        """The newest ``root.json``, for pinning in a difusor."""
        return self._path("root", self._newest("root")).read_bytes()

    def cut_folder(self, corte: int) -> Path:
        """Where the files of a cut are written before ``publish_cut``: ``targets/cortes/NNNN``."""
        return self._folder / "targets" / orden.cut_folder(corte)

    def cuts(self) -> tuple[CutRef, ...]:
        """The signed cuts, by number."""
        return orden.list_cuts(signed_files(self._load("cortes").signed))

    def last_manifest(self) -> bytes | None:
        """The exact bytes of the newest signed cut's manifest: the ``previous`` of the next; None before the first.

        Raises:
            DiscoError: it is not there, or is not the one that was signed.
        """
        cuts = self.cuts()
        if not cuts:
            return None
        path = self._folder / "targets" / cuts[-1].manifiesto.ruta
        try:
            data = path.read_bytes()
        except OSError as exc:
            raise _damaged(path) from exc
        if sha256_bytes(data) != cuts[-1].manifiesto.sha256:
            raise _damaged(path)
        return data

    def next_notice(self) -> int:
        """The number that the next notice gets.

        Raises:
            EscrituraError: there is no number left.
        """
        known = (notice_number(ruta) or 0 for ruta in self._load("avisos").signed.targets)
        number = 1 + max(known, default=0)
        if number > NOTICE_MAX:
            raise EscrituraError(
                f"Ya se firmaron {NOTICE_MAX:,} avisos: no queda número para otro.",
                intacto="No se firmó nada.",
                que_hacer="Revise qué programa firma tantos avisos.",
            )
        return number

    def notices(self) -> tuple[tuple[int, bytes], ...]:
        """Number and exact bytes of every signed notice, oldest first.

        Raises:
            DiscoError: one is not there, or is not the one that was signed.
        """
        found = []
        for file in signed_files(self._load("avisos").signed):
            number = notice_number(file.target.ruta)
            path = self._folder / "targets" / file.target.ruta
            data = path.read_bytes() if path.is_file() else b""
            if sha256_bytes(data) != file.target.sha256:
                raise _damaged(path)
            if number is not None:
                found.append((number, data))
        return tuple(sorted(found))

    def _read_cut(self, corte: int) -> tuple[Manifest, list[TargetFile]]:
        folder = self.cut_folder(corte)
        try:
            raw = (folder / MANIFIESTO).read_bytes()
            names = sorted(path.name for path in folder.iterdir())
        except OSError as exc:
            raise no_cut(folder, razon(exc)) from exc
        strange = [name for name in names if not (folder / name).is_file() or name.endswith(PARCIAL)]
        if strange:
            raise no_cut(folder, f"tiene algo que no es de un corte terminado: {', '.join(strange[:5])}")
        manifest = parse_manifest(raw)
        custom = {"corte": manifest.corte, "hora_corte": manifest.hora_corte.isoformat(timespec="seconds")}
        files = []
        for name in names:
            ruta = check_path(f"{orden.cut_folder(corte)}/{name}")
            file = TargetFile.from_file(ruta, str(folder / name), ["sha256"])
            file.unrecognized_fields["custom"] = custom
            files.append(file)
        if sha256_bytes(raw) not in {file.hashes["sha256"] for file in files if file.path.endswith(f"/{MANIFIESTO}")}:
            raise no_cut(folder, "cambió mientras se firmaba")
        return manifest, files

    def _newest(self, name: str) -> int:
        """The highest version on disk of a role, signed into a snapshot or not; 0 when there is none."""
        if name == "timestamp":
            path = self._folder / "metadata" / "timestamp.json"
            return int(self._load("timestamp").signed.version) if path.exists() else 0
        matches = (_VERSIONED.fullmatch(path.name) for path in (self._folder / "metadata").glob(f"*.{name}.json"))
        return max((int(match[1]) for match in matches if match and match[2] == name), default=0)

    def _path(self, name: str, version: int) -> Path:
        return self._folder / "metadata" / f"{version}.{name}.json"

    def _load(self, name: str) -> Metadata[Any]:
        """The current version of a role: the one that timestamp.json leads to, or the newest root."""
        if name == "root":
            return self._parse(self._path("root", self._newest("root")))
        if name == "timestamp":
            return self._parse(self._folder / "metadata" / "timestamp.json")
        if name == "snapshot":
            return self._parse(self._path(name, self._load("timestamp").signed.snapshot_meta.version))
        return self._parse(self._path(name, self._load("snapshot").signed.meta[f"{name}.json"].version))

    def _parse(self, path: Path) -> Metadata[Any]:
        try:
            return Metadata.from_bytes(path.read_bytes())
        except OSError as exc:
            raise EntradaError(
                f"No hay un repositorio firmado completo en {self._folder}: falta {path.name}.",
                intacto="No se firmó nada.",
                que_hacer="Revise la carpeta, o cree el espacio con «pregon instituto inicia».",
            ) from exc
        except DeserializationError as exc:
            raise _damaged(path) from exc


def in_use(folder: Path) -> bool:
    """Whether ``folder`` holds more than a stopped ``create`` leaves: a first root, and roles nobody was offered."""
    versions = (_VERSIONED.fullmatch(path.name) for path in (folder / "metadata").glob("*.json"))
    cuts = folder / "targets" / "cortes"
    return any(match is None or (match[2] == "root" and match[1] != "1") for match in versions) or (
        cuts.is_dir() and any(cuts.iterdir())
    )


def _damaged(path: Path) -> DiscoError:
    return DiscoError(
        f"El archivo firmado {path} falta o está dañado.",
        intacto="No se firmó nada; lo que los difusores ya publicaron sigue como estaba.",
        que_hacer="Recupere el repositorio de su respaldo o de un difusor («pregon instituto recupera»).",
    )


def no_cut(folder: Path, problem: str) -> EntradaError:
    return EntradaError(
        f"En {folder} no hay un corte que firmar: {problem}.",
        intacto="No se firmó nada; lo ya firmado sigue siendo válido.",
        que_hacer="Vuelva a generar el corte.",
    )
