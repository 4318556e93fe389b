"""Sixty difusores at once: bytes on the wire, and how long until each has verified; against a loop of ``rsync -a``.

Each has a machine of its own, with its server, at the end of a cable of ``MBPS`` that the kernel shapes. «Verified» is
for ours the signed list, the manifest and every byte of the archive, in a process that waits there; for the loop,
``sha256sum`` of the archive once it is there. Both go to the same machines by the same servers.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.red.mundo import Mundo
from tests.red.servidores.sshd import Sshd

from bench.informe import Limite
from bench.portadores import abre, entorno, pregon, tabla_ssh
from pregon.instituto.workspace import RAIZ

if TYPE_CHECKING:
    from pathlib import Path

    from tests.red.mundo import Host

    from bench.informe import Informe
    from bench.paquetes import Instituto

DIFUSORES = 60
MBPS = 400
ALAMBRE = Limite(maximo=1.05)
P95 = Limite(maximo=0.5)
_LIMIT_S = 1800.0


def mide(informe: Informe, folder: Path, instituto: Instituto) -> Instituto:
    """Run it and print. ``instituto`` has signed its first cut; given back with the second."""
    folder.mkdir()
    with Mundo(semilla=7) as mundo, contextlib.ExitStack() as stack:
        here = mundo.host("instituto")
        places = [_place(folder, mundo.host(f"d{n:02d}"), here, stack) for n in range(1, DIFUSORES + 1)]
        settings = instituto.folder / "instituto.toml"
        bare = settings.read_text(encoding="utf-8").partition("[[destino]]")[0]
        settings.write_text(bare + "".join(place.destino for place in places), encoding="utf-8")
        _deliver(here, instituto)
        for place in places:  # What ``rsync -a`` would have brought of the first cut.
            shutil.copytree(instituto.folder / "repositorio", place.loop, copy_function=os.link)
        instituto = instituto.corte()
        cut = instituto.paquetes[-1].parent
        changes = next(iter(cut.glob("*.cambios.zip")))
        smallest = changes.stat().st_size + (cut / "manifiesto.json").stat().st_size
        ours = _ours(informe, here, places, instituto, smallest)
        loop = _loop(here, places, instituto)
    informe.nota(f"{DIFUSORES} difusores, cable de {MBPS} Mbps cada uno, corte 2 nacional ({smallest:,} bytes)")
    informe.cifra("p95 de firmado a verificado / rsync -a en fila (razón)", _p95(ours) / _p95(loop), P95)
    informe.segundos("  nuestro", ours)
    informe.segundos("  rsync -a, uno tras otro", loop)
    shutil.rmtree(folder)
    return instituto


class _Place:
    """One difusor's machine: ``entrada`` is what we push into, ``loop`` what the script pushes into."""

    def __init__(self, name: str, host: Host, server: Sshd, folder: Path) -> None:
        self.name, self.host, self.server = name, host, server
        self.entrada, self.loop = folder / "entrada", folder / "fila"
        self.entrada.mkdir(parents=True)
        self.destino = tabla_ssh(name, server, host, "sftp", str(self.entrada))


def _place(folder: Path, host: Host, here: Host, stack: contextlib.ExitStack) -> _Place:
    _cable(here, host)
    abre(host)
    with host.dentro():
        server = stack.enter_context(Sshd(folder / f"sshd-{host.nombre}"))
    return _Place(host.nombre, host, server, folder / host.nombre)


def _cable(a: Host, b: Host) -> None:
    """A pair of virtual interfaces, each end shaped: what the relay's links are, at the speed of the kernel."""
    near, far = f"c-{b.nombre}", "cable"
    _run("ip", "link", "add", near, "netns", a.namespace, "type", "veth", "peer", "name", far, "netns", b.namespace)
    for host, device, other in ((a, near, b), (b, far, a)):
        _run(*host.orden(["ip", "link", "set", device, "up"]))
        _run(*host.orden(["ip", "route", "add", f"{other.ip}/32", "dev", device, "src", host.ip]))
        shape = ["tbf", "rate", f"{MBPS}mbit", "burst", "256k", "limit", "4m"]
        _run(*host.orden(["tc", "qdisc", "add", "dev", device, "root", *shape]))


def _ours(informe: Informe, here: Host, places: list[_Place], instituto: Instituto, smallest: int) -> list[float]:
    """Seconds until each has verified. Waits for who verifies to be ready first: a difusor is there all night."""
    waiting = []
    for place in places:
        state, output = place.entrada.with_name("confianza"), place.entrada.with_name("verificado.txt")
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "bench.hijos.verifica",
            instituto.folder / RAIZ,
            place.entrada,
            state,
        ]
        waiting.append(place.host.corre([*command, instituto.noche.horas[-1].isoformat()], output=output))
    for place in places:
        _until(place, "listo")
    before = _sent(here)
    start = time.time()
    _deliver(here, instituto)
    seconds = [float(_until(place, "verificado")) - start for place in places]
    informe.cifra("bytes en el cable / paquetes menores", (_sent(here) - before) / (smallest * len(places)), ALAMBRE)
    for process in waiting:
        process.stop()
    return seconds


def _loop(here: Host, places: list[_Place], instituto: Instituto) -> list[float]:
    """Seconds until the script has brought and checked it at each, one after another."""
    archive = instituto.paquetes[-1]
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    start, seconds = time.time(), []
    for place in places:
        server = place.server
        known = server.anfitriones.with_name("conocidos")
        ssh = f"ssh -p {server.puerto} -i {server.llave} -o UserKnownHostsFile={known} -o BatchMode=yes"
        target = f"{server.usuario}@{place.host.ip}:{place.loop}/"
        _run(*here.orden(["rsync", "-a", "-e", ssh, f"{instituto.folder / 'repositorio'}/", target]))
        there = place.loop / archive.relative_to(instituto.folder / "repositorio")
        check = f'echo "{digest}  {there}" | sha256sum -c --quiet'
        _run(*place.host.orden(["sh", "-c", check]))
        seconds.append(time.time() - start)
        shutil.rmtree(place.loop)
    return seconds


def _deliver(here: Host, instituto: Instituto) -> None:
    _run(*here.orden(pregon("instituto", "entrega", str(instituto.folder), "--json")))


def _until(place: _Place, word: str) -> str:
    """What the waiting process printed after ``word``."""
    output = place.entrada.with_name("verificado.txt")
    end = time.monotonic() + _LIMIT_S
    while time.monotonic() < end:
        for line in output.read_text(encoding="utf-8").splitlines():
            if line.startswith(word):
                return line.removeprefix(word).strip()
        time.sleep(0.05)
    raise SystemExit(f"{place.name}: no dijo «{word}»:\n{output.read_text(encoding='utf-8')}")


def _sent(here: Host) -> int:
    """Bytes that the institute's machine has put on all its cables."""
    done = subprocess.run(here.orden(["ip", "-j", "-s", "link"]), check=True, capture_output=True)
    return sum(link["stats64"]["tx"]["bytes"] for link in json.loads(done.stdout) if link["ifname"].startswith("c-"))


def _p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, check=False, capture_output=True, timeout=_LIMIT_S, env=entorno())
    if done.returncode != 0:
        raise SystemExit(f"{command}: {done.stdout.decode()}{done.stderr.decode()}")
