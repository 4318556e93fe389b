"""A small signed repository at three moments, what to push of each, and a reader that judges what is there."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.clock import ManualClock, SystemClock
from pregon.base.errors import RedError
from pregon.paquete.cut import stamped_name, write_cut
from pregon.paquete.manifest import ManifestHead
from pregon.paquete.names import CAMBIOS
from pregon.paquete.tree import PackageTree
from pregon.transport.caudal import Caudal
from pregon.transport.destino import Envio
from pregon.trust.cliente import TrustClient
from pregon.trust.keys import KeyRing, generate, ring_names
from pregon.trust.repositorio import Repository
from pregon.trust.verified import Memory
from pregon.trust.vigencia import online_expiry
from tests.trust.conftest import FIN, INICIO, INTERVALO, OFICIAL, Institute

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.trust.origen import RepositorySource

TIMESTAMP = "metadata/timestamp.json"
MAP_BYTES = 6_000_000
"""A file of the second cut that does not compress: its packages are this long."""


@dataclass(frozen=True)
class Momento:
    """The repository as it was after one cut, in a folder of its own that nobody changes."""

    corte: int
    repositorio: Path

    @property
    def paquetes(self) -> dict[str, str]:
        """Path of the whole package and of the one of changes, by «entero» and «cambios»."""
        folder = self.repositorio / "targets" / "cortes" / f"{self.corte:04d}"
        return {
            "cambios" if path.name.endswith(CAMBIOS) else "entero": str(path.relative_to(self.repositorio))
            for path in folder.glob("*.zip")
        }

    def envio(self, *paquetes: str) -> Envio:
        """This moment with some of its cut's packages («entero», «cambios»), in the three steps of design §2."""
        manifest = f"targets/cortes/{self.corte:04d}/manifiesto.json"
        targets = (manifest, *(self.paquetes[name] for name in paquetes))
        metadata = sorted(f"metadata/{path.name}" for path in (self.repositorio / "metadata").iterdir())
        return Envio(self.repositorio, (targets, tuple(m for m in metadata if m != TIMESTAMP), (TIMESTAMP,)))

    def contents(self, envio: Envio) -> dict[str, bytes]:
        """What must be there after ``envio``."""
        return {ruta: (self.repositorio / ruta).read_bytes() for paso in envio.pasos for ruta in paso}

    def size(self, envio: Envio) -> int:
        return sum(len(data) for data in self.contents(envio).values())


def caudal() -> Caudal:
    """No cap."""
    return Caudal(SystemClock())


def momentos(folder: Path) -> tuple[Institute, tuple[Momento, Momento, Momento]]:
    """An institute that signed three cuts: small; with a new file of ``MAP_BYTES``; with one changed page."""
    ring = KeyRing(tuple(generate(name) for name in ring_names()))
    clock = ManualClock(INICIO, simulado=False)
    repositorio = folder / "repositorio"
    later = {"siguiente": INICIO + INTERVALO, "intervalo": INTERVALO}
    repository = Repository.create(
        repositorio,
        ring,
        OFICIAL,
        now=clock.instant,
        expira=online_expiry(FIN),
        **later,  # type: ignore[arg-type] # as stated
    )
    institute = Institute(repositorio, ring, OFICIAL, clock, repository)
    dice = random.Random(7)
    files = {"assets/estilo.css": b"body{color:#222}\n" * 20, "datos/foto.bin": dice.randbytes(60_000)}
    found = []
    for corte in (1, 2, 3):
        clock.instant = INICIO + INTERVALO * corte
        files["index.html"] = f"<h1>Corte {corte}</h1>".encode()
        if corte == 2:
            files["assets/mapa.bin"] = dice.randbytes(MAP_BYTES)
        _build(repository, corte, files)
        institute.sign(corte)
        frozen = folder / f"momento-{corte}"
        shutil.copytree(repositorio, frozen)  # copy2: with its times
        # The worst that a clock set back does: neither time nor length tells the new timestamp from the former.
        os.utime(frozen / TIMESTAMP, (INICIO.timestamp(), INICIO.timestamp()))
        found.append(Momento(corte, frozen))
    first, second, third = found
    return institute, (first, second, third)


def _build(repository: Repository, corte: int, files: dict[str, bytes]) -> None:
    hora = INICIO + INTERVALO * corte
    tree = PackageTree()
    for ruta, data in files.items():
        tree.add(ruta, data)
    write_cut(
        repository.cut_folder(corte),
        tree,
        ManifestHead(
            convocatoria=OFICIAL.convocatoria,
            instituto=OFICIAL.instituto,
            ambiente=OFICIAL.ambiente,
            elecciones=("GUB",),
            corte=corte,
            hora_corte=hora,
            generado=hora,
        ),
        repository.last_manifest(),
        stamped_name(hora, "PREP_GUB_DEMO"),
    )


class Lector:
    """A difusor that has accepted nothing yet; every look asks for all that it needs of the newest cut."""

    def __init__(self, institute: Institute, folder: Path) -> None:
        self._folder = folder
        self._client = TrustClient(
            folder / "tuf",
            root=(institute.folder / "metadata" / "1.root.json").read_bytes(),
            identity=institute.identity,
            clock=institute.clock,
            memory=Memory(),
        )

    def corte(self, source: RepositorySource) -> int | None:
        """Number of the newest cut, once one of its packages has been read whole; None where there is none yet.

        Raises:
            TrustError: what is there is not what was signed.
            AssertionError: a timestamp names what is not there whole.
        """
        try:
            novelty = self._client.check(source)
        except RedError:
            assert source.stream(TIMESTAMP) is None, "a timestamp is there, and not all that it names"
            return self._client.memory.corte
        if novelty.verified is None:
            return self._client.memory.corte
        there = [ref for ref in novelty.verified.archives if source.stream(f"targets/{ref.ruta}") is not None]
        assert there, "a cut is announced without any package"
        for ref in there:
            self._client.download(source, ref, self._folder / "paquete.zip")
            assert hashlib.sha256((self._folder / "paquete.zip").read_bytes()).hexdigest() == ref.sha256
        return self._client.accept(novelty.verified).corte
