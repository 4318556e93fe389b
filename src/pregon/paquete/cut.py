"""Writes one cut: archive, archive of changes and manifest, in the folder that will be signed (design §2)."""

from __future__ import annotations

import dataclasses
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from pregon.base.durable import Disk
from pregon.base.errors import ComprobacionError
from pregon.base.hashing import sha256_bytes
from pregon.paquete.archive import write_zip, zip_of
from pregon.paquete.empacado import pack
from pregon.paquete.manifest import Manifest, ManifestHead, parse_manifest
from pregon.paquete.names import CAMBIOS, DIFERENCIA, MANIFIESTO, SIETE, SUMAS, ZIP
from pregon.paquete.siete.escrito import write_7z

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from pregon.paquete.crudo import Packed
    from pregon.paquete.manifest import FileEntry
    from pregon.paquete.tree import PackageTree

RESUMEN = "resumen.txt"

_BASE = re.compile(r"[0-9]{8}_[0-9]{4}_[A-Za-z0-9_-]{1,80}")


def stamped_name(hora_corte: datetime, sufijo: str) -> str:
    """``AAAAMMDD_HHMM_<sufijo>`` in the cut's own local time; ``sufijo`` is like ``PREP_CAMP`` or ``PREP_GUB_CAMP``."""
    return f"{hora_corte:%Y%m%d_%H%M}_{sufijo}"


def write_cut(
    folder: Path,
    tree: PackageTree,
    head: ManifestHead,
    previous: bytes | None,
    base_name: str,
    *,
    notas: Sequence[str] = (),
    diferencias: Mapping[str, bytes] = MappingProxyType({}),
    antes: Manifest | None = None,
    zip_aparte: Path | None = None,
    disk: Disk | None = None,
) -> Manifest:
    """Add ``SHA256SUMS`` and ``resumen.txt`` to ``tree`` and write the cut into ``folder``.

    Written in this order: ``<base_name>.zip``, or, with ``zip_aparte``, ``<base_name>.7z`` and the same contents as a
    zip at that path, from which the next cut copies; ``<base_name>.cambios.zip`` when there is a ``previous`` manifest
    (its exact bytes); ``manifiesto.json`` last. The archive depends on the tree and on ``head.hora_corte`` only:
    ``generado`` is in the manifest alone. ``notas`` are further lines of the summary, the same for the same actas.
    ``diferencias``: paths whose content, where it is new, travels in the archive of changes as that recipe
    (``paquete.diferencias``) and not whole; the archive and the manifest are the same with and without it. ``antes``:
    ``previous`` already read.

    Raises:
        ArchivoError: ``previous`` is not a manifest, or the tree holds a name that is written here.
        ComprobacionError: ``folder`` holds files of another attempt, or ``base_name`` is not of the form.
        DiscoError, EscrituraError: could not write; ``folder`` has no manifest, so it is not a cut.
    """
    disk = disk or Disk()
    before = antes or (None if previous is None else parse_manifest(previous))
    if not _BASE.fullmatch(base_name):
        raise _not_written(f"«{base_name}» no es el nombre de un corte (AAAAMMDD_HHMM_…).")
    archive = f"{base_name}{ZIP if zip_aparte is None else SIETE}"
    names = {MANIFIESTO, archive, f"{base_name}{CAMBIOS}"}
    disk.make_folder(folder)
    strangers = sorted(path.name for path in folder.iterdir() if path.name not in names)
    if strangers:
        raise _not_written(f"La carpeta {folder} contiene algo que no es de este corte: {', '.join(strangers[:5])}.")

    tree.add(RESUMEN, summary(head, tree.entries(), notas).encode())
    tree.add(SUMAS, checksums(tree.entries()))
    manifest = Manifest(
        **{field.name: getattr(head, field.name) for field in dataclasses.fields(ManifestHead)},
        anterior=None if previous is None else sha256_bytes(previous),
        archivos=tree.entries(),
    )
    rutas = [entry.ruta for entry in manifest.archivos]
    write_zip(zip_aparte or folder / archive, tree, rutas, stamp=head.hora_corte, disk=disk)
    if zip_aparte is not None:
        write_7z(folder / archive, tree, rutas, stamp=head.hora_corte, disk=disk)
    if before is not None:
        changed = changes(manifest.archivos, before.archivos)
        members = _travelling(tree, changed, diferencias)
        disk.write(folder / f"{base_name}{CAMBIOS}", zip_of(members, stamp=head.hora_corte))
    disk.write(folder / MANIFIESTO, manifest.to_bytes())
    return manifest


