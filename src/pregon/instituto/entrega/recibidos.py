"""Acuses received: kept exactly as they came, each verified with its node's key and chained to the one before.

``acuses/<difusor>/<nodo>/<n>-<corte>-<evento>.json``, with the names that the node itself gave them. One that is there
already changes nothing when it comes again; one that does not follow the last is refused, and nothing is kept of it
but a line in the journal. Which cut a node has is what the last ``verificado`` of its chain says, no more.
"""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pregon.base import locks
from pregon.base.errors import (
    AjustesError,
    ArchivoError,
    CadenaError,
    EntradaError,
    EscrituraError,
    FirmaError,
    HashError,
    PregonError,
    TrustError,
)
from pregon.base.hashing import open_regular, sha256_bytes
from pregon.trust.acuse import MAX_BYTES, Emisor, Evento, check_emisor, load_public_key, read_acuse, verify_chain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from securesystemslib.signer import Key

    from pregon.base.estado import Estado
    from pregon.instituto.entrega.destinos import Destino
    from pregon.instituto.workspace import Workspace
    from pregon.transport.destino import AcuseBox
    from pregon.trust.acuse import Acuse

CARPETA = "acuses"
MAX_ACUSES = 50_000
"""Of one node: a night has some hundreds."""
MAX_RECHAZOS = 8
"""After so many refusals in one collection the rest is left for another day."""
TURNO_S = 10.0
"""How long one who brings an acuse waits for another who is bringing one of the same node."""

_NAME = re.compile(r"([0-9]{6})-([0-9]{4}|----)-([a-z]+)\.json")


@dataclass(frozen=True)
class Recogida:
    """What one collection brought: acuses kept, and the first refusal."""

    nuevos: int
    rechazo: PregonError | None = None


@dataclass(frozen=True)
class Situacion:
    """What the acuses of one node say.

    ``eventos``: the last acuse of each event. ``tiene``: the cut that it surely has, None where that is not known:
    no acuse of a cut of ours, or after it one that says that what came could not be used (``inservible``), or a chain
    begun anew.
    ``rechazo``: code of the last thing of it that was refused, since its last good acuse.
    """

    eventos: Mapping[str, Acuse]
    tiene: int | None
    recibidos: int
    rechazo: str | None = None
    inservible: bool = False


