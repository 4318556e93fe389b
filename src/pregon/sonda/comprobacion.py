"""Verifies whatever somebody has at hand: an archive, a folder, a repository or a portal. Writes nothing.

What is given decides what can be proved. With a root published elsewhere and the signed metadata: who made it. Without
them: only that the files are the ones of the manifest beside them, and the report says so.
"""

from __future__ import annotations

import contextlib
import os
import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import EntradaError, PregonError
from pregon.base.hashing import sha256_bytes
from pregon.paquete import contenido
from pregon.paquete.contenido import Revision
from pregon.paquete.errors import ManifiestoError
from pregon.paquete.manifest import MANIFEST_MAX_BYTES, FileEntry, parse_manifest
from pregon.paquete.names import LIMITES, MANIFIESTO
from pregon.sonda.informe import Informe
from pregon.transport.local import FolderSource
from pregon.transport.web import WebSource
from pregon.trust.comprueba import Examinador, match, own_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pregon.base.clock import Clock
    from pregon.paquete.manifest import Manifest
    from pregon.sonda.informe import Raiz
    from pregon.trust.origen import RepositorySource
    from pregon.trust.verified import TargetRef

_TIMESTAMP = Path("metadata") / "timestamp.json"
MAX_TREE_FILES = 400_000
"""Files looked at in a folder before it is taken for another one."""
_PORTAL_LIMITS = (
    "Que el sitio no tenga además otras páginas: desde fuera no se puede listar lo que sirve.",
    "Que a otras personas, u otro día, les responda lo mismo.",
)


@dataclass(frozen=True, kw_only=True)
class Pedido:
    """What is trusted and where the signatures are. ``repositorio`` and ``antes`` are a folder or an address.

    ``antes``: an earlier copy, which this one must continue. ``muestra``: how many files of a portal to read, at
    random; None for all.
    """

    raiz: bytes | None = None
    repositorio: str | None = None
    antes: str | None = None
    muestra: int | None = None


def examine(objetivo: str, pedido: Pedido, *, clock: Clock) -> Informe:
    """Verify ``objetivo``: an address with ``http``, a ``.zip``, a folder of a cut or a repository.

    What fails is told in the report (``Informe.fallo``), not raised.

    Raises:
        EntradaError: it is not there, or it is none of these.
        UsoError: an address that is none.
    """
    with contextlib.ExitStack() as stack:
        if is_address(objetivo):
            return _portal(objetivo, _Apoyo(pedido, clock, stack))
        path = Path(objetivo)
        if (path / _TIMESTAMP).is_file():
            return _repository(path, _Apoyo(pedido, clock, stack))
        if path.is_dir():
            return _folder(path, _Apoyo(pedido, clock, stack))
        if path.is_file():
            return _archive(path, _Apoyo(pedido, clock, stack))
    raise EntradaError(
        f"No existe {objetivo}.", intacto=contenido.INTACTO, que_hacer="Revise la ruta, o dé una dirección completa."
    )


def is_address(text: str) -> bool:
    """Whether it is to be read over the web."""
    return text.startswith(("http://", "https://"))


