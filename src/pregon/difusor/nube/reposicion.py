"""The pieces of ``rehace``: what the bucket has, believed and put in its place in an empty folder. Nothing is shown."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from pregon.base.durable import PARCIAL
from pregon.base.errors import (
    AjustesError,
    AmbienteError,
    CadenaError,
    ConvocatoriaError,
    DiscoError,
    EntradaError,
)
from pregon.difusor import pages, pointer
from pregon.difusor.acuse import files_in
from pregon.difusor.historia.compresion import Inflated, kind_of
from pregon.difusor.historia.respaldo import ESTADO, PERFIL
from pregon.difusor.historia.restauracion import desempaca, revisa_estado
from pregon.difusor.nube import copia as signed
from pregon.difusor.nube.copia import INTACTO
from pregon.difusor.nube.historial import ACUSES, COPIA, frase_de, trae_corte
from pregon.difusor.workspace import MAQUINA, Workspace, folders, with_settings
from pregon.trust.acuse import MAX_BYTES as ACUSE_MAX_BYTES
from pregon.trust.acuse import Emisor, read_acuse, verify_chain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.nube.ajustes import AjustesNube
    from pregon.difusor.nube.copia import Copia
    from pregon.difusor.nube.deposito import Deposito
    from pregon.difusor.publish import Publisher
    from pregon.difusor.settings import DifusorSettings
    from pregon.trust.acuse import Acuse
    from pregon.trust.keys import NamedKey

_logger = logging.getLogger(__name__)

HECHO = ("acuses", "avisos", "confianza", "cortes", "historico", "nube", "objetos", "personalizada", "recepcion",
         "puntero", "publico", MAQUINA, ESTADO, f"{ESTADO}-wal", f"{ESTADO}-shm")  # fmt: skip
"""What a difusor has and nobody else puts in its folder: where one of these is, there is a difusor."""
LLAVES = "llaves"


class Reposicion:
    """What one target has of the difusor of ``folder``. ``bytes``: that came; ``notas``: what the operator should know.

    ``antes``: paths in the folder that are the operator's own.
    """

    def __init__(
        self, folder: Path, settings: DifusorSettings, deposito: Deposito, *, antes: frozenset[str], disk: Disk
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._deposito = deposito
        self._antes = antes
        self._disk = disk
        self.bytes = 0
        self.notas: list[str] = []

    def cree(self, ajustes: AjustesNube, environment: Mapping[str, str]) -> tuple[Copia, NamedKey]:
        """2: the signed copy, of the difusor that the settings name, and the key that signed it."""
        data = self._deposito.lee(COPIA, signed.MAX_BYTES)
        if data is None:
            raise EntradaError(
                f"En {self._deposito.lugar} no hay ninguna copia de un difusor.",
                intacto=INTACTO,
                que_hacer="Revise «url» de ese [[nube]] y sus permisos. Antes de publicar el primer corte no se guarda "
                "nada: entonces comience con «pregon difusor inicia».",
            )
        llave = self._folder / LLAVES / "acuse.pem"
        copia, key = signed.abre(data, llave=llave, frase=frase_de(ajustes, self._folder, environment))
        self.bytes += len(data)
        said, own = copia, self._settings
        if said.ambiente != own.ambiente:
            raise AmbienteError(f"La copia es del ambiente «{said.ambiente}», y difusor.toml dice «{own.ambiente}».",
                                intacto=INTACTO, que_hacer="Use el difusor.toml de ese difusor.")  # fmt: skip
        if (said.difusor, said.nodo) != (own.id, own.nodo):
            raise AjustesError(
                f"La copia es del difusor {said.difusor}/{said.nodo}, y difusor.toml dice {own.id}/{own.nodo}.",
                intacto=INTACTO,
                que_hacer="Use el difusor.toml de ese difusor, o el prefijo de éste.",
            )
        return copia, key

    def estado(self, copia: Copia, key: NamedKey) -> Workspace:
        """4: everything that the copy holds, in its place."""
        aside = self._folder / f"{ESTADO}{PARCIAL}"
        self._disk.remove_tree(aside)
        self._disk.make_folder(aside, mode=0o700)
        tar = aside / copia.estado.ruta.rpartition("/")[2]
        try:
            self._disk.create(tar, self._deposito.trae(copia.estado.ruta, copia.estado.bytes, copia.estado.sha256))
            self.bytes += copia.estado.bytes
            inside = aside / "dentro"
            self._disk.make_folder(inside, mode=0o700)
            with tar.open("rb") as file:
                desempaca(Inflated(file, kind_of(tar)), inside, self._disk)
            revisa_estado(inside)
            self._forget(copia)
            for path in sorted(inside.iterdir()):
                target = self._folder / path.name
                if path.name in HECHO:
                    self._disk.remove_tree(target)
                elif target.exists():
                    continue  # The operator's own, a profile.
                self._disk.replace(path, target)
        finally:
            self._disk.remove_tree(aside)
        workspace = self._workspace()
        if workspace.convocatoria.id != copia.convocatoria:
            raise ConvocatoriaError(
                f"La copia es de la convocatoria «{copia.convocatoria}», no de «{workspace.convocatoria.id}».",
                intacto=INTACTO,
                que_hacer="Use el difusor.toml de ese difusor, o el prefijo de éste.",
            )
        for path, mode in folders(workspace):
            self._disk.make_folder(path, mode=mode)
            if path != workspace.folder:
                path.chmod(mode)
        if not workspace.llave.exists():
            self._disk.write(workspace.llave, key.signer.private_bytes, mode=0o600)
        public = workspace.llave.with_suffix(".pub.pem")
        if str(public.relative_to(self._folder)) not in self._antes:
            self._disk.write(public, key.public.keyval["public"].encode())
        pages.ensure(workspace, self._disk)
        return workspace

    def _forget(self, copia: Copia) -> None:
        """Remove what an unfinished ``rehace`` made besides the copy. Its acuses stay: they may have been sent."""
        for name in ("puntero", "publico", "cortes", "recepcion", "nube"):
            self._disk.remove_tree(self._folder / name)
        for folder in sorted((self._folder / "historico").glob("*")):
            number = pointer.release_number(folder.name)
            if number is None or number not in copia.originales:
                self._disk.remove_tree(folder)

    def _workspace(self) -> Workspace:
        name = self._settings.convocatoria
        if name.endswith(".toml") and not (self._folder / name).is_file() and (self._folder / PERFIL).is_file():
            self.notas.append(f'Falta el perfil {name}: escriba en difusor.toml convocatoria = "{PERFIL}".')
            return with_settings(self._folder, self._settings.model_copy(update={"convocatoria": PERFIL}))
        return with_settings(self._folder, self._settings)

    def cadena(self, workspace: Workspace, copia: Copia, key: NamedKey) -> int:
        """5: the acuses in their place; the newest cut that they say was published, -1 for none."""
        for ruta, size in sorted(self._deposito.lista(ACUSES).items()):
            if size > ACUSE_MAX_BYTES:
                raise _changed_acuse(ruta)
            data = self._deposito.lee(ruta, ACUSE_MAX_BYTES)
            if data is not None:
                self._disk.create(workspace.acuses / ruta.rpartition("/")[2], data, mode=0o644)
                self.bytes += len(data)
        emisor = Emisor(copia.convocatoria, copia.ambiente, copia.difusor, copia.nodo)
        found: list[Acuse] = []
        for number, path in enumerate(files_in(workspace.acuses), 1):
            if int(path.name[:6]) != number:
                raise _changed_acuse(path.name)
            found.append(read_acuse(path.read_bytes(), key.public))
        verify_chain(found, emisor)
        known = found[copia.acuses - 1].sha256 if 0 < copia.acuses <= len(found) else None
        if known != copia.ultimo_acuse:
            raise _changed_acuse(f"{copia.acuses:06d}")
        return max((each.corte for each in found if each.evento == "publicado" and each.corte is not None), default=-1)

    def originales(self, publisher: Publisher, copia: Copia, *, todo: bool) -> None:
        """6: those of the last cut, of those visible with it, and older ones while something is missing."""
        cuts = sorted(publisher.libro.cortes(), key=lambda cut: cut.corte, reverse=True)
        visible = publisher.workspace.convocatoria.cortes_visibles
        brought = []
        for n, cut in enumerate(cuts):
            if n >= visible and not todo and not self._lacking(publisher, cuts[:visible]):
                break
            if self._bring(publisher, copia, cut):
                brought.append(cut)
        publisher.libro.terminar(None)  # Its twins are to be made again; these first, so that nothing goes up twice.
        if cuts:
            publisher.ensure_release(cuts[0])
            publisher.add_gz(cuts[0], brought)

    def _bring(self, publisher: Publisher, copia: Copia, cut: Aceptado) -> bool:
        """Have the originals of a cut here; whether the copy has them."""
        there = copia.originales.get(cut.corte, ())
        if not there:
            _logger.warning("corte %04d: la copia no tiene sus originales", cut.corte)
            return False
        # Those of a ``rehace`` that the link cut had their place only when they were whole.
        if not publisher.history.folder(cut.corte).is_dir():
            trae_corte(self._deposito, publisher.history, cut.corte, there, self._disk)
            self.bytes += sum(each.bytes for each in there)
        return True

    @staticmethod
    def _lacking(publisher: Publisher, cuts: list[Aceptado]) -> set[str]:
        wanted: set[str] = set()
        for cut in cuts:
            with contextlib.suppress(DiscoError):
                manifest, _ = publisher.history.manifest(cut)
                wanted |= {e.sha256 for e in manifest.archivos if not publisher.store.has(e.sha256, e.bytes)}
        return publisher.history.remake(wanted, publisher.libro.cortes(), publisher.store) if wanted else wanted


def _changed_acuse(name: str) -> CadenaError:
    return CadenaError(
        f"La cadena de acuses del depósito no está entera: falla en «{name}».",
        intacto=INTACTO,
        que_hacer="Reponga en historico/acuses/ los que falten: están en la carpeta «acuses» del equipo anterior, y el "
        "instituto recogió los suyos.",
    )
