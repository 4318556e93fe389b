"""A difusor at the other end of a link for each carrier, with the server that people run for it.

The servers are those of the tests, which listen on loopback: the kernel hands them what comes to their machine's own
address (``abre``).
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.red.servidores.nginx import Autoridad, Nginx, Sitio
from tests.red.servidores.rsyncd import Modulo, Rsyncd
from tests.red.servidores.s3 import DEPOSITO, ESCRIBE, LEE, Seaweed
from tests.red.servidores.sshd import HOST, Sshd

from pregon.base.clock import SimulatedClock
from pregon.base.durable import Disk
from pregon.difusor.inicia import create as create_difusor
from pregon.instituto.workspace import RAIZ as ROOT_FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from tests.red.mundo import Host

    from pregon.base.procesos import Process

SONDEO_S = 1.0
"""How often a difusor that reads asks; what is pushed into a folder is seen at once."""
LIMITE_S = 900.0
"""Nothing measured here takes longer."""


@dataclass(frozen=True)
class Puesto:
    """One difusor: its workspace, and the table of ``instituto.toml`` by which cuts reach it or what it reads."""

    nombre: str
    difusor: Path
    destino: str
    maquina: Host

    def recibe(self) -> Process:
        """Start what receives there; it ends with the world."""
        return self.maquina.corre(pregon("difusor", "recibe", str(self.difusor)), environment=entorno())

    def espera(self, corte: int, evento: str = "verificado", limite_s: float = LIMITE_S) -> float:
        """When that happened to that cut, by the difusor's own acuse: the machine's time, in seconds since 1970.

        Raises:
            SystemExit: it did not happen within ``limite_s``.
        """
        clock = json.loads(reloj(self.difusor).read_bytes())
        end = time.monotonic() + limite_s
        while time.monotonic() < end:
            found = list((self.difusor / "acuses").glob(f"*-{corte:04d}-{evento}.json"))
            if found:
                signed = json.loads(base64.b64decode(json.loads(found[0].read_bytes())["payload"]))
                passed = datetime.fromisoformat(signed["hora"]) - datetime.fromisoformat(clock["origen"])
                return (datetime.fromisoformat(clock["origen_real"]) + passed).timestamp()
            time.sleep(0.02)
        raise SystemExit(f"{self.nombre}: el corte {corte} no llegó a «{evento}» en {limite_s:g} s")


@dataclass(frozen=True)
class Lugar:
    """Where everything is: the institute's workspace, its machine and the difusores', and a folder for this measure."""

    folder: Path
    instituto: Path
    perfil: Path
    hora: datetime
    aqui: Host
    alla: Host
    stack: ExitStack

    def difusor(self, nombre: str, origen: str, *, acceso: str = "") -> Path:
        """A new difusor of the ambiente «simulacro», past the hour of the last cut: what it accepts is public."""
        folder = self.folder / nombre
        folder.parent.mkdir(parents=True, exist_ok=True)
        clock = self.pon_hora(nombre, self.hora)
        pace = "" if origen == "entrada" else f"sondeo_s = {SONDEO_S}\n"
        toml = (
            f'convocatoria = "{self.perfil}"\nambiente = "simulacro"\nid = "{nombre}"\norigen = "{origen}"\n'
            f'{pace}[reloj]\nfuente = "simulado"\nsimulado = "{clock}"\n{acceso}'
        )
        create_difusor(folder, toml, root=(self.instituto / ROOT_FILE).read_bytes(), disk=Disk())
        return folder

    def pon_hora(self, nombre: str, hora: datetime) -> Path:
        """The difusor's clock says from now on that it is one minute past ``hora``. The clock's file."""
        clock = reloj(self.folder / nombre)
        new = clock.with_suffix(".nuevo")
        new.write_bytes(SimulatedClock.start(hora + timedelta(minutes=1), 1).dump())
        return new.replace(clock)


def sftp(lugar: Lugar) -> Puesto:
    """OpenSSH's internal-sftp."""
    return _ssh(lugar, "sftp", "sftp", lambda entrada: "restrict {publica}")


def scp(lugar: Lugar) -> Puesto:
    """The forced ``scp -r -d -t`` of a restricted account (GRO-2.1a)."""
    return _ssh(lugar, "scp", "scp", lambda entrada: f'restrict,command="scp -r -d -t {entrada}" {{publica}}', ruta="")


def rsync_ssh(lugar: Lugar) -> Puesto:
    """rsync over SSH, confined by rrsync."""
    return _ssh(
        lugar,
        "rsync-ssh",
        "rsync+ssh",
        lambda entrada: f'restrict,command="rrsync -wo -munge -no-del -no-lock {entrada}" {{publica}}',
        ruta="",
    )