class Recibidos:
    """The acuses of every registered node of one workspace. May be used by several threads and processes at once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.folder / CARPETA
        self._disk = workspace.disk
        self._keys: dict[str, Key] = {}
        self._lock = threading.Lock()
        self._state: Estado = workspace.state()

    def destino(self, difusor: str, nodo: str) -> Destino | None:
        """The registered node of those names whose acuses can be verified."""
        for one in self._workspace.settings.destino:
            if (one.difusor, one.nodo) == (difusor, nodo) and one.clave_acuses is not None:
                return one
        return None

    def known(self, destino: Destino) -> frozenset[str]:
        """Names of the acuses kept of a node."""
        return frozenset(path.name for path in self._files(destino))

    def admit(self, destino: Destino, data: bytes) -> bool:
        """Keep one acuse, as it came; False where it was kept already.

        Raises:
            FormatoError, FirmaError, ConvocatoriaError, AmbienteError, CadenaError: it is refused; nothing is kept.
            AjustesError: the registered key cannot be read.
            DiscoError, EscrituraError, InstanciaError: it could not be kept.
        """
        try:
            acuse = read_acuse(data, self._key(destino))
            check_emisor(acuse, self._emisor(destino))
            with self._turn(destino):
                return self._keep(destino, acuse, data)
        except TrustError as exc:
            self._note(destino, data, exc)
            raise

    def collect(self, destino: Destino, box: AcuseBox) -> Recogida:
        """Take from ``box`` every acuse that is not here yet. A refused one does not keep the others from coming.

        Raises:
            RedError, DestinoError: the place cannot be read; what came before that is kept.
        """
        new = refused = 0
        first: PregonError | None = None
        for _, data in box.collect(self.known(destino)):
            try:
                new += self.admit(destino, data)
            except PregonError as exc:
                first = first or exc
                refused += 1
                if refused >= MAX_RECHAZOS:
                    break
        return Recogida(new, first)

    def situation(self, destino: Destino, cortes: Mapping[int, str]) -> Situacion:
        """What its acuses say; ``cortes``: SHA-256 of the manifest of each cut that we signed.

        Each acuse that counts is verified again as it is read.
        """
        files = self._files(destino)
        if destino.clave_acuses is None or not files:
            return Situacion({}, None, len(files), self._refused(destino))
        events: dict[str, Acuse] = {}
        unusable = False
        for path in reversed(files):
            event = path.name.rpartition("-")[2].removesuffix(".json")
            since = event == "rechazado" and "verificado" not in events
            if event in events and not since:
                continue
            acuse = self._read(destino, path)
            events.setdefault(event, acuse)
            if since and acuse.codigo is not None:
                unusable = unusable or acuse.codigo == HashError.codigo or acuse.codigo.startswith(ArchivoError.codigo)
            if len(events) == len(get_args(Evento)):
                break
        verified = events.get("verificado")
        refused = self._refused(destino)
        has = None
        if verified is not None and not unusable and refused != CadenaError.codigo:
            has = verified.corte if cortes.get(verified.corte or 0) == verified.manifiesto_sha256 else None
        return Situacion(events, has, len(files), refused, unusable)

    def last(self, destino: Destino) -> str | None:
        """SHA-256 of the last acuse kept of a node: the one that the next must name."""
        files = self._files(destino)
        return sha256_bytes(files[-1].read_bytes()) if files else None

    def check(self, destino: Destino) -> int:
        """Verify every acuse kept of a node and its chain; how many there are.

        Raises:
            TrustError, FormatoError: one was changed, taken out or put in since it was received.
        """
        files = self._files(destino)
        verify_chain((self._read(destino, path) for path in files), self._emisor(destino))
        return len(files)

    # One node's folder.

    def _keep(self, destino: Destino, acuse: Acuse, data: bytes) -> bool:
        corte = "----" if acuse.corte is None else f"{acuse.corte:04d}"
        tail = f"-{corte}-{acuse.evento}.json"
        files = self._files(destino)
        if any(path.name.endswith(tail) and path.read_bytes() == data for path in files):
            return False
        last = files[-1] if files else None
        verify_chain((acuse,), self._emisor(destino), antes=None if last is None else sha256_bytes(last.read_bytes()))
        number = 1 if last is None else int(last.name[:6]) + 1
        if number > MAX_ACUSES:
            raise EscrituraError(
                f"De {destino.nombre} ya hay {MAX_ACUSES:,} acuses.",
                intacto="Los que se tenían siguen como estaban.",
                que_hacer="Pregunte al difusor por qué envía tantos; guarde aparte la carpeta de sus acuses.",
            )
        self._disk.write(self._of(destino) / f"{number:06d}{tail}", data)
        key = _refusal_key(destino)
        if self._state.get(key) is not None:
            self._state.put(**{key: None})
        self._state.record(
            "acuse", difusor=destino.difusor, nodo=destino.nodo, corte=acuse.corte, evento=acuse.evento, n=number
        )
        return True

    def _files(self, destino: Destino) -> tuple[Path, ...]:
        folder = self._of(destino)
        if not folder.is_dir():
            return ()
        return tuple(sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name) is not None))

    def _read(self, destino: Destino, path: Path) -> Acuse:
        with contextlib.closing(open_regular(path)) as file:
            acuse = read_acuse(file.read(MAX_BYTES + 1), self._key(destino))
        check_emisor(acuse, self._emisor(destino))
        return acuse

    def _of(self, destino: Destino) -> Path:
        return self._folder / destino.difusor / destino.nodo

    def _emisor(self, destino: Destino) -> Emisor:
        identity = self._workspace.identity
        return Emisor(identity.convocatoria, identity.ambiente, destino.difusor, destino.nodo)

    def _key(self, destino: Destino) -> Key:
        if destino.clave_acuses is None:
            raise AjustesError(
                f"De {destino.nombre} no se registró la llave con que se verifican sus acuses.",
                intacto="No se guardó ningún acuse.",
                que_hacer="Escriba en su tabla [[destino]] la clave «clave_acuses».",
            )
        with self._lock:
            if destino.nombre not in self._keys:
                self._keys[destino.nombre] = load_public_key(self._workspace.folder / destino.clave_acuses)
            return self._keys[destino.nombre]

    @contextlib.contextmanager
    def _turn(self, destino: Destino) -> Iterator[None]:
        folder = self._of(destino)
        self._disk.make_folder(folder)
        with locks.turn(folder / ".candado", seconds=TURNO_S):
            yield

    # Refusals.

    def _note(self, destino: Destino, data: bytes, error: TrustError) -> None:
        """Write a refusal in the journal, once: what cannot be used is brought again at every collection.

        Of what the node did not sign only the first until its next good acuse: anybody can send those.
        """
        key = _refusal_key(destino)
        fact = {"codigo": error.codigo, "sha256": sha256_bytes(data)}
        known = self._state.get(key) or []
        if fact in known or (isinstance(error, FirmaError) and any(one["codigo"] == error.codigo for one in known)):
            return
        self._state.put(**{key: [*known[1 - MAX_RECHAZOS :], fact]})
        self._state.record(
            "acuse_rechazado", difusor=destino.difusor, nodo=destino.nodo, que_paso=error.que_paso, **fact
        )

    def _refused(self, destino: Destino) -> str | None:
        facts = self._state.get(_refusal_key(destino)) or []
        codes = [fact["codigo"] for fact in facts]
        # What the node itself signed and does not fit counts more than what anybody may send.
        return CadenaError.codigo if CadenaError.codigo in codes else codes[-1] if codes else None


def at_cut(nodes: Mapping[str, int | None]) -> int | None:
    """The cut at which a difusor is: the oldest among all its nodes (GRO-2.1b); None while any is unknown."""
    cuts = [corte for corte in nodes.values() if corte is not None]
    return min(cuts) if cuts and len(cuts) == len(nodes) else None


def _refusal_key(destino: Destino) -> str:
    return f"acuse_rechazo/{destino.nombre}"


def unknown(difusor: str, nodo: str) -> EntradaError:
    """The error of a node that is not registered."""
    return EntradaError(
        f"No está registrado el nodo {difusor}/{nodo}, o no se registró la llave de sus acuses.",
        intacto="No se guardó nada.",
        que_hacer="Revise las tablas [[destino]] de instituto.toml.",
    )
