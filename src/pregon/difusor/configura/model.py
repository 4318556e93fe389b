"""What every ``configura`` gives: files and where they go, steps as shell commands, what was granted, warnings.

Nothing here touches the system: an administrator reads the result, then puts it in place. Names and paths become part
of a shell script and of the settings of root's own services, so they are checked here, once, and only plain ones pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any

from pregon.base.errors import UsoError
from pregon.base.unidades import NADA

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.base.unidades import Archivo, Paso

CUENTA = "prep-entrada"
"""The account by which the institute delivers, where the administrator names no other."""

MAX_DIRECCIONES = 32
"""Addresses of one institute: a list as long as this is already a mistake (GRO-2.4e asks for one)."""

MAS_ANCHA = {4: 16, 6: 32}
"""The shortest prefix that still names an institution, by IP version; a wider one is «anybody»."""

PASOS = "pasos.sh"
"""The script with every step, beside the files."""

_CUENTA = re.compile(r"[a-z][a-z0-9-]{0,30}\Z")

Red = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Concesion:
    """Something that a call asks for and what is given instead, with the reason. ``clausula`` as in the profiles."""

    clausula: str
    pide: str
    se_da: str
    motivo: str


@dataclass(frozen=True)
class Configuracion:
    """The whole answer of one ``configura``. ``notas``: equivalents and data for the other side, one text each.

    ``quien``: who runs the steps, as it is said after «como»: root here, or whoever may change the cloud.
    """

    servicio: str
    convocatoria: str
    archivos: tuple[Archivo, ...]
    pasos: tuple[Paso, ...]
    concesiones: tuple[Concesion, ...] = ()
    avisos: tuple[str, ...] = ()
    notas: tuple[str, ...] = ()
    quien: str = "root"

    def as_dict(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            "servicio": self.servicio,
            "convocatoria": self.convocatoria,
            "archivos": [
                {
                    "nombre": archivo.nombre,
                    "destino": archivo.destino,
                    "modo": f"{archivo.modo:04o}",
                    "texto": archivo.texto,
                }
                for archivo in self.archivos
            ],
            "pasos": [{"que": paso.que, "orden": paso.orden, "servicio": paso.servicio} for paso in self.pasos],
            "concesiones": [
                {"clausula": one.clausula, "pide": one.pide, "se_da": one.se_da, "motivo": one.motivo}
                for one in self.concesiones
            ],
            "avisos": list(self.avisos),
            "notas": list(self.notas),
        }

    def script(self, *, con_servicio: bool = True) -> str:
        """The steps as one script of ``sh`` that stops at the first failure; it runs from the folder of the files."""
        lines = [
            "#!/bin/sh",
            f"# pregon difusor configura {self.servicio} ({self.convocatoria}).",
            f"# Se ejecuta como {self.quien}; puede repetirse.",
            "set -eu",
            'cd "$(dirname "$0")"',
        ]
        for number, paso in enumerate((one for one in self.pasos if con_servicio or not one.servicio), start=1):
            lines += ["", f"# {number}. {paso.que}", paso.orden]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path, disk: Disk) -> tuple[Path, ...]:
        """Write the files and the script in ``folder`` (made if it is not there); what has their names is replaced.

        Raises:
            EscrituraError, DiscoError: it cannot be written.
        """
        disk.make_folder(folder)
        written = []
        for archivo in self.archivos:
            written.append(folder / archivo.nombre)
            disk.write(written[-1], archivo.texto.encode(), mode=archivo.modo)
        written.append(folder / PASOS)
        disk.write(written[-1], self.script().encode(), mode=0o755)
        return tuple(written)


def direcciones(words: Sequence[str], *, opcion: str, falta: str) -> tuple[str, ...]:
    """Addresses and networks as the administrator typed them, checked, each once, in canonical form.

    ``opcion`` names the option in the error; ``falta`` says what to do where there is none.

    Raises:
        UsoError: there is none; one is no address; a network names bits of its machines, or is nearly everybody.
    """
    if not words:
        raise UsoError(f"Falta {opcion}.", intacto=NADA, que_hacer=falta)
    found: dict[str, None] = {}
    for word in words:
        found[_escrita(_red(word, opcion))] = None
    if len(found) > MAX_DIRECCIONES:
        raise UsoError(
            f"{opcion} dio {len(found)} direcciones; se admiten {MAX_DIRECCIONES}.",
            intacto=NADA,
            que_hacer="Pida al instituto las direcciones exactas desde las que entrega, o su red.",
        )
    return tuple(found)


def _red(word: str, opcion: str) -> Red:
    try:
        red = ip_network(word)  # Strict: 10.0.0.7/24 is not a network, and nobody knows what was meant.
    except ValueError as exc:
        raise UsoError(
            f"{opcion} «{word}» no es una dirección IP ni una red, como 192.0.2.7, 192.0.2.0/28 o 2001:db8::7.",
            intacto=NADA,
            que_hacer="Escriba la dirección con cifras; en una red, los bits de equipo van en cero.",
        ) from exc
    reason = None
    if "%" in word:
        reason = "lleva el nombre de una interfaz"
    elif red.prefixlen < MAS_ANCHA[red.version]:
        reason = f"abarca demasiado: lo más ancho es /{MAS_ANCHA[red.version]}"
    elif red.is_multicast or red.network_address.is_unspecified:
        reason = "no es la dirección de ningún equipo"
    elif red.version == 6 and red.network_address.ipv4_mapped is not None:
        reason = "es una dirección IPv4 escrita como IPv6"
    if reason is not None:
        raise UsoError(
            f"{opcion} «{word}» no sirve: {reason}.",
            intacto=NADA,
            que_hacer="Escriba la dirección exacta del equipo, o la red de la institución.",
        )
    return red


def _escrita(red: Red) -> str:
    return str(red.network_address) if red.prefixlen == red.max_prefixlen else str(red)


def por_version(addresses: Sequence[str], version: int) -> tuple[str, ...]:
    """Those of ``direcciones`` that are of one IP version (4 or 6)."""
    return tuple(address for address in addresses if ip_network(address).version == version)


def cuenta_valida(name: str, *, difusor: str) -> str:
    """The name of the account by which the institute enters. ``difusor``: the one that runs Pregón here.

    Raises:
        UsoError: it is not a plain name of an account, it is root, or it is the difusor's own.
    """
    problem = None
    if _CUENTA.match(name) is None:
        problem = "lleva algo más que minúsculas, cifras y guiones, o pasa de 31 letras"
    elif name == "root":
        problem = "es root: nadie entrega como root (MOR-A1-1.5)"
    elif name == difusor:
        problem = "es la cuenta con la que corre el difusor: la del instituto debe ser otra"
    if problem is not None:
        raise UsoError(
            f"La cuenta «{name}» no sirve: {problem}.",
            intacto=NADA,
            que_hacer=f"Use otro nombre con --cuenta, por ejemplo {CUENTA}.",
        )
    return name
