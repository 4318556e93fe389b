"""A small real institute in a temporary folder, and sources that read it honestly or with one fault."""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pregon.base.clock import ManualClock
from pregon.paquete.cut import stamped_name, write_cut
from pregon.paquete.manifest import ManifestHead
from pregon.paquete.tree import PackageTree
from pregon.trust.ceremonia import Cambio, Ceremonia
from pregon.trust.cliente import TrustClient
from pregon.trust.keys import RAIZ, KeyRing, generate, ring_names
from pregon.trust.propuesta import sign_proposal
from pregon.trust.repositorio import Repository
from pregon.trust.verified import Identity, Memory
from pregon.trust.vigencia import offline_expiry, online_expiry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.trust.keys import NamedKey

INICIO = datetime(2027, 6, 7, 2, 0, tzinfo=UTC)
"""20:00 of the sixth of June, hora del centro."""
INTERVALO = timedelta(minutes=20)
FIN = INICIO + timedelta(hours=24)
EN_EQUIPO = ("cortes-1", "avisos-1", "snapshot-1", "timestamp-1")
"""The keys that are on the institute's machine; the others are in the safe."""
OFICIAL = Identity("demo-2027", "iedemo", "oficial")


@dataclass
class FolderReader:
    """Reads a repository folder as a carrier would; ``faults`` replaces some files (None: not there)."""

    folder: Path
    faults: dict[str, bytes | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        self.asked.append(ruta)
        if ruta in self.faults:
            data = self.faults[ruta]
            return None if data is None else iter((data[desde:],))
        path = self.folder / ruta
        return iter((path.read_bytes()[desde:],)) if path.is_file() else None

    def flip(self, ruta: str, position: int = -1) -> FolderReader:
        """The same source with one bit of one file changed."""
        data = bytearray((self.folder / ruta).read_bytes())
        data[position if position >= 0 else len(data) // 2] ^= 0x01
        return FolderReader(self.folder, {**self.faults, ruta: bytes(data)})


@dataclass
class Institute:
    """An institute that signs small cuts, and the difusores that read it."""

    folder: Path
    ring: KeyRing
    identity: Identity
    clock: ManualClock
    repository: Repository

    @property
    def now(self) -> datetime:
        return self.clock.instant

    def build(self, corte: int, *, identity: Identity | None = None, **head: Any) -> Path:
        """Write the files of a cut, unsigned, in the repository's own folder."""
        who = identity or self.identity
        hora = head.pop("hora_corte", INICIO + INTERVALO * corte)
        previous = head.pop("previous") if "previous" in head else self.repository.last_manifest()
        tree = PackageTree()
        tree.add("index.html", f"<h1>Corte {corte}</h1>".encode())
        tree.add("assets/estilo.css", b"body{color:#222}\n" * 20)
        tree.add(f"datos/{corte:04d}/gub/entidad.json", f'{{"votos": {corte * 1000}}}\n'.encode())
        folder = self.repository.cut_folder(corte)
        write_cut(
            folder,
            tree,
            ManifestHead(
                convocatoria=who.convocatoria,
                instituto=who.instituto,
                ambiente=who.ambiente,
                elecciones=("GUB",),
                corte=corte,
                hora_corte=hora,
                generado=hora + timedelta(seconds=5),
                **head,
            ),
            previous,
            stamped_name(hora, "PREP_GUB_DEMO"),
        )
        return folder

    def sign(self, corte: int) -> None:
        self.repository.publish_cut(
            corte,
            now=self.now,
            expira=online_expiry(FIN),
            siguiente=self.now + INTERVALO,
            intervalo=INTERVALO,
        )

    def cut(self, corte: int, **head: Any) -> None:
        """One night's step: the clock at the cut's hour, build, sign."""
        self.clock.instant = INICIO + INTERVALO * corte
        self.build(corte, **head)
        self.sign(corte)

    def replace_root_key(self, retired: str, new: NamedKey) -> None:
        """A ceremony of two of three: ``new`` in the place of an offline key, in root and targets."""
        ceremony = Ceremonia(self.folder, self.ring)
        until = offline_expiry(self.now)
        change = Cambio((self.ring.named(retired).keyid,), ((RAIZ, new.public),))
        proposal = ceremony.propose(change, now=self.now, expira=until)
        signers = [key.signer for key in (*self.ring.keys, new) if key.nombre.startswith(RAIZ)]
        signatures = sign_proposal(proposal, signers)
        later = {"siguiente": self.now + INTERVALO, "intervalo": INTERVALO}
        ceremony.adopt(proposal, signatures, now=self.now, expira=until, **later)  # type: ignore[arg-type] # as stated

    def source(self) -> FolderReader:
        return FolderReader(self.folder)

    def frozen(self, name: str) -> FolderReader:
        """A copy of the repository as it is now, for offering it again later."""
        target = self.folder.with_name(name)
        shutil.copytree(self.folder, target)
        return FolderReader(target)

    def difusor(self, name: str = "difusor", memory: Memory | None = None) -> TrustClient:
        return TrustClient(
            self.folder.with_name(name),
            root=(self.folder / "metadata" / "1.root.json").read_bytes(),
            identity=self.identity,
            clock=self.clock,
            memory=memory or Memory(),
        )


class RepoFactory(Protocol):
    def __call__(self, name: str = ..., *, cortes: int = ..., identity: Identity = ...) -> Institute: ...


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    """One whole ring of keys for the session."""
    return KeyRing(tuple(generate(name) for name in ring_names()))


@pytest.fixture
def repo_factory(tmp_path: Path, ring: KeyRing) -> RepoFactory:
    """Makes a repository with some signed cuts, whose keys are ``ring`` and whose clock stands still."""

    def make(name: str = "instituto", *, cortes: int = 2, identity: Identity = OFICIAL) -> Institute:
        clock = ManualClock(INICIO, simulado=False)
        folder = tmp_path / name / "repositorio"
        repository = Repository.create(
            folder,
            ring,
            identity,
            now=clock.instant,
            expira=online_expiry(FIN),
            siguiente=INICIO + INTERVALO,
            intervalo=INTERVALO,
        )
        institute = Institute(folder, ring, identity, clock, repository)
        for corte in range(1, cortes + 1):
            institute.cut(corte)
        return institute

    return make


@pytest.fixture
def instituto(repo_factory: RepoFactory) -> Institute:
    """An official institute with two signed cuts."""
    return repo_factory()


def snapshot_of(folder: Path) -> dict[str, bytes]:
    """Every file under ``folder`` with its bytes: what a refusal must not change."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def other(identity: Identity, **changes: str) -> Identity:
    return replace(copy.copy(identity), **changes)  # type: ignore[arg-type] # the tests give the right values
