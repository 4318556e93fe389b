"""A difusor that publishes in a real S3 server, in a prefix of its own, behind a relay that sees and spoils."""

from __future__ import annotations

import functools
import hashlib
import threading
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import obstore
import pytest

from pregon.base.clock import SystemClock
from pregon.difusor.nube.ajustes import AjustesNube
from pregon.difusor.nube.cubo import Cubo, Ficha, Paciencia
from pregon.difusor.nube.plan import PRIVADO
from pregon.difusor.nube.publica import Publicacion
from pregon.difusor.publish import Publisher
from pregon.transport.almacen import Almacen
from tests.red.paso import Paso
from tests.red.servidores.s3 import DEPOSITO, HOST, Seaweed, compartido

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obstore.store import S3Store

    from pregon.base.clock import Clock
    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.nube.publica import Cambio
    from pregon.difusor.release import Plan
    from tests.difusor.conftest import Escena
    from tests.red.paso import Peticion

PRISA = Paciencia(connect_s=2.0, stall_s=10.0, pausas_s=(0.02, 0.05, 0.1))
"""A store on loopback says at once what it has to say."""
PLAZO_S = 20.0


@dataclass
class Deposito:
    """One prefix of the shared bucket, empty at first, and the relay before it."""

    servidor: Seaweed
    prefijo: str
    paso: Paso

    @functools.cached_property
    def store(self) -> S3Store:
        """The prefix, straight at the server."""
        lugar, folder, environment = self.servidor.lugar(self.prefijo), self.servidor.carpeta, self.servidor.entorno
        return Almacen(lugar, folder=folder, environment=environment, connect_s=5.0, stall_s=20.0).store

    @functools.cached_property
    def _cubo(self) -> Cubo:
        ajustes = self.ajustes(extremo=self.servidor.extremo)
        folder, environment = self.servidor.carpeta, self.servidor.entorno
        return Cubo(ajustes, folder=folder, environment=environment, parar=threading.Event(), paciencia=PRISA)

    def ajustes(self, quien: str = "escribe", *, nombre: str = "nube", **changes: Any) -> AjustesNube:
        """A target there, through the relay unless ``changes`` say another ``extremo``."""
        prefix = changes.pop("prefijo", self.prefijo)
        place = self.servidor.lugar(prefix, quien=quien, extremo=f"http://{HOST}:{self.paso.puerto}")
        return AjustesNube.model_validate({**place.model_dump(exclude_unset=True), "nombre": nombre, **changes})

    def hay(self, prefijo: str | None = None) -> dict[str, bytes]:
        """Everything published there, as it is stored."""
        there = self.servidor.objetos(self.prefijo if prefijo is None else prefijo)
        return {ruta: data for ruta, data in there.items() if not ruta.startswith(PRIVADO)}

    def contenidos(self) -> dict[str, str]:
        """Path to SHA-256 of what a reader gets: decoded as each object says, once."""
        return {ruta: hashlib.sha256(self.lee(ruta)).hexdigest() for ruta in self._publicas()}

    def fichas(self) -> dict[str, Ficha]:
        """What the store says of each object."""
        cubo = self._cubo
        found = {ruta: cubo.mira(ruta) for ruta in self._publicas()}
        return {ruta: ficha for ruta, ficha in found.items() if ficha is not None}

    def _publicas(self) -> list[str]:
        return [ruta for ruta in self._cubo.lista() if not ruta.startswith(PRIVADO)]

    def lee(self, ruta: str) -> bytes:
        """What a reader of one object gets."""
        found = obstore.get(self.store, ruta)
        return _decoded(bytes(found.bytes()), found.attributes.get("Content-Encoding"))

    def pon(self, ruta: str, data: bytes) -> None:
        """Somebody else's object."""
        self.servidor.orden("PUT", self.prefijo, ruta, data=data)

    def quita(self, ruta: str) -> None:
        """Somebody else removes it."""
        self.servidor.orden("DELETE", self.prefijo, ruta)

    def ruta(self, peticion: Peticion) -> str:
        """Of which object a request is, below the prefix."""
        return peticion.ruta.removeprefix(f"/{DEPOSITO}/{self.prefijo}").removeprefix("/")

    def subidas(self) -> list[str]:
        """Paths that travelled, in the order in which the store had them; those of a file in parts, when it ends."""
        paths = [self.ruta(one) for one in self.paso.hechas if _uploads(one)]
        return [ruta for ruta in paths if not ruta.startswith(PRIVADO)]

    def copiadas(self) -> list[str]:
        """Paths that the store copied."""
        return [self.ruta(one) for one in self.paso.hechas if one.copia is not None]

    def bytes_subidos(self) -> int:
        """Bytes of bodies that travelled in puts."""
        sent = [one for one in self.paso.hechas if one.metodo == "PUT" and one.copia is None]
        return sum(one.bytes for one in sent if not self.ruta(one).startswith(PRIVADO))