def _ssh(lugar: Lugar, nombre: str, esquema: str, llave: Callable[[Path], str], ruta: str | None = None) -> Puesto:
    difusor = lugar.difusor(nombre, "entrada")
    entrada = difusor / "entrada"
    with lugar.alla.dentro():
        server = lugar.stack.enter_context(Sshd(lugar.folder / f"sshd-{nombre}", autorizadas=[llave(entrada)]))
    path = str(entrada) if ruta is None else ruta
    return Puesto(nombre, difusor, tabla_ssh(nombre, server, lugar.alla, esquema, path), lugar.alla)


def tabla_ssh(nombre: str, server: Sshd, maquina: Host, esquema: str, ruta: str) -> str:
    """The institute's table of a difusor whose machine runs that server."""
    known = server.anfitriones.with_name("conocidos")
    known.write_text(server.anfitriones.read_text(encoding="utf-8").replace(HOST, maquina.ip), encoding="utf-8")
    return (
        f'[[destino]]\ndifusor = "{nombre}"\n'
        f'url = "{esquema}://{server.usuario}@{maquina.ip}:{server.puerto}{ruta or "/"}"\n'
        f'llave = "{server.llave}"\nanfitriones = "{known}"\ncadena_sin_acuse = true\n'
    )


def rsyncd(lugar: Lugar) -> Puesto:
    """The daemon of rsync, write only (DGO-II-net-c3)."""
    difusor = lugar.difusor("rsyncd", "entrada")
    with lugar.alla.dentro():
        server = lugar.stack.enter_context(Rsyncd(lugar.folder / "demonio", Modulo("entrada", difusor / "entrada")))
    secret = lugar.folder / "clave-rsync"
    secret.write_text(f"{server.clave}\n", encoding="utf-8")
    secret.chmod(0o600)
    return Puesto(
        "rsyncd",
        difusor,
        f'[[destino]]\ndifusor = "rsyncd"\n'
        f'url = "rsync://{server.usuario}@{lugar.alla.ip}:{server.puerto}/entrada"\nsecreto = "archivo:{secret}"\n'
        "cadena_sin_acuse = true\n",
        lugar.alla,
    )


def https(lugar: Lugar) -> Puesto:
    """The institute copies to the folder of its own nginx; the difusor reads it over TLS (INE-II-a)."""
    public = lugar.folder / "publica"
    public.mkdir()
    authority = Autoridad(lugar.folder / "ca")
    site = Sitio(authority.firma("instituto", lugar.aqui.ip))
    with lugar.aqui.dentro():
        server = lugar.stack.enter_context(Nginx(lugar.folder / "nginx", public, {"todo": site}))
    origen = server.url("todo").replace(HOST, lugar.aqui.ip)
    difusor = lugar.difusor("https", origen, acceso=f'[acceso]\nca = "{authority.ca}"\n')
    return Puesto("https", difusor, f'[[destino]]\ndifusor = "https"\nurl = "{public}"\ntodo = true\n', lugar.alla)


def s3(lugar: Lugar) -> Puesto:
    """The institute writes in an S3 store beside it; the difusor reads it over the link."""
    with lugar.aqui.dentro():
        server = lugar.stack.enter_context(Seaweed(lugar.folder / "s3"))
    os.environ.update(server.entorno)
    extremo = f'extremo = "{server.extremo.replace(HOST, lugar.aqui.ip)}"\n'
    acceso = f'[acceso]\n{extremo}clave_acceso = "{LEE[0]}"\nsecreto = "env:S3_LEE"\n'
    difusor = lugar.difusor("s3", f"s3://{DEPOSITO}/prep", acceso=acceso)
    keys = f'clave_acceso = "{ESCRIBE[0]}"\nsecreto = "env:S3_ESCRIBE"\n'
    return Puesto(
        "s3", difusor, f'[[destino]]\ndifusor = "s3"\nurl = "s3://{DEPOSITO}/prep"\n{extremo}{keys}', lugar.alla
    )


PORTADORES = {"sftp": sftp, "scp": scp, "rsync-ssh": rsync_ssh, "rsyncd": rsyncd, "https": https, "s3": s3}


def pregon(*arguments: str) -> list[str]:
    """The command line of the program that is measured."""
    return [sys.executable, "-m", "pregon", *arguments]


def entorno() -> dict[str, str]:
    """The environment of the programs that are measured."""
    return dict(os.environ)


def reloj(difusor: Path) -> Path:
    """The file of the simulated clock of a difusor, which runs as fast as the world."""
    return difusor.with_name(f"{difusor.name}.reloj.json")


def abre(maquina: Host) -> None:
    """From now on what comes to the machine's own address reaches the servers of its loopback."""
    chains = (
        f" chain {hook} {{\n  type nat hook {hook} priority -100;\n  ip daddr {maquina.ip} dnat to {HOST}\n }}\n"
        for hook in ("prerouting", "output")
    )
    rules = f"table ip puerta {{\n{''.join(chains)}}}\n"
    subprocess.run(maquina.orden(["sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1"]), check=True)
    subprocess.run(maquina.orden(["nft", "-f", "-"]), input=rules.encode(), check=True)
