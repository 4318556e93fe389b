"""Two rehearsals before the night: a cut made whole with throwaway keys, and the dry cut that every difusor gets.

The first reads, gates, builds, packs and signs the files of yesterday in a workspace of its own that is removed at
once: nothing of it is ever delivered. The second is the package of before the start (0000): the «puesta en ceros», in
which no acta is counted. It is signed for good, so one that has votes is refused.
"""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import FindingsError, PregonError, UsoError
from pregon.instituto import fuentes
from pregon.instituto.autorizaciones import load as load_authorisations
from pregon.instituto.build import build_cut
from pregon.instituto.sql.fuentes import contest_sources
from pregon.instituto.workspace import PERFIL, create
from pregon.prep.reader import read_actas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pregon.instituto.build import BuiltCut
    from pregon.instituto.fuentes import ContestSource
    from pregon.instituto.workspace import Workspace

CARPETA = "ensayo-"
_COUNTED = ("ACTAS_CONTABILIZADAS", "TOTAL_VOTOS_C_CS", "TOTAL_VOTOS_S_CS")
"""Fields of the summary that say whether anything is counted; the gate proves that they are what the actas say."""


@dataclass(frozen=True)
class Ensayado:
    """How the rehearsal of one cut went. ``error``: what stopped it; None where it was signed."""

    segundos: float
    bytes: int
    archivos: int
    avisa: int
    error: PregonError | None = None


def ensaya(workspace: Workspace, actas: Sequence[Path], environment: Mapping[str, str]) -> Ensayado:
    """Make one cut whole of ``actas`` (none: of the database of the settings), with keys that are thrown away.

    What stops it is in the answer. Nothing of the workspace changes but its folder of work.

    Raises:
        UsoError: there are neither files nor a database.
        DiscoError, EscrituraError: there is no room for it.
    """
    if not actas and not workspace.settings.fuente:
        raise UsoError(
            "No hay con qué ensayar un corte.",
            intacto="No se cambió nada.",
            que_hacer="Dé con --ayer los archivos de actas de un simulacro.",
        )
    start = workspace.clock.monotonic()
    with _throwaway(workspace) as space, contextlib.ExitStack() as stack:
        ours = workspace.settings.opera.autorizaciones
        try:
            given = () if ours is None else load_authorisations(workspace.folder / ours)
            if actas:
                built = build_cut(space, fuentes.sources(actas), autorizaciones=given)
            else:
                stack.enter_context(workspace.making())  # Its folder of work is where the database is written.
                hora = workspace.clock.now().replace(microsecond=0)
                found = contest_sources(workspace, hora=hora, ultimo=False, entorno=environment)
                built = build_cut(space, lambda: found, hora=hora, autorizaciones=given)
        except PregonError as exc:
            return Ensayado(workspace.clock.monotonic() - start, 0, 0, 0, exc)
        told = sum(finding.severidad != "informa" for _, finding in built.hallazgos)
        return Ensayado(built.segundos, built.paquete.bytes, len(built.manifest.archivos), told)


def corte_en_seco(workspace: Workspace, actas: Sequence[Path]) -> BuiltCut:
    """Make and sign the package 0000 of files in which nothing is counted.

    Raises:
        UsoError: the night began, or there is a cut already.
        FindingsError: something is counted in them; or as ``build_cut``. Nothing was signed.
    """
    sources = fuentes.sources(actas)
    problem = None
    if workspace.clock.now() >= workspace.convocatoria.inicio:
        problem = "la publicación ya comenzó"
    elif workspace.repository().cuts():
        problem = "ya hay un corte firmado"
    if problem is not None:
        raise UsoError(
            f"No se hace un corte en seco: {problem}.",
            intacto="No se firmó nada.",
            que_hacer="Repita la revisión sin --en-seco.",
        )
    counted = [text for one in sources for text in _counted(one)]
    if counted:
        raise FindingsError(
            "El corte en seco no lleva ningún acta contabilizada, y estos archivos sí:\n  " + "\n  ".join(counted),
            intacto="No se firmó nada.",
            que_hacer="Dé los archivos de la puesta en ceros.",
        )
    return build_cut(workspace, sources, corte=0, operador=workspace.settings.opera.operador)


def _counted(source: ContestSource) -> Iterator[str]:
    summary = read_actas(source.actas).encabezado
    for name in _COUNTED:
        if summary.get(name):
            yield f"{source.actas.name}: {name} = {summary[name]}"


@contextlib.contextmanager
def _throwaway(workspace: Workspace) -> Iterator[Workspace]:
    """A workspace of the same call with keys of its own, on the same disk, removed at the end."""
    folder = workspace.folder / f"{CARPETA}{secrets.token_hex(8)}"
    try:
        yield create(
            folder,
            workspace.folder / PERFIL,
            ambiente="simulacro",
            clock=workspace.clock,
            disk=workspace.disk,
        )
    finally:
        workspace.disk.remove_tree(folder)
