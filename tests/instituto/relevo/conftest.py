"""Two machines of one institute on a real PostgreSQL: ``a`` made the repository, ``b`` waits."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pregon.base.clock import ManualClock
from pregon.instituto import build
from pregon.instituto.workspace import RAIZ, open_workspace
from pregon.paquete.cut import stamped_name, write_cut
from pregon.paquete.manifest import ManifestHead
from pregon.paquete.tree import PackageTree
from pregon.transport.local import FolderSource
from pregon.trust.cliente import TrustClient
from pregon.trust.verified import Memory
from tests.difusor.conftest import files_of
from tests.instituto.conftest import HORA, INICIO, Night
from tests.instituto_sql.servidores import as_operator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from pregon.instituto.workspace import Workspace
    from tests.instituto_sql.servidores import Base

_ESQUEMAS = itertools.count(1)
TABLA = """
[estado]
url = "archivo:estado.url"
esquema = "{esquema}"
maquina = "{maquina}"
"""


def hora(cut: int) -> datetime:
    """The hour of the cut that follows ``cut`` others."""
    return HORA + timedelta(minutes=10 * cut)


def corta(space: Workspace, cut: int, texto: str = "") -> int:
    """Make and sign the next cut as ``build_cut`` does, of a package of five files; its number.

    Adding up actas is none of what is tried here, and takes most of the time of a cut.
    """
    clock = space.clock
    assert isinstance(clock, ManualClock)
    clock.instant = hora(cut) + timedelta(seconds=30)
    with space.making() as repository:
        cuts = repository.cuts()
        number = cuts[-1].corte + 1 if cuts else 1
        tree = PackageTree()
        files = files_of(number, hora(cut)) | {"datos/nota.txt": texto.encode()}
        for ruta, content in files.items():
            tree.add(ruta, content)
        head = ManifestHead(
            convocatoria=space.convocatoria.id,
            instituto=space.convocatoria.instituto,
            ambiente=space.settings.ambiente,
            elecciones=("GUB",),
            corte=number,
            hora_corte=hora(cut),
            generado=clock.instant,
            proximo=hora(cut + 1),
        )
        work = space.trabajo / f"{number:04d}"
        write_cut(work, tree, head, repository.last_manifest(), stamped_name(hora(cut), "PREP_CAMP"), disk=space.disk)
        build._publish(space, repository, work, head)
        space.state().record("corte", corte=number)
    return number


@dataclass
class Difusor:
    """One that follows the institute and never goes back: what it accepted, it remembers."""

    client: TrustClient
    visto: list[tuple[int, str]] = field(default_factory=list)

    def mira(self, repositorio: Path) -> int | None:
        """Look at a repository as it lies now, accept what is new; the number accepted last."""
        verified = self.client.check(FolderSource(repositorio)).verified
        if verified is not None:
            self.client.accept(verified)
            self.visto.append((verified.manifest.corte, verified.sha256))
        return self.client.memory.corte


@dataclass
class Pareja:
    """The two machines: their folders, the clock that both are set to, and the server that they share."""

    night: Night
    url: str
    esquema: str
    a: Path
    b: Path
    abiertos: list[Workspace] = field(default_factory=list)

    def abre(self, machine: str) -> Workspace:
        """The workspace of a machine, opened as a new process would."""
        self.abiertos.append(open_workspace(self.a if machine == "a" else self.b, clock=self.night.clock))
        return self.abiertos[-1]

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Straight to the server, past the program."""
        with psycopg.connect(self.url, autocommit=True, options=f"-c search_path={self.esquema}") as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def calla(self) -> None:
        """Let the lease of whoever has the turn run out."""
        self.sql("UPDATE turno SET vence = clock_timestamp() - interval '1 second'")

    def difusor(self) -> Difusor:
        space = open_workspace(self.a, clock=self.night.clock)
        folder = self.night.folder / f"difusor-{next(_ESQUEMAS)}"
        root = (self.a / RAIZ).read_bytes()
        return Difusor(TrustClient(folder, root=root, identity=space.identity, clock=self.night.clock, memory=Memory()))

    def firmados(self) -> dict[tuple[str, int], set[str]]:
        """Every content that any machine ever signed, by class and number, wherever the signed document lies."""
        found: dict[tuple[str, int], set[str]] = {}
        kept = self.sql("SELECT t.dato FROM trozo t WHERE ruta LIKE 'metadata/%' ORDER BY ruta, parte")
        texts = [bytes(row[0]) for row in kept]
        for folder in (self.a, self.b):
            texts += [path.read_bytes() for path in (folder / "repositorio" / "metadata").glob("*.json")]
        for text in texts:
            for ruta, target in json.loads(text)["signed"].get("targets", {}).items():
                clase, number, *_ = ruta.removesuffix(".json").split("/")
                if clase == "avisos" or ruta.endswith("/manifiesto.json"):
                    found.setdefault((clase, int(number)), set()).add(target["hashes"]["sha256"])
        return found

    def documentos(self) -> dict[str, set[bytes]]:
        """Every signed document of every machine, by role and version."""
        found: dict[str, set[bytes]] = {}
        for folder in (self.a, self.b):
            for path in (folder / "repositorio" / "metadata").glob("*.json"):
                signed = json.loads(path.read_bytes())["signed"]
                found.setdefault(f"{signed['_type']} {path.name} {signed['version']}", set()).add(path.read_bytes())
        return found


