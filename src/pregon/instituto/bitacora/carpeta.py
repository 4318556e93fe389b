"""A signed folder: files, the sum of each, and the institute's signature over the sums. It is whole or not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.cadena import Cabeza, eslabon
from pregon.base.durable import PARCIAL
from pregon.base.errors import EscrituraError
from pregon.base.hashing import sha256_bytes
from pregon.trust import keys
from pregon.trust.sobre import paper_keys, sign_paper

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pregon.instituto.bitacora.hechos import Hechos

SUMAS = "SHA256SUMS"
FIRMA = "SHA256SUMS.firma.json"


@dataclass(frozen=True)
class Escrita:
    """What was written: where, how many files, the SHA-256 of their sums, and whether the journal was sound."""

    carpeta: Path
    archivos: int
    sha256: str
    integra: bool

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            "carpeta": str(self.carpeta),
            "archivos": self.archivos,
            "sumas_sha256": self.sha256,
            "bitacora_integra": self.integra,
        }


def exige_libre(salida: Path) -> None:
    """Check that nothing is at ``salida``. Raises ``EscrituraError``."""
    if salida.exists():
        raise EscrituraError(
            f"Ya hay algo en {salida}.",
            intacto="No se escribió nada.",
            que_hacer="Dé con --salida una carpeta que no exista.",
        )


def escribe(
    hechos: Hechos,
    salida: Path,
    archivos: Iterable[tuple[str, bytes]],
    *,
    tipo: str,
    suceso: str,
    de: Mapping[str, Any],
    operador: str,
    integra: bool,
) -> Escrita:
    """Write ``archivos`` (path, content) into ``salida``, sign their sums under ``tipo``, and note it as ``suceso``.

    What is signed names the head of the journal that was read, so that the folder is a seal too.

    Raises:
        EntradaError: the key of avisos is not at hand. DiscoError, EscrituraError: it could not be written. Nothing is
            left there.
    """
    workspace = hechos.workspace
    disk, temporary = workspace.disk, salida.with_name(salida.name + PARCIAL)
    disk.remove_tree(temporary)
    sums: dict[str, str] = {}
    head = cabeza(hechos)
    try:
        for name, content in archivos:
            disk.make_folder((temporary / name).parent)
            disk.create(temporary / name, content)
            sums[name] = sha256_bytes(content)
        text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()
        claim = {
            "convocatoria": workspace.convocatoria.id,
            "ambiente": workspace.settings.ambiente,
            "hora": hechos.hora.isoformat(),
            "de": dict(de),
            "sumas_sha256": sha256_bytes(text),
            "bitacora": {"n": head.n, "eslabon": head.eslabon},
        }
        allowed = paper_keys(workspace.repositorio / "metadata", workspace.repository().root_bytes())
        ring = keys.load_ring(workspace.llaves, identity=workspace.identity)
        disk.create(temporary / SUMAS, text)
        disk.create(temporary / FIRMA, sign_paper(claim, tipo, ring=ring, allowed=allowed))
        disk.sync_filesystem(temporary)
        disk.replace(temporary, salida)
    except BaseException:
        disk.remove_tree(temporary)
        raise
    workspace.state().record(suceso, **de, sha256=claim["sumas_sha256"], archivos=len(sums), operador=operador)
    return Escrita(salida, len(sums) + 2, str(claim["sumas_sha256"]), integra)


def cabeza(hechos: Hechos) -> Cabeza:
    """Where the chain ends of what was read: more may have been written since."""
    head = Cabeza()
    for one in hechos.bitacora:
        kept = one.apunte
        link = kept.eslabon or eslabon(head.eslabon, kept.n, kept.hora, kept.tipo, kept.dato)
        head = Cabeza(kept.n, link)
    return head
