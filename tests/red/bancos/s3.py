"""Bench of S3: a real store behind a relay."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pregon.base.clock import SystemClock
from pregon.transport.destino import PART
from pregon.transport.s3 import S3Destination
from tests.red.bancos import BancoBase, DiscoChico
from tests.red.enlace import Enlace
from tests.red.servidores.crudo import Crudo
from tests.red.servidores.nginx import Autoridad
from tests.red.servidores.s3 import DEPOSITO, HOST, Seaweed, compartido

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.transport.destino import Destination
    from pregon.trust.origen import RepositorySource

PREFIJO = "dif/entrada"


class Banco(BancoBase):
    """A prefix of a bucket. ``carpeta`` is where the store keeps its own volumes: nobody reads a repository there."""

    nombre: ClassVar[str] = "s3"
    reanuda: ClassVar[bool] = False  # files longer than a part do (test_s3.py); these are shorter

    enlace: Enlace

    def __enter__(self) -> Self:
        self._stack = contextlib.ExitStack()
        self.servidor = compartido()
        self.enlace = self._stack.enter_context(Enlace(HOST, self.servidor.puerto))
        self.carpeta = self.servidor.carpeta / "datos"
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def destino(self, *, quien: str = "escribe", ca: Path | None = None, url: str = "", **changes: Any) -> Destination:
        url = url or f"http://{HOST}:{self.enlace.puerto}"
        lugar = self.servidor.lugar(PREFIJO, quien=quien, extremo=url, ca=ca)
        return S3Destination(
            lugar, folder=self.folder, clock=SystemClock(), environment=self.servidor.entorno, **changes
        )

    def source(self) -> RepositorySource:
        return self.servidor.source(PREFIJO, quien="lee")

    def otras_credenciales(self) -> Destination:
        return self.destino(quien="malo")

    @contextlib.contextmanager
    def certificado_vencido(self) -> Iterator[Destination]:
        autoridad = Autoridad(self.folder / "autoridad")
        with Crudo(autoridad.firma("vencido", vencido=True), {}) as crudo:
            yield self.destino(url=crudo.url, ca=autoridad.ca)

    @contextlib.contextmanager
    def reloj_corrido(self) -> Iterator[Destination]:
        """The answer of S3 itself: the store of the tests forgives any hour."""
        autoridad = Autoridad(self.folder / "autoridad")
        body = b"<?xml version='1.0'?><Error><Code>RequestTimeTooSkewed</Code><Message>otra</Message></Error>"
        answer = b"HTTP/1.1 403 X\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        with Crudo(autoridad.firma("almacen"), {f"/{DEPOSITO}": answer, f"/{DEPOSITO}/": answer}) as crudo:
            yield self.destino(url=crudo.url, ca=autoridad.ca)

    def vacia(self) -> None:
        self.enlace.abre()
        self.enlace.ritmo(None)
        self.servidor.vacia(PREFIJO)

    def archivos(self) -> dict[str, bytes]:
        return self.servidor.objetos(PREFIJO)

    def sobras(self) -> list[str]:
        return [key + PART for key, _ in self.servidor.envios(PREFIJO)]

    def pon(self, ruta: str, data: bytes, *, edad_s: float = 0.0) -> None:  # the store dates by itself
        """A name that ends as a half file is an upload in parts of that file which never ended."""
        if not ruta.endswith(PART):
            self.servidor.orden("PUT", PREFIJO, ruta, data=data)
            return
        whole = ruta.removesuffix(PART)
        answer = self.servidor.orden("POST", PREFIJO, whole, {"uploads": ""}).decode()
        upload = re.search(r"<UploadId>(.*?)</UploadId>", answer)
        assert upload is not None
        self.servidor.orden("PUT", PREFIJO, whole, {"partNumber": "1", "uploadId": upload[1]}, data)

    @contextlib.contextmanager
    def lleno(self, libre: int) -> Iterator[DiscoChico]:
        """What a quota that is used up does in this store: from the first byte on, whatever ``libre`` says."""
        self.servidor.cierra(PREFIJO)
        try:
            yield _Cuota(self.servidor, libre)
        finally:
            self.servidor.reabre(PREFIJO)


class _Cuota(DiscoChico):
    """A prefix where nothing more is taken."""

    def __init__(self, servidor: Seaweed, libre: int) -> None:
        super().__init__(servidor.carpeta, libre)
        self._servidor = servidor

    def crece(self, more: int) -> None:  # all at once
        self._servidor.reabre(PREFIJO)