def _travelling(
    tree: PackageTree, changed: Sequence[str], diferencias: Mapping[str, bytes]
) -> Iterator[tuple[str, Packed]]:
    """The members of the archive of changes, sorted: each content, or the recipe that stands for it."""
    # A file of the package that itself ends so keeps its name: the recipe beside it does not travel.
    recipes = {ruta for ruta in changed if ruta in diferencias and ruta + DIFERENCIA not in tree}
    names = {ruta + DIFERENCIA if ruta in recipes else ruta: ruta for ruta in changed}
    for name in sorted(names):
        ruta = names[name]
        yield name, tree.packed(ruta) if name == ruta else pack(name, diferencias[ruta])


def changes(entries: Sequence[FileEntry], previous: Sequence[FileEntry]) -> tuple[str, ...]:
    """Paths that carry each content absent from ``previous``, once: by content, not by path (design §2).

    A content at several new paths travels at the first of them in path order; who unpacks finds the others in the
    manifest. A content that only changed its path does not travel.
    """
    known = {entry.sha256 for entry in previous}
    chosen: list[str] = []
    for entry in sorted(entries, key=lambda e: e.ruta):
        if entry.sha256 not in known:
            known.add(entry.sha256)
            chosen.append(entry.ruta)
    return tuple(chosen)


def checksums(entries: Sequence[FileEntry]) -> bytes:
    """The text that ``sha256sum -c`` reads: every file given but ``SHA256SUMS`` itself, in path order."""
    lines = (f"{e.sha256}  {e.ruta}\n" for e in sorted(entries, key=lambda e: e.ruta) if e.ruta != SUMAS)
    return "".join(lines).encode()


def summary(head: ManifestHead, entries: Sequence[FileEntry], notas: Sequence[str] = ()) -> str:
    """``resumen.txt``: what this package is, for a person, in Spanish. Depends on nothing but its arguments."""
    own = [entry for entry in entries if entry.ruta not in (SUMAS, RESUMEN)]
    size = sum(entry.bytes for entry in own)
    warning = ["SIMULACRO: estos datos no son resultados de ninguna elección.", ""]
    zone = head.hora_corte.strftime("%z")
    lines = [
        "Programa de Resultados Electorales Preliminares",
        "",
        *(warning if head.ambiente == "simulacro" else []),
        f"Instituto:     {head.instituto}",
        f"Convocatoria:  {head.convocatoria}",
        f"Ambiente:      {head.ambiente}",
        f"Elecciones:    {', '.join(head.elecciones)}",
        f"Corte:         {head.corte:04d}{_last(head)}",
        f"Hora de corte: {head.hora_corte:%d/%m/%Y %H:%M:%S} (UTC{zone[:3]}:{zone[3:5]})",
        f"Archivos:      {len(own):,} ({size:,} bytes), sin contar este resumen ni {SUMAS}",
        *(["", *notas] if notas else []),
        "",
        f"Para comprobar que los archivos están completos:  sha256sum -c {SUMAS}",
        "Eso prueba que no se dañaron. Que son del instituto lo prueba la firma, que cada difusor comprueba",
        "antes de publicar.",
    ]
    return "\n".join(lines) + "\n"


def _last(head: ManifestHead) -> str:
    if not head.ultimo:
        return ""
    return f" (último; cierre {head.cierre})" if head.cierre else " (último)"


def _not_written(que_paso: str) -> ComprobacionError:
    return ComprobacionError(
        que_paso,
        intacto="No se escribió ni se firmó nada.",
        que_hacer="Borre la carpeta del corte que no se llegó a firmar y repita la orden.",
    )
