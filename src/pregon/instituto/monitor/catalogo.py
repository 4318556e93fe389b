"""What the institute itself signed: each cut, when, and the files of its manifest. What is seen is measured with it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import DanadoError, EntradaError
from pregon.base.hashing import sha256_bytes
from pregon.instituto.monitor.muestreo import ReglasMuestreo, recorrido
from pregon.instituto.monitor.periodos import periodos
from pregon.instituto.monitor.veredicto import Firmado
from pregon.paquete.manifest import FileEntry, parse_manifest
from pregon.paquete.names import MANIFIESTO
from pregon.trust.oferta import TIMESTAMP, read_offer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from pregon.instituto.monitor.modelo import Periodo
    from pregon.instituto.monitor.muestreo import Recorrido
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import Manifest

PORTADA = "index.html"
EN_MEMORIA = 6
"""Manifests that are kept parsed: the newest, and the ones that late portals may still show."""
RECIENTES = 4
"""Cuts whose files a portal may mix while it changes, or an old copy on the way keep."""
EVENTO = "corte"
"""Kind of the event that says when a cut was signed."""
_LOTE = 1000


@dataclass(frozen=True)
class Corte:
    """One signed cut with its files: by path, the manifest itself included, and in the order they are read."""

    firmado: Firmado
    hora: datetime
    ultimo: bool
    archivos: Mapping[str, FileEntry]
    recorrido: Recorrido

    @property
    def portada(self) -> str | None:
        """SHA-256 of its cover."""
        entry = self.archivos.get(PORTADA)
        return None if entry is None else entry.sha256


@dataclass(frozen=True)
class Lista:
    """The signed cuts at one instant: ``firmados`` in order, and the slots of the night with them."""

    firmados: tuple[Firmado, ...] = ()
    periodos: tuple[Periodo, ...] = ()


class Catalogo:
    """The signed cuts of one workspace, read again when its timestamp changes. No key is needed."""

    def __init__(self, workspace: Workspace, *, clave: str, reglas: ReglasMuestreo | None = None) -> None:
        """``clave``: the secret that orders the files (``muestreo``)."""
        self._workspace = workspace
        self._secret = clave
        self._rules = reglas or ReglasMuestreo()
        self._timestamp = ""
        self._events = 0
        self._signed: dict[int, datetime] = {}
        self._made: dict[int, datetime] = {}
        self._hashes: dict[int, str] = {}
        self._hours: dict[int, datetime] = {}
        self._cuts: OrderedDict[int, Corte] = OrderedDict()
        self._lock = threading.RLock()  # the portals are looked at by several threads
        self.lista = Lista()

    def lee(self) -> Lista:
        """What is signed now.

        Raises:
            EntradaError, DiscoError, TrustError: the repository cannot be read, or is not as it was signed.
        """
        folder = self._workspace.repositorio
        try:
            data = (folder / TIMESTAMP).read_bytes()
        except OSError as exc:
            raise EntradaError(
                f"No hay un repositorio firmado completo en {folder}.",
                intacto="No se juzgó a ningún difusor.",
                que_hacer="Revise la carpeta, o cree el espacio con «pregon instituto inicia».",
            ) from exc
        if (digest := sha256_bytes(data)) == self._timestamp:
            return self.lista
        offer = read_offer(folder, data)
        self._read_events()
        self._hashes = {cut.corte: cut.manifiesto.sha256 for cut in offer.cortes}
        self._hours = {cut.corte: cut.hora_corte for cut in offer.cortes}
        for number in [known for known in self._cuts if known not in self._hashes]:
            del self._cuts[number]
        signed = [self._firmado(number) for number in sorted(self._hashes)]
        newest = self.corte(signed[-1].corte) if signed else None
        self.lista = Lista(
            tuple(signed),
            periodos(
                self._workspace.convocatoria,
                [(one, self._hours[one.corte]) for one in signed],
                cierre=newest.firmado.corte if newest is not None and newest.ultimo else None,
            ),
        )
        # A cut whose event is not written yet is looked at again: until then it counts from when it was made.
        self._timestamp = digest if all(number in self._signed for number in self._hashes) else ""
        return self.lista

    def corte(self, numero: int) -> Corte | None:
        """That cut with its files; None where none of that number is signed.

        Raises:
            DanadoError: its manifest in the repository is not the signed one.
        """
        with self._lock:
            return self._corte(numero)

    def _corte(self, numero: int) -> Corte | None:
        if numero not in self._hashes:
            return None
        if numero in self._cuts:
            self._cuts.move_to_end(numero)
            return self._cuts[numero]
        path = self._workspace.repositorio / "targets" / "cortes" / f"{numero:04d}" / MANIFIESTO
        data = path.read_bytes()
        if sha256_bytes(data) != self._hashes[numero]:
            raise DanadoError(
                f"El manifiesto del corte {numero:04d} no es el que se firmó: {path}.",
                intacto="No se juzgó a ningún difusor con él.",
                que_hacer="Recupere el repositorio de su respaldo o de un difusor («pregon instituto recupera»).",
            )
        manifest = parse_manifest(data)
        made = _made(self._firmado(numero, manifest.generado), manifest, data, self._secret, self._rules)
        self._cuts[numero] = made
        while len(self._cuts) > EN_MEMORIA:
            self._cuts.popitem(last=False)
        return made

    def recientes(self) -> Iterable[Corte]:
        """The last cuts, newest first: those that a portal may mix while it changes."""
        for number in sorted(self._hashes, reverse=True)[:RECIENTES]:
            found = self.corte(number)
            if found is not None:
                yield found

    def _firmado(self, number: int, generado: datetime | None = None) -> Firmado:
        """When it was signed, by the journal; where that was lost, when it was made."""
        when = self._signed.get(number) or generado or self._made.get(number)
        if when is None:
            path = self._workspace.repositorio / "targets" / "cortes" / f"{number:04d}" / MANIFIESTO
            self._made[number] = when = parse_manifest(path.read_bytes()).generado
        return Firmado(corte=number, firmado=when, manifiesto_sha256=self._hashes[number])

    def _read_events(self) -> None:
        state = self._workspace.state()
        while events := state.events(after=self._events, limit=_LOTE):
            for event in events:
                if event.tipo == EVENTO and isinstance(event.dato.get("corte"), int):
                    self._signed[event.dato["corte"]] = event.hora
            self._events = events[-1].n


class Fijo:
    """Signed cuts without a workspace: given one by one."""

    def __init__(self, *, clave: str, reglas: ReglasMuestreo | None = None) -> None:
        self._secret, self._rules = clave, reglas or ReglasMuestreo()
        self._cuts: dict[int, Corte] = {}

    def firma(self, data: bytes, firmado: datetime) -> Corte:
        """Add the cut of the manifest with those bytes. Raises ``ManifiestoError`` where they are none."""
        manifest = parse_manifest(data)
        signed = Firmado(corte=manifest.corte, firmado=firmado, manifiesto_sha256=sha256_bytes(data))
        made = self._cuts[manifest.corte] = _made(signed, manifest, data, self._secret, self._rules)
        return made

    def corte(self, numero: int) -> Corte | None:
        """As ``Catalogo``."""
        return self._cuts.get(numero)

    def recientes(self) -> Iterable[Corte]:
        """As ``Catalogo``."""
        return [self._cuts[number] for number in sorted(self._cuts, reverse=True)[:RECIENTES]]


def _made(signed: Firmado, manifest: Manifest, data: bytes, secret: str, rules: ReglasMuestreo) -> Corte:
    files = (*manifest.archivos, FileEntry(MANIFIESTO, len(data), sha256_bytes(data)))
    order = recorrido(files, clave=secret, reglas=rules)
    return Corte(signed, manifest.hora_corte, manifest.ultimo, {one.ruta: one for one in files}, order)


def clave_de(secret: bytes, punto: str) -> str:
    """The secret that orders the files for one point, from the workspace's."""
    return hashlib.blake2b(punto.encode(), key=secret[:64], digest_size=16).hexdigest()
