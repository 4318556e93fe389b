"""A real S3 server (SeaweedFS) on loopback, with an identity that writes, one that only reads, and a bucket."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx2
import obstore

from pregon.base.clock import SystemClock
from pregon.base.errors import ComprobacionError
from pregon.base.procesos import start, wait_until
from pregon.base.red import free_port
from pregon.transport.almacen import Almacen
from pregon.transport.lugar import Lugar
from pregon.transport.s3 import S3Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any

    from pregon.base.procesos import Process

HOST = "127.0.0.1"
READY_S = 40.0
SHELL_S = 20.0
WEED = Path(sys.executable).with_name("weed")
DEPOSITO = "urna"
ESCRIBE = ("ESCRIBE0000000000000", "secreto-de-quien-escribe-0123456789abcdef")
LEE = ("LEE00000000000000000", "secreto-de-quien-solo-lee-0123456789abcde")
SOCKETS = Path("/tmp")
PORTS = ("master", "volume", "filer", "s3")


class Seaweed:
    """One server. ``with Seaweed(folder) as server`` and then ``server.lugar(prefix)``; its files are in ``carpeta``.

    The bucket ``DEPOSITO`` is there from the beginning. ``entorno`` has the secrets that ``lugar`` names.
    """

    entorno: Mapping[str, str] = {"S3_ESCRIBE": ESCRIBE[1], "S3_LEE": LEE[1], "S3_MALO": "x" * 40}  # never changed

    def __init__(self, carpeta: Path, *, volumenes: int = 20) -> None:
        """``volumenes``: files of 64 MB in which it may keep objects."""
        self.carpeta = carpeta
        self._volumes = volumenes
        self._open: set[str] = set()
        (carpeta / "datos").mkdir(parents=True)
        self._ports = {name: free_port(HOST) for name in (*PORTS, *(f"{name}.grpc" for name in PORTS))}
        self.puerto = self._ports["s3"]
        self.extremo = f"http://{HOST}:{self.puerto}"
        self._output = carpeta / "weed.log"
        self._process: Process | None = None

    def __enter__(self) -> Self:
        identities = [
            _identity("escribe", ESCRIBE, ("Admin", "Read", "Write", "List", "Tagging")),
            _identity("lee", LEE, ("Read", "List")),
        ]
        settings = self.carpeta / "identidades.json"
        settings.write_text(json.dumps({"identities": identities}), encoding="utf-8")
        ports = {
            f"{name}.port{'.grpc' if grpc else ''}": port
            for key, port in self._ports.items()
            for name, _, grpc in (key.partition("."),)
        }
        command: list[str | Path] = [
            WEED,
            "server",
            f"-ip={HOST}",
            f"-ip.bind={HOST}",
            f"-dir={self.carpeta / 'datos'}",
            *(f"-{name}={port}" for name, port in ports.items()),
            "-master.volumeSizeLimitMB=64",
            "-master.electionTimeout=1s",
            "-master.telemetry=false",
            f"-volume.max={self._volumes}",
            "-volume.preStopSeconds=0",
            "-filer",
            f"-filer.localSocket={self.carpeta / 'filer.sock'}",
            "-s3",
            f"-s3.config={settings}",
            f"-s3.localSocket={self.carpeta / 's3.sock'}",
            "-s3.iam=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
        ]
        self._process = start(command, output=self._output, folder=self.carpeta)
        try:
            wait_until(self._ready, self._process, timeout=READY_S, what="weed")
        except ComprobacionError:
            self._process.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()  # nothing of it is kept, and its orderly end takes seconds
        for name in PORTS:  # where it puts them cannot be told it
            (SOCKETS / f"seaweedfs-{name}-grpc-{self._ports[name + '.grpc']}.sock").unlink(missing_ok=True)

    def lugar(self, prefijo: str, *, quien: str = "escribe", **changes: Any) -> Lugar:
        """A place in the bucket. ``quien``: escribe, lee, malo (a wrong secret) or nadie (unsigned)."""
        keys = {
            "escribe": {"clave_acceso": ESCRIBE[0], "secreto": "env:S3_ESCRIBE"},
            "lee": {"clave_acceso": LEE[0], "secreto": "env:S3_LEE"},
            "malo": {"clave_acceso": ESCRIBE[0], "secreto": "env:S3_MALO"},
            "nadie": {"clave_acceso": "anonimo"},
        }
        values: dict[str, Any] = {"url": f"s3://{DEPOSITO}/{prefijo}", "extremo": self.extremo, **keys[quien]}
        return Lugar(**{**values, **changes})

    def source(self, prefijo: str, *, quien: str = "escribe", **changes: Any) -> S3Source:
        """A reader of the place, straight to the server unless ``changes`` say another ``extremo``."""
        lugar = self.lugar(prefijo, quien=quien, **changes)
        return S3Source(lugar, folder=self.carpeta, clock=SystemClock(), environment=self.entorno)

    def orden(
        self, method: str, prefijo: str, ruta: str | None, query: Mapping[str, str] | None = None, data: bytes = b""
    ) -> bytes:
        """The answer to one request of the identity that writes, by an address that obstore signed.

        Raises:
            httpx2.HTTPError: no answer, or another status than 2xx.
        """
        url = self._almacen(prefijo).sign(method, ruta, query)
        answer = httpx2.request(method, url, content=data, timeout=20, trust_env=False)
        answer.raise_for_status()
        return answer.content

    def objetos(self, prefijo: str) -> dict[str, bytes]:
        """Everything below a prefix, by its path after it."""
        store = self._almacen(prefijo).store
        names = sorted(entry["path"] for batch in obstore.list(store) for entry in batch)
        return {name: bytes(obstore.get(store, name).bytes()) for name in names}

    def vacia(self, prefijo: str) -> None:
        """Remove everything below a prefix, uploads that never ended too."""
        store = self._almacen(prefijo).store
        for batch in obstore.list(store):
            obstore.delete(store, [entry["path"] for entry in batch])
        for key, upload in self.envios(prefijo):
            self.orden("DELETE", "", key, {"uploadId": upload})

    def envios(self, prefijo: str) -> list[tuple[str, str]]:
        """Whole name and identifier of each upload in parts below a prefix that never ended."""
        text = self.orden("GET", "", None, {"uploads": "", "prefix": prefijo}).decode()
        found = re.findall(r"<Upload>.*?</Upload>", text, re.DOTALL)
        both = [(re.search(r"<Key>(.*?)</Key>", one), re.search(r"<UploadId>(.*?)</UploadId>", one)) for one in found]
        return [(key[1], upload[1]) for key, upload in both if key and upload]

    def abre_a_todos(self, prefijo: str) -> None:
        """From now on anybody reads, unsigned, what is below a prefix too, as an edge does."""
        self._open.add(prefijo)
        what = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:GetObject"],
            "Resource": [f"arn:aws:s3:::{DEPOSITO}/{one}/*" for one in sorted(self._open)],
        }
        policy = {"Version": "2012-10-17", "Statement": [what]}
        self.orden("PUT", "", None, {"policy": ""}, json.dumps(policy).encode())

    def cierra(self, prefijo: str) -> None:
        """From now on nothing more may be written below a prefix, as when its quota is used up."""
        self._shell(f"fs.configure -locationPrefix=/buckets/{DEPOSITO}/{prefijo} -readOnly=true -apply")

    def reabre(self, prefijo: str) -> None:
        """The contrary of ``cierra``."""
        self._shell(f"fs.configure -locationPrefix=/buckets/{DEPOSITO}/{prefijo} -delete -apply")

    def _shell(self, order: str) -> None:
        master, filer = (f"{HOST}:{self._ports[name]}.{self._ports[name + '.grpc']}" for name in ("master", "filer"))
        done = start(
            [WEED, "shell", f"-master={master}", f"-filer={filer}"], output=self.carpeta / "shell.log", feeds=True
        )
        done.feed(f"{order}\n".encode())
        assert done.wait(SHELL_S) == 0, done.tail()

    def _almacen(self, prefijo: str) -> Almacen:
        lugar = self.lugar(prefijo)
        return Almacen(lugar, folder=self.carpeta, environment=self.entorno, connect_s=5.0, stall_s=20.0)

    def _ready(self) -> bool:
        with contextlib.suppress(httpx2.HTTPError):
            self.orden("PUT", "", None, {})
            self.orden("PUT", "", "listo", data=b"x")
            self.orden("DELETE", "", "listo")
            return True
        time.sleep(0.1)
        return False


@functools.cache
def compartido() -> Seaweed:
    """One server for every test of this process, ended with it: starting takes it some seconds."""
    folder = Path(tempfile.mkdtemp(prefix="pregon-s3-"))
    server = Seaweed(folder)
    stack = contextlib.ExitStack()
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    stack.enter_context(server)
    atexit.register(stack.close)
    return server


def _identity(name: str, credentials: tuple[str, str], actions: tuple[str, ...]) -> dict[str, object]:
    key, secret = credentials
    return {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": list(actions)}