def comparte(folder: Path, url: str, esquema: str, maquina: str) -> None:
    """Write ``[estado]`` into a workspace, and the file with the address."""
    (folder / "estado.url").write_text(url + "\n")
    with (folder / "instituto.toml").open("a") as file:
        file.write(TABLA.format(esquema=esquema, maquina=maquina))


@pytest.fixture
def esquema(postgres: Base) -> Iterator[str]:
    name = f"relevo_{next(_ESQUEMAS)}"
    yield name
    postgres.run(f"DROP SCHEMA IF EXISTS {name} CASCADE")


@pytest.fixture(scope="module")
def fundado(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of one machine with a cut signed, from which each test copies two."""
    night = Night(tmp_path_factory.mktemp("fundado"), ManualClock(INICIO - timedelta(hours=4)))
    corta(night.create(), 0)
    return night.folder


@pytest.fixture(scope="module")
def fundado_de_actas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with a cut made of actas."""
    night = Night(tmp_path_factory.mktemp("actas"), ManualClock(INICIO - timedelta(hours=4)))
    night.cut(night.create(), hora(0))
    return night.folder


@pytest.fixture
def pareja(tmp_path: Path, postgres: Base, esquema: str, fundado: Path) -> Iterator[Pareja]:
    with empareja(tmp_path, postgres, esquema, fundado) as made:
        yield made


@pytest.fixture
def pareja_de_actas(tmp_path: Path, postgres: Base, esquema: str, fundado_de_actas: Path) -> Iterator[Pareja]:
    with empareja(tmp_path, postgres, esquema, fundado_de_actas) as made:
        yield made


@contextlib.contextmanager
def empareja(tmp_path: Path, postgres: Base, esquema: str, fundado: Path) -> Iterator[Pareja]:
    """Two machines, the first with what was founded; their connections are closed at the end."""
    night = Night(tmp_path, ManualClock(hora(0) + timedelta(seconds=30), simulado=False))
    a, b = tmp_path / "a", tmp_path / "b"
    shutil.copytree(fundado / "espacio", a)
    shutil.copytree(a, b, ignore=shutil.ignore_patterns("repositorio", "trabajo", "apuntes", "estado.sqlite*"))
    url = as_operator(postgres.dueno)
    comparte(a, url, esquema, "a")
    comparte(b, url, esquema, "b")
    made = Pareja(night, url, esquema, a, b)
    yield made
    for space in made.abiertos:
        shared = space.__dict__.get("compartido")
        if shared is not None:
            shared.servidor.cierra()
