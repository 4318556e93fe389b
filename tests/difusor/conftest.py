"""A small institute, a difusor that reads it, and ways to look at what is public."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.difusor import pointer
from pregon.difusor.inicia import create
from pregon.difusor.libro import Libro
from pregon.difusor.night import open_receiver, real_clock
from pregon.difusor.servidor.proceso import serving
from pregon.paquete.cut import stamped_name, write_cut
from pregon.paquete.manifest import ManifestHead
from pregon.paquete.tree import PackageTree
from pregon.trust.aviso import Aviso
from pregon.trust.keys import KeyRing, generate, ring_names
from pregon.trust.repositorio import Repository
from pregon.trust.vigencia import online_expiry
from tests.trust.conftest import FIN, INICIO, INTERVALO, OFICIAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from pregon.base.state import StateDatabase
    from pregon.difusor.receive import Receiver
    from pregon.difusor.servidor.proceso import Server
    from pregon.difusor.workspace import Workspace
    from pregon.trust.aviso import Tipo
    from pregon.trust.verified import Identity

PERFIL = """
id = "{convocatoria}"
nombre = "Proceso Electoral de Ensayo 2027"
instituto = "iedemo"
elecciones = ["GUB"]
zona_horaria = "America/Mexico_City"
inicio = 2027-06-06T20:00:00
fin_actualizacion = 2027-06-07T20:00:00
permanencia_hasta = 2027-06-30T23:59:00
intervalo_min = 20
{extra}
[entidad]
numero = 4
clave = "CAMP"
nombre = "Campeche"
[transporte]
modo = "push"
protocolo = "scp"
puertos = [22]
[fallo]
periodos = 3
accion = "interrumpir"
causas = ["periodos"]
"""

FAR_LATER = timedelta(days=20)


def page(corte: int, filling: str = "") -> bytes:
    """A page that names its cut and its data folder; long enough to have twins."""
    body = "".join(f"<tr><td>casilla {n}</td><td>{n * corte}</td></tr>" for n in range(60))
    return (
        f'<!doctype html><html lang="es-MX"><title>Corte {corte}</title>'
        f'<link rel="stylesheet" href="assets/estilo.css"><h1 data-corte="{corte:04d}">Corte {corte}</h1>'
        f'<a href="datos/{corte:04d}/gub/entidad.json">Datos</a><table>{body}</table>{filling}\n'
    ).encode()


def files_of(corte: int, hora: datetime, *, ambiente: str = "oficial", **more: bytes) -> dict[str, bytes]:
    """The tree of a small package."""
    stamp = {
        "formato": "pregon/corte/1",
        "corte": corte,
        "hora_corte": hora.isoformat(),
        "ambiente": ambiente,
        "ultimo": False,
        "proximo": None,
        "datos": f"datos/{corte:04d}/",
        "base_de_datos": [],
        "contiendas": [],
    }
    data = {"votos": {f"P{n}": n * corte for n in range(60)}}
    return {
        "index.html": page(corte),
        "gub/index.html": page(corte, "<p>Gubernatura</p>"),
        "assets/estilo.css": b"body{margin:0;color:#222}\n" * 20,
        f"datos/{corte:04d}/gub/entidad.json": json.dumps(data).encode(),
        "corte.json": json.dumps(stamp, indent=1).encode(),
        **more,
    }


@dataclass
class Escena:
    """An institute with its repository, and a difusor's workspace that reads it. Both live on one manual clock."""

    folder: Path
    ring: KeyRing
    identity: Identity
    clock: ManualClock
    repository: Repository
    workspace: Workspace
    disk: Disk = field(default_factory=Disk)

    def sign(
        self,
        corte: int,
        files: Mapping[str, bytes] | None = None,
        *,
        antes: Callable[[], object] = lambda: None,
        **head: Any,
    ) -> None:
        """Build and sign a cut whose hour is its number of intervals after the start.

        ``antes`` is called when it is built, and nobody can have it yet.
        """
        hora = head.pop("hora_corte", INICIO + INTERVALO * corte)
        firmado = head.pop("firmado", self.clock.instant)
        head.setdefault("proximo", hora + INTERVALO)
        recipes = head.pop("diferencias", {})
        tree = PackageTree()
        for ruta, content in (files or files_of(corte, hora, ambiente=self.identity.ambiente)).items():
            tree.add(ruta, content)
        write_cut(
            self.repository.cut_folder(corte),
            tree,
            ManifestHead(
                convocatoria=self.identity.convocatoria,
                instituto=self.identity.instituto,
                ambiente=self.identity.ambiente,
                elecciones=("GUB",),
                corte=corte,
                hora_corte=hora,
                generado=hora,
                **head,
            ),
            self.repository.last_manifest(),
            stamped_name(hora, "PREP_GUB_DEMO"),
            diferencias=recipes,
        )
        antes()
        self.repository.publish_cut(
            corte, now=firmado, expira=online_expiry(FIN), siguiente=INICIO + FAR_LATER, intervalo=INTERVALO
        )

    def cut(self, corte: int, files: Mapping[str, bytes] | None = None, **head: Any) -> None:
        """``sign`` with the clock at the cut's hour."""
        self.clock.instant = INICIO + INTERVALO * corte
        self.sign(corte, files, **head)

    def notice(self, data: bytes) -> int:
        """Sign a notice with these bytes; its number."""
        now = self.clock.now()
        return self.repository.publish_notice(
            data, now=now, expira=online_expiry(FIN), siguiente=INICIO + FAR_LATER, intervalo=INTERVALO
        )

    def aviso(
        self,
        tipo: Tipo,
        difusores: tuple[str, ...] = ("diario-uno",),
        *,
        texto: str = "Mantenimiento.",
        **more: Any,
    ) -> Aviso:
        """Sign a notice of the institute, in force from now on."""
        desde = more.pop("desde", self.clock.now())
        made = Aviso(self.repository.next_notice(), tipo, difusores, "ensayo", texto, desde, **more)
        self.notice(made.to_bytes())
        return made

    def state(self) -> StateDatabase:
        return self.workspace.open_state(self.clock)

    def receiver(self, disk: Disk | None = None) -> Receiver:
        """A difusor that has just started."""
        return open_receiver(self.workspace, clock=self.clock, state=self.state(), disk=disk or self.disk)

    @property
    def libro(self) -> Libro:
        return Libro(self.state())

    def public(self) -> dict[str, str]:
        """What the pointer makes public: path to SHA-256, twins included."""
        name = pointer.read(self.workspace)
        return {} if name is None else tree_hashes(self.workspace.cortes / name)

    def manifest_hashes(self, corte: int) -> dict[str, str]:
        """What a cut's manifest lists."""
        raw = (self.repository.cut_folder(corte) / "manifiesto.json").read_bytes()
        listed = {entry["ruta"]: entry["sha256"] for entry in json.loads(raw)["archivos"]}
        return {**listed, "manifiesto.json": hashlib.sha256(raw).hexdigest()}

    @contextmanager
    def served(self) -> Iterator[tuple[str, Server]]:
        """The real web server over this workspace, on a free port."""
        with serving([self.workspace], disk=self.disk, clock=real_clock(), port=0) as server:
            yield server.urls[0], server