class _Apoyo:
    """What a verification leans on: the source of the signatures, the root, and the examiner while it lasts."""

    def __init__(self, pedido: Pedido, clock: Clock, stack: contextlib.ExitStack) -> None:
        self.pedido = pedido
        self.clock = clock
        self._stack = stack

    def source(self, place: str) -> RepositorySource:
        """The repository at ``place``; the address or the path of its ``metadata/`` is the same."""
        if is_address(place):
            return self._stack.enter_context(WebSource(place.rstrip("/").removesuffix("/metadata"), clock=self.clock))
        path = Path(place)
        if path.name == "metadata" and not (path / _TIMESTAMP).is_file():
            path = path.parent
        if not path.is_dir():
            raise EntradaError(
                f"No existe {place}.", intacto=contenido.INTACTO, que_hacer="Revise la ruta del repositorio."
            )
        return FolderSource(path)

    def examiner(self, source: RepositorySource) -> tuple[Examinador, Raiz]:
        """An examiner of ``source`` that trusts the root given, or else the one that it brings itself."""
        raiz: Raiz = "propia" if self.pedido.raiz is None else "dada"
        root = own_root(source) if self.pedido.raiz is None else self.pedido.raiz
        found = self._stack.enter_context(Examinador(root, clock=self.clock))
        if self.pedido.antes is not None:
            found.remember(self.source(self.pedido.antes))
        return found, raiz

    def signatures(self, informe: Informe, raw: bytes, manifest: Manifest, beside: Path | None = None) -> Informe:
        """The report with what the signed list says of this manifest. ``beside``: a repository around the file."""
        place = self.pedido.repositorio or (None if beside is None else str(beside))
        if place is None:
            return informe if self.pedido.raiz is None else replace(informe, error=no_metadata())
        try:
            source = self.source(place)
            examiner, raiz = self.examiner(source)
            listing = examiner.listing(source)
            informe = replace(informe, raiz=raiz, listing=listing)
            examiner.follows(manifest, match(listing, raw, manifest.corte), listing)
        except PregonError as exc:
            return replace(informe, error=exc)
        return informe


def _repository(path: Path, apoyo: _Apoyo) -> Informe:
    informe = Informe(origen=str(path), clase="repositorio")
    source = FolderSource(path)
    try:
        examiner, raiz = apoyo.examiner(source)
        found = examiner.review(source, lambda target: path / "targets" / target.ruta)
    except PregonError as exc:
        return replace(informe, error=exc)
    newest = found.listing.newest
    return replace(
        informe,
        listing=found.listing,
        raiz=raiz,
        manifest=found.newest,
        manifiesto_sha256=None if newest is None else newest.manifiesto.sha256,
        revision=found.revision,
        notas=() if newest else ("Ningún resultado: el repositorio está firmado y todavía no tiene cortes.",),
    )


def _archive(path: Path, apoyo: _Apoyo) -> Informe:
    informe = Informe(origen=str(path), clase="archivo")
    around = path.resolve().parents[3] if len(path.resolve().parents) > 3 else None
    repository = around if around is not None and (around / _TIMESTAMP).is_file() else None
    beside = path.parent / MANIFIESTO
    if beside.is_file():
        raw, manifest, informe = _manifest(informe, lambda: FolderSource(path.parent).stream(MANIFIESTO))
    else:
        raw, manifest, informe = _manifest_elsewhere(informe, path, apoyo)
    if manifest is None or raw is None:
        return informe
    informe = apoyo.signatures(informe, raw, manifest, repository)
    signed = _signed_archive(informe, path)
    if signed is not None:
        found = contenido.review_files(
            [FileEntry(path.name, signed.bytes, signed.sha256)], FolderSource(path.parent).stream
        )
        informe = replace(informe, revision=found)
        if found.fallas:
            return informe
    return replace(informe, revision=informe.revision + contenido.review_archive(path, manifest))


def _signed_archive(informe: Informe, path: Path) -> TargetRef | None:
    """The archive of that name among the signed ones of this cut."""
    if informe.listing is None or informe.manifest is None or informe.error is not None:
        return None
    cut = informe.listing.cut(informe.manifest.corte)
    return next((ref for ref in (cut.archives if cut else ()) if ref.nombre == path.name), None)


def _manifest_elsewhere(informe: Informe, path: Path, apoyo: _Apoyo) -> tuple[bytes | None, Manifest | None, Informe]:
    """The manifest of an archive that lies alone: from the repository given, by the archive's name in the list."""
    if apoyo.pedido.repositorio is None:
        return None, None, _alone(replace(informe, error=None if apoyo.pedido.raiz is None else no_metadata()), path)
    try:
        source = apoyo.source(apoyo.pedido.repositorio)
        examiner, _ = apoyo.examiner(source)
        listing = examiner.listing(source)
        named = [cut for cut in listing.cuts if any(ref.nombre == path.name for ref in cut.archives)]
        if not named:
            raise contenido.different(f"La lista firmada no nombra ningún archivo «{path.name}».")
        ruta = f"targets/{named[0].manifiesto.ruta}"
    except PregonError as exc:
        return None, None, replace(informe, error=exc)
    return _manifest(informe, lambda: source.stream(ruta))