@dataclass
class Portal:
    """A difusor whose releases go to one target."""

    escena: Escena
    deposito: Deposito
    ajustes: AjustesNube
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self.receiver = self.escena.receiver()
        self.publicacion = self.otra()

    def otra(self, ajustes: AjustesNube | None = None, *, paciencia: Paciencia = PRISA) -> Publicacion:
        """What a process that has just started would use."""
        return Publicacion(
            ajustes or self.ajustes,
            self.escena.workspace,
            self.escena.libro,
            Publisher(self.escena.workspace, self.escena.libro, self.escena.disk).store,
            clock=self.clock,
            disk=self.escena.disk,
            environment=self.deposito.servidor.entorno,
            paciencia=paciencia,
        )

    def recibe(self, corte: int, files: Mapping[str, bytes] | None = None) -> None:
        """A cut signed, and public at the difusor itself."""
        self.escena.cut(corte, files)
        assert self.receiver.run_once().error is None

    def ultimo(self) -> tuple[Aceptado, Plan]:
        """The newest cut and its release."""
        libro = self.escena.libro
        cut = libro.cortes()[-1]
        return cut, Publisher(self.escena.workspace, libro, self.escena.disk).plan_of(cut)

    def publica(self, con: Publicacion | None = None) -> Cambio:
        """The newest cut in the bucket, and what changed purged."""
        using = con or self.publicacion
        cambio = using.muestra(*self.ultimo())
        using.purgado(cambio.rutas)
        return cambio

    def corta(self, corte: int, files: Mapping[str, bytes] | None = None) -> Cambio:
        """Both, and the relay's lists only of the second."""
        self.recibe(corte, files)
        self.deposito.paso.olvida()
        return self.publica()

    def debe(self) -> dict[str, str]:
        """Path to SHA-256 of all that must be there for the newest cut: its release, notices, signatures and 404."""
        servidor = self.escena.workspace.servidor
        own = {name: (servidor / name).read_bytes() for name in ("404.html", "avisos.json", "firmas.json")}
        return {**self.ultimo()[1].rutas, **{name: hashlib.sha256(raw).hexdigest() for name, raw in own.items()}}


@pytest.fixture
def almacen(request: pytest.FixtureRequest) -> Iterator[Deposito]:
    """A prefix of the process's own S3 server, with its relay."""
    servidor = compartido()
    with Paso(HOST, servidor.puerto) as paso:
        yield Deposito(servidor, f"nube/{request.node.name.translate(_PLAIN)}", paso)


@pytest.fixture
def portal(escena: Escena, almacen: Deposito) -> Portal:
    """An official difusor with one target, and no cut yet."""
    return Portal(escena, almacen, almacen.ajustes())


_PLAIN = str.maketrans(dict.fromkeys("[]/ ", "-"))


def _uploads(one: Peticion) -> bool:
    if one.metodo == "PUT":
        return one.copia is None and "partNumber" not in dict(one.consulta)
    return one.metodo == "POST" and "uploadId" in dict(one.consulta)


def _decoded(raw: bytes, coding: str | None) -> bytes:
    if coding is None:
        return raw
    assert coding == "gzip"
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    content = inflater.decompress(raw)
    assert inflater.eof
    assert not inflater.unused_data
    return content