def tree_hashes(folder: Path) -> dict[str, str]:
    """Path to SHA-256 of everything under ``folder``; a link or a special file is told apart."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(folder))] = f"link {path.readlink()}"
        elif path.is_file():
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def without_twins(tree: Mapping[str, str]) -> dict[str, str]:
    return {ruta: sha256 for ruta, sha256 in tree.items() if not ruta.endswith((".gz", ".br", ".zst"))}


class EscenaFactory(Protocol):
    def __call__(
        self,
        name: str = ...,
        *,
        identity: Identity = ...,
        reloj: str = ...,
        extra: str = ...,
        origen: str | None = ...,
        root: bytes | None = ...,
    ) -> Escena: ...


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    """One whole ring of keys for the session."""
    return KeyRing(tuple(generate(name) for name in ring_names()))


def make_escena(
    folder: Path,
    ring: KeyRing,
    *,
    identity: Identity = OFICIAL,
    reloj: str = 'fuente = "ninguna"',
    extra: str = "",
    origen: str | None = None,
    root: bytes | None = None,
) -> Escena:
    """An institute without cuts and a difusor that knows its root, an hour before the start."""
    clock = ManualClock(INICIO - timedelta(hours=1), simulado=False)
    repository = Repository.create(
        folder / "repositorio",
        ring,
        identity,
        now=clock.instant,
        expira=online_expiry(FIN),
        siguiente=INICIO + FAR_LATER,
        intervalo=INTERVALO,
    )
    profile = folder / "perfil.toml"
    profile.write_text(PERFIL.format(convocatoria=identity.convocatoria, extra=extra))
    toml = "\n".join(
        (
            f'convocatoria = "{profile}"',
            f'ambiente = "{identity.ambiente}"',
            'id = "diario-uno"',
            f'origen = "{origen or repository.folder}"',
            "sondeo_s = 0.1",
            "[reloj]",
            reloj,
            "[servidor]",
            "puerto = 0\n",
        )
    )
    workspace = create(folder / "difusor", toml, root=root or repository.root_bytes(), disk=Disk())
    return Escena(folder, ring, identity, clock, repository, workspace)


@pytest.fixture
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: for tests that the disk's pace adds nothing to (SIGKILL loses nothing)."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path_factory.mktemp("lenta")
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@pytest.fixture
def escena_factory(tmp_path: Path, ring: KeyRing) -> EscenaFactory:
    """Makes an institute and its difusor in a folder of their own."""

    def make(name: str = "noche", **options: Any) -> Escena:
        folder = tmp_path / name
        folder.mkdir()
        return make_escena(folder, ring, **options)

    return make


@pytest.fixture
def carpeta_abierta() -> Iterator[Path]:
    """A folder that other accounts reach, as a difusor's does: web servers run with one of their own."""
    folder = Path(tempfile.mkdtemp(prefix="pregon-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def escena_abierta(carpeta_abierta: Path, ring: KeyRing) -> Escena:
    """``escena``, where other accounts reach."""
    return make_escena(carpeta_abierta, ring)


@pytest.fixture
def escena(escena_factory: EscenaFactory) -> Escena:
    """An official institute without cuts, and its difusor, an hour before the start."""
    return escena_factory()
