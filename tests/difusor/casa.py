"""The institute's accounts on a machine of our own, one for each protocol, and the plain programs as its clients.

Beside the workspaces lies ``/srv/abierta``, which any account of the machine may read and change: what keeps the
institute's away from it is only what ``configura`` printed.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.durable import Disk
from pregon.difusor.inicia import create, settings_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.difusor.maquina import Maquina

CALLS = {"sftp": "mex-2021", "scp": "gro-2021", "rsync": "mor-2024"}
SECRET = "lo que nadie de fuera debe leer"
ACUSE = "000001-0001-recibido.json"
LIMIT_S = 20.0


@dataclass(frozen=True)
class Casa:
    """The machine, where the clients' files are, and what was left open at the start to see whether sshd ends it."""

    maquina: Maquina
    folder: Path
    respuestas: dict[str, Any]
    abiertas: dict[str, subprocess.Popen[bytes]]
    desde: float
    limite: float = LIMIT_S

    def opciones(self, protocolo: str, llave: str, *, programa: str = "ssh") -> list[str]:
        """Options of OpenSSH's programs: our key and host key, nothing of the user's."""
        settings = [
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            f"UserKnownHostsFile={self.folder / 'known_hosts'}",
            "GlobalKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "KexAlgorithms=curve25519-sha256",
        ]
        return [
            programa, "-F", "none", "-i", str(self.folder / f"{protocolo}-{llave}"),
            *(word for setting in settings for word in ("-o", setting)),
        ]  # fmt: skip

    def corre(self, command: Sequence[str | Path], *, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a client to its end."""
        return subprocess.run(
            ["timeout", str(self.limite), *self.maquina.junto(command)],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=2 * LIMIT_S,
            check=False,
            cwd=self.folder,
        )

    def ssh(
        self, protocolo: str, llave: str, *words: str, text: bytes = b"", antes: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        """``ssh`` as the institute."""
        return self.corre([*self.opciones(protocolo, llave), *antes, f"prep-{protocolo}@127.0.0.1", *words], text=text)

    def sftp(self, batch: str) -> subprocess.CompletedProcess[bytes]:
        """``sftp`` with one order each line; the first failure without «-» ends it."""
        return self.corre(
            [*self.opciones("sftp", "entrega", programa="sftp"), "-b", "-", "prep-sftp@127.0.0.1"], text=batch.encode()
        )

    def scp(self, protocolo: str, llave: str, *words: str) -> subprocess.CompletedProcess[bytes]:
        """``scp``."""
        return self.corre([*self.opciones(protocolo, llave, programa="scp"), *words])

    def rsync(self, llave: str, *words: str, protocolo: str = "rsync") -> subprocess.CompletedProcess[bytes]:
        """``rsync`` over that ``ssh``."""
        return self.corre(["rsync", "-e", " ".join(self.opciones(protocolo, llave)), *words])

    def fuera(self) -> dict[str, str]:
        """Everything of the machine but the three ``entrada/``, where the institute may write."""
        inside = [f"/srv/{kind}/entrada" for kind in CALLS] + [f"/srv/prep-{kind}/entrada" for kind in CALLS]
        return self.maquina.huella("/srv", "/etc", sin=inside)

    @contextlib.contextmanager
    def nada_cambia(self) -> Iterator[None]:
        """What is done within changes nothing outside ``entrada/``."""
        before = self.fuera()
        yield
        assert self.fuera() == before


def deja_abierta(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a client that stays; whoever starts it ends it."""
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def prepara(machine: Maquina, folder: Path, calls: Mapping[str, str]) -> None:
    """A workspace for each protocol in ``/srv``, the institute's keys and a repository in ``folder``."""
    for kind, call in calls.items():
        text = settings_text(convocatoria=call, ambiente="oficial", ident="diario", origen="entrada")
        create(folder / kind, text, root=b'{"signed": {"_type": "root"}}', disk=Disk())
        (folder / kind / "acuses" / ACUSE).write_text("acuse")
        for purpose in ("entrega", "acuses"):
            name = folder / f"{kind}-{purpose}"
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name], check=True)
    copied = " ".join(str(folder / kind) for kind in calls)
    machine.ejecuta(
        "sh", "-c",
        f"cp -a {copied} /srv; chown -R pregon:pregon /srv/*; install -d -m 1777 /srv/abierta;"
        f"echo '{SECRET}' > /srv/abierta/secreto; chmod 666 /srv/abierta/secreto",
    )  # fmt: skip
    tree = folder / "repositorio" / "targets" / "cortes" / "0001"
    tree.mkdir(parents=True)
    (tree / "corte.zip").write_bytes(b"PK" + bytes(range(256)) * 400)
    (folder / "repositorio" / "metadata").mkdir()
    (folder / "repositorio" / "metadata" / "timestamp.json").write_text("{}")
    (folder / "suelto").write_text("no debe llegar")


_RUN = """
import sys
from pregon.cli.difusor import app
for line in sys.stdin.read().splitlines():
    app(["configura", *line.split()], standalone_mode=False)
    print("\\0")
"""


def configura(machine: Maquina, folder: Path, kinds: Sequence[str]) -> dict[str, Any]:
    """Do what the order says, for each protocol: every printed step but those for systemd, twice over."""
    lines = [
        f"sshd /srv/{kind} --desde 127.0.0.1 --desde ::1 --llave {folder}/{kind}-entrega.pub "
        f"--llave-acuses {folder}/{kind}-acuses.pub --cuenta prep-{kind} --salida /srv/pasos-{kind} --json"
        for kind in kinds
    ]
    printed = machine.ejecuta(sys.executable, "-c", _RUN, text="\n".join(lines)).split("\0\n")
    answers = {kind: json.loads(text) for kind, text in zip(kinds, printed, strict=False)}
    for kind, answer in answers.items():
        steps = "set -eu\n" + "\n".join(step["orden"] for step in answer["pasos"] if not step["servicio"])
        machine.ejecuta("sh", "-c", f"{steps}\n{steps}", folder=f"/srv/pasos-{kind}")
    return answers