def _alone(informe: Informe, path: Path) -> Informe:
    """An archive without manifest: whether its contents are the ones that its own SHA256SUMS lists."""
    return replace(
        informe,
        revision=contenido.review_alone(path),
        notas=("El corte, la hora y el ambiente: el archivo se revisó solo, sin su manifiesto.",),
    )


def _folder(path: Path, apoyo: _Apoyo) -> Informe:
    informe = Informe(origen=str(path), clase="carpeta")
    source = FolderSource(path, depth=LIMITES.profundidad)
    raw, manifest, informe = _manifest(informe, lambda: source.stream(MANIFIESTO))
    if raw is None or manifest is None:
        return informe
    informe = apoyo.signatures(informe, raw, manifest)
    found = contenido.review_files(manifest.archivos, source.stream)
    listed = {entry.ruta for entry in manifest.archivos} | {MANIFIESTO}
    extra = contenido.extra_files(tree_of(path), listed)
    return replace(informe, revision=found + Revision(fallas=extra))


def tree_of(path: Path) -> Iterator[str]:
    """Every file under ``path``, relative to it, and every link to a folder: a server would show what is behind it."""
    count = 0
    for folder, folders, names in os.walk(path):
        links = (name for name in folders if (Path(folder) / name).is_symlink())
        for name in (*names, *links):
            count += 1
            if count > MAX_TREE_FILES:
                return
            yield (Path(folder) / name).relative_to(path).as_posix()


def _portal(address: str, apoyo: _Apoyo) -> Informe:
    informe = Informe(origen=address, clase="portal", notas=_PORTAL_LIMITS)
    with WebSource(address, clock=apoyo.clock) as source:
        raw, manifest, informe = _manifest(informe, lambda: source.stream(MANIFIESTO))
        if raw is None or manifest is None:
            return informe
        informe = apoyo.signatures(informe, raw, manifest)
        entries = list(manifest.archivos)
        wanted = apoyo.pedido.muestra
        if wanted is not None and wanted < len(entries):
            entries = random.SystemRandom().sample(entries, wanted)
            informe = replace(informe, completo=False)
        return replace(informe, revision=contenido.review_files(entries, source.stream))


def _manifest(
    informe: Informe, read: Callable[[], Iterator[bytes] | None]
) -> tuple[bytes | None, Manifest | None, Informe]:
    """The bytes and the value of a manifest, and the report that says so, or that it could not be read."""
    try:
        pieces = read()
        if pieces is None:
            raise EntradaError(
                f"No hay «{MANIFIESTO}» en {informe.origen}: no es un corte de Pregón.",
                intacto=contenido.INTACTO,
                que_hacer="Revise la ruta o la dirección: debe ser la carpeta donde empieza lo publicado.",
            )
        raw = b""
        for piece in pieces:
            raw += piece
            if len(raw) > MANIFEST_MAX_BYTES:
                raise ManifiestoError(f"El manifiesto mide más de {MANIFEST_MAX_BYTES:,} bytes.")
        manifest = parse_manifest(raw)
    except PregonError as exc:
        return None, None, replace(informe, error=exc)
    return raw, manifest, replace(informe, manifest=manifest, manifiesto_sha256=sha256_bytes(raw))


def no_metadata() -> EntradaError:
    """The refusal of a root where there is nothing signed to verify with it."""
    return EntradaError(
        "Se dio una raíz y no hay firmas que comprobar con ella.",
        intacto=contenido.INTACTO,
        que_hacer="Dé con --repositorio la carpeta o la dirección donde el instituto publica «metadata/».",
    )
