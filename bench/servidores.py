"""``servidores``: what our answers cost a web server, against the same one with its distribution's defaults.

A JSON of 40 kB, connections that are kept, the same access log on both sides; each server is up for the whole measure
and is asked in turn. A round's cost is what the server's processes took of the processor: what else the machine does
changes how many requests fit in a second, and not that.
"""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.difusor.conftest import files_of, make_escena
from tests.difusor.servidores import lend
from tests.red.servidores.apache import Apache
from tests.red.servidores.nginx import NginxCon
from tests.trust.conftest import INICIO, INTERVALO

from bench.informe import Limite
from bench.procesos import segundos_de_procesador
from pregon.base.durable import Disk
from pregon.base.red import free_port
from pregon.difusor.night import real_clock
from pregon.difusor.servidor import apache, nginx
from pregon.difusor.servidor.proceso import serving
from pregon.difusor.servidor.sitio import site_of
from pregon.trust.keys import KeyRing, generate, ring_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.informe import Informe

BYTES = 40_000
CONEXIONES = 32
SEGUNDOS = 3
RONDAS = 7
HOST = "127.0.0.1"
_RUTA = "datos/0001/gub/entidad.json"
_COMBINADO = '"%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"" pregon_combinado'
_REQUESTS = re.compile(r"(\d+) requests in ([\d.]+)(ms|s|m)")
_P99 = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}

NGINX = Limite(minimo=0.85)
APACHE = Limite(minimo=0.95)
CADDY = Limite(minimo=0.45)
CADDY_RITMO = Limite(minimo=10_000)


_LIMITES = (
    ("nginx", "nginx simple", NGINX),
    ("apache", "apache simple", APACHE),
    ("caddy", "apache simple", CADDY),
)


@dataclass
class _Lado:
    """One server that is up: who answers, where, and what each round of it gave."""

    pid: int
    url: str
    ritmo: list[float] = field(default_factory=list)
    """Requests a second of the clock."""
    por_procesador: list[float] = field(default_factory=list)
    """Requests a second of processor of the server."""
    p99: list[float] = field(default_factory=list)


def mide(informe: Informe, folder: Path, rondas: int = RONDAS) -> None:
    """Run it and print."""
    informe.titulo("servidores", f"JSON de {BYTES // 1000} kB, {CONEXIONES} conexiones que se conservan, con bitácora")
    # The workers are of another account: they must reach the files from the root.
    folder.parent.chmod(0o755)
    folder.mkdir(mode=0o755)
    with contextlib.ExitStack() as stack:
        sides = {name: stack.enter_context(server) for name, server in _sides(folder)}
        for number in range(rondas + 1):
            for side in sides.values():
                _round(side, counts=number > 0)
    for name, side in sides.items():
        informe.nota(
            f"{name:<18} {statistics.median(side.ritmo):>9,.0f} /s   {statistics.median(side.por_procesador):>9,.0f} "
            f"por segundo de procesador   p99 {statistics.median(side.p99):6.2f} ms   n={len(side.ritmo)}"
        )
    for ours, bare, limit in _LIMITES:
        a, b = sides[ours], sides[bare]
        informe.razon(f"{ours} / {bare}, por procesador", a.por_procesador, b.por_procesador, limit)
        informe.razon(f"{ours} / {bare}, por segundo", a.ritmo, b.ritmo)
    informe.cifra(
        "caddy, por segundo",
        statistics.median(sides["caddy"].ritmo),
        CADDY_RITMO,
        decimales=0,
        unidad=" /s",
    )


def _sides(folder: Path) -> Iterator[tuple[str, contextlib.AbstractContextManager[_Lado]]]:
    escena = make_escena(folder, KeyRing(tuple(generate(name) for name in ring_names())))
    body = b'{"x":"' + os.urandom(BYTES).hex().encode()[: BYTES - 8] + b'"}'
    escena.cut(1, {**files_of(1, INICIO + INTERVALO), _RUTA: body})
    if escena.receiver().run_once().error is not None:
        raise SystemExit("el corte de la medida no se publicó")
    workspace = escena.workspace
    lend(workspace)
    release = workspace.cortes / "0001"

    @contextlib.contextmanager
    def ours_nginx(port: int) -> Iterator[_Lado]:
        place = folder / "nginx"
        text = nginx.render([site_of(workspace, port)], carpeta=str(place), bitacoras=str(place))
        with NginxCon(place, text, [port]) as server:
            yield _Lado(server.pid, f"http://{HOST}:{port}/{_RUTA}")

    @contextlib.contextmanager
    def bare_nginx(port: int) -> Iterator[_Lado]:
        place = folder / "nginx-simple"
        text = f"server {{ listen {HOST}:{port}; root {release}; access_log {place}/acceso.log combined; }}"
        with NginxCon(place, text, [port]) as server:
            yield _Lado(server.pid, f"http://{HOST}:{port}/{_RUTA}")

    @contextlib.contextmanager
    def ours_apache(port: int) -> Iterator[_Lado]:
        place = folder / "apache"
        text = apache.render([site_of(workspace, port)], carpeta=str(place), bitacoras=str(place))
        with Apache(place, text, [port]) as server:
            yield _Lado(server.pid, f"http://{HOST}:{port}/{_RUTA}")

    @contextlib.contextmanager
    def bare_apache(port: int) -> Iterator[_Lado]:
        place = folder / "apache-simple"
        text = (
            f"LogFormat {_COMBINADO}\n<VirtualHost {HOST}:{port}>\nDocumentRoot {release}\n"
            f"CustomLog {place}/acceso.log pregon_combinado\n</VirtualHost>\n"
            f"<Directory {release}>\nOptions Indexes FollowSymLinks\nAllowOverride None\nRequire all granted\n"
            "</Directory>\n"
        )
        with Apache(place, text, [port], modulos=()) as server:
            yield _Lado(server.pid, f"http://{HOST}:{port}/{_RUTA}")

    @contextlib.contextmanager
    def caddy() -> Iterator[_Lado]:
        with serving([workspace], disk=Disk(), clock=real_clock(), port=0) as server:
            yield _Lado(server.pid, server.urls[0] + _RUTA)

    yield "nginx simple", bare_nginx(free_port(HOST))
    yield "nginx", ours_nginx(free_port(HOST))
    yield "apache simple", bare_apache(free_port(HOST))
    yield "apache", ours_apache(free_port(HOST))
    yield "caddy", caddy()


def _round(side: _Lado, *, counts: bool) -> None:
    before = segundos_de_procesador(side.pid)
    command = ["wrk", "-t1", f"-c{CONEXIONES}", f"-d{SEGUNDOS if counts else 1}s", "--latency", side.url]
    text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    spent = segundos_de_procesador(side.pid) - before
    found, p99 = _REQUESTS.search(text), _P99.search(text)
    if found is None or p99 is None or "Non-2xx" in text:  # It closes some: Apache's default.
        raise SystemExit(f"wrk no midió lo que debía en {side.url}:\n{text}")
    if counts:
        seconds = float(found[2]) * _MS.get(found[3], 60_000) / 1000
        side.ritmo.append(int(found[1]) / seconds)
        side.por_procesador.append(int(found[1]) / spent)
        side.p99.append(float(p99[1]) * _MS[p99[2]])
