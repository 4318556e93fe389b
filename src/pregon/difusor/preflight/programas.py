"""The programs that a call asks for, each asked for its version, against what the call says.

GRO-2.3b GRO-2.3c GRO-2.3d GRO-2.3e DGO-II-c DGO-II-d MOR-A1-1.2 MOR-A1-1.3 MEX-II-1b MEX-II-1c. What asks is apart
from what compares. A clock client and a syslog are services, not versions: ``preflight.hora`` looks at them.
"""

from __future__ import annotations

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.procesos import capture
from pregon.convocatoria.comprobacion import Comprobacion, clausula_de

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pregon.convocatoria.comprobacion import Estado
    from pregon.convocatoria.model import Convocatoria

ORDEN_S = 3.0
"""For each program: one that does not tell its version in that time does not work."""
A_LA_VEZ = 4
_TAMBIEN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Servers live there, and the path of an ordinary account leaves them out."""


@dataclass(frozen=True)
class Programa:
    """How one is asked. ``ordenes``: the first that is installed answers; ``version``: how its answer tells it."""

    codigo: str
    nombre: str
    ordenes: tuple[tuple[str, ...], ...]
    version: str
    arreglo: str


PROGRAMAS = (
    Programa(
        "SOFTWARE_APACHE",
        "Apache",
        (("apache2", "-v"), ("httpd", "-v")),
        r"Apache/([0-9][0-9.]*)",
        "Instale Apache 2.4 («apt install apache2», «dnf install httpd mod_ssl»).",
    ),
    Programa(
        "SOFTWARE_OPENSSH",
        "OpenSSH",
        (("sshd", "-V"),),
        r"OpenSSH_([0-9][0-9.]*)",
        "Instale el servidor OpenSSH («apt install openssh-server», «dnf install openssh-server»).",
    ),
    Programa(
        "SOFTWARE_7Z",
        "7z",
        (("7z", "i"), ("7zz", "i"), ("7za", "i")),
        r"7-Zip .*?([0-9]+\.[0-9]+)",
        "Instale 7z («apt install 7zip», «dnf install p7zip p7zip-plugins»).",
    ),
    Programa(
        "SOFTWARE_PYTHON",
        "Python",
        (("python3.8", "--version"), ("python3", "--version")),
        r"Python ([0-9][0-9.]*)",
        "Instale Python 3.8, además del que usa Pregón.",
    ),
    Programa(
        "SOFTWARE_DOCKER",
        "Docker",
        (("docker", "--version"), ("podman", "--version")),
        r"(?:Docker|podman) version ([0-9][0-9.]*)",
        "Instale Docker, u ofrezca al instituto una instancia completa y dedicada.",
    ),
    Programa(
        "SOFTWARE_RSYNC",
        "rsync",
        (("rsync", "--version"),),
        r"rsync +version v?([0-9][0-9.]*)",
        "Instale rsync («apt install rsync», «dnf install rsync»).",
    ),
)
_LLAMADOS = {
    "apache": "SOFTWARE_APACHE",
    "openssh": "SOFTWARE_OPENSSH",
    "ssh": "SOFTWARE_OPENSSH",
    "7z": "SOFTWARE_7Z",
    "python": "SOFTWARE_PYTHON",
    "docker": "SOFTWARE_DOCKER",
}
"""The first word of what a profile lists, and the check that answers it."""
_PROTOCOLO_2 = (7, 6)
"""From that version on, OpenSSH speaks protocol 2 alone (its release notes)."""


def lee(path: str | None = None) -> dict[str, str | None]:
    """Code to the version of each program of ``PROGRAMAS``; "" where it does not tell; None where it is not there.

    ``path``: where they are looked for, as ``PATH`` says it; None: this process's, and where servers are.
    """
    folders = os.pathsep.join((os.environ.get("PATH", ""), *_TAMBIEN)) if path is None else path
    with ThreadPoolExecutor(A_LA_VEZ) as pool:
        return dict(pool.map(lambda one: (one.codigo, _version(one, folders)), PROGRAMAS))


def _version(program: Programa, folders: str) -> str | None:
    told: str | None = None
    for name, *rest in program.ordenes:
        file = shutil.which(name, path=folders)
        if file is None:
            continue
        found = re.search(program.version, capture([file, *rest], timeout=ORDEN_S, todo=True) or "")
        if found is not None:
            return found[1].rstrip(".")
        told = ""
    return told


def compara(
    convocatoria: Convocatoria, versiones: Mapping[str, str | None], *, contenedor: bool = False
) -> list[Comprobacion]:
    """One check for each program that the profile asks for. ``contenedor``: we run inside one, and do not see the host.

    A version older than the one asked for falls short. A newer one is told: the institute says whether it serves.
    """
    asked = list(_asked(convocatoria))
    return [
        _check(convocatoria, program, text, versiones.get(program.codigo), contenedor=contenedor)
        for program in PROGRAMAS
        for code, text in asked
        if program.codigo == code
    ]


def _asked(call: Convocatoria) -> Iterator[tuple[str, str]]:
    for text in call.minimos.software:
        code = _LLAMADOS.get(re.split(r"[ /]", text.casefold())[0])
        if code is not None:
            yield code, text
    if call.docker == "requerido" and not any("docker" in text.casefold() for text in call.minimos.software):
        yield "SOFTWARE_DOCKER", "Docker"
    if call.transporte.protocolo == "rsync":
        yield "SOFTWARE_RSYNC", "rsync"


def _check(call: Convocatoria, program: Programa, asked: str, version: str | None, *, contenedor: bool) -> Comprobacion:
    state, told, mend = _verdict(program, asked, version)
    if version is None and contenedor:
        if program.codigo == "SOFTWARE_DOCKER":
            state, told, mend = "bien", "este difusor ya corre en un contenedor", ""
        else:
            state, mend = "aviso", "Desde el contenedor no se ve el equipo: revise ahí, o pase esta orden ahí."
    elif version is None and program.codigo == "SOFTWARE_DOCKER":
        state = "aviso"  # The calls that ask for it admit a dedicated instance instead (DGO-II-c, MOR-A1-1.2).
    return Comprobacion(
        program.codigo,
        clausula_de(call.id, program.codigo),
        f"Está instalado {program.nombre}",
        told,
        asked,
        state,
        None if state == "bien" else mend,
    )


def _verdict(program: Programa, asked: str, version: str | None) -> tuple[Estado, str, str]:
    if version is None:
        return "falla", "no está instalado", program.arreglo
    if not version:
        return "falla", "está, y no dice su versión", f"Revise por qué no responde. {program.arreglo}"
    told = f"{program.nombre} {version}"
    have = _numbers(version)
    if re.match(r"ssh 2", asked, re.IGNORECASE):  # the protocol, not the program
        if have >= _PROTOCOLO_2:
            return "bien", f"{told}, que sólo habla el protocolo 2", ""
        return (
            "aviso",
            told,
            "Esa versión aún admite el protocolo 1: escriba «Protocol 2» en sshd_config, o actualícela.",
        )
    wanted = re.search(r" ([0-9]+(?:\.[0-9]+)*)(?:\.x)?( o superior)?$", asked)
    if wanted is None:
        return "bien", told, ""
    least = _numbers(wanted[1])
    if have[: len(least)] == least or (wanted[2] and have > least):
        return "bien", told, ""
    if have < least:
        return "falla", told, f"Actualícelo. {program.arreglo}"
    return "aviso", told, "Es más nueva que la que se pide: avise al instituto, o instale también la pedida."


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part)
