"""The trees that a kernel shows of a machine, written as files: what the preflight reads of another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Maquina:
    """What a machine has. The one that meets every minimum of every call, unless told otherwise."""

    sockets: int = 2
    cores: int = 8
    hilos: int = 2
    khz: int | None = 2_600_000
    nombre: str = "Intel(R) Xeon(R) Gold 6126"
    memoria_kib: int = 33_554_432 - 1_300_000
    os_release: str = 'ID="centos"\nVERSION_ID="8"\nPRETTY_NAME="CentOS Linux 8"\n'
    fabricante: str = "Dell Inc."
    producto: str = "PowerEdge R740"
    hipervisor: bool = False
    contenedor: bool = False
    bond: bool = True
    mbps: int = 1000
    cuota: str | None = None


def escribe(raiz: Path, machine: Maquina) -> Path:
    """Write its ``/proc``, ``/sys`` and ``/etc`` below ``raiz``."""
    files: dict[str, str] = {}
    blocks = []
    flags = "fpu sse2" + (" hypervisor" if machine.hipervisor else "")
    number = 0
    for socket in range(machine.sockets):
        for core in range(machine.cores):
            for _ in range(machine.hilos):
                blocks.append(
                    f"processor\t: {number}\nmodel name\t: {machine.nombre}\ncpu MHz\t\t: 1200.000\n"
                    f"physical id\t: {socket}\ncore id\t\t: {core}\nflags\t\t: {flags}\n"
                )
                if machine.khz is not None:
                    files[f"sys/devices/system/cpu/cpu{number}/cpufreq/cpuinfo_max_freq"] = f"{machine.khz}\n"
                number += 1
    files["proc/cpuinfo"] = "\n".join(blocks)
    files["proc/meminfo"] = f"MemTotal:       {machine.memoria_kib} kB\nMemFree:         1 kB\n"
    files["etc/os-release"] = machine.os_release
    files["sys/class/dmi/id/sys_vendor"] = machine.fabricante + "\n"
    files["sys/class/dmi/id/product_name"] = machine.producto + "\n"
    if machine.contenedor:
        files[".dockerenv"] = ""
    if machine.cuota is not None:
        files["sys/fs/cgroup/cpu.max"] = machine.cuota
    for name in ("eno1", "eno2"):
        files[f"sys/class/net/{name}/operstate"] = "up\n"
        files[f"sys/class/net/{name}/speed"] = f"{machine.mbps}\n"
        files[f"sys/class/net/{name}/device/vendor"] = "0x8086\n"
        if machine.bond:
            files[f"sys/class/net/{name}/master/ifindex"] = "4\n"
    if machine.bond:
        files["sys/class/net/bond0/operstate"] = "up\n"
        files["sys/class/net/bond0/speed"] = f"{machine.mbps}\n"
        files["sys/class/net/bond0/bonding/slaves"] = "eno1 eno2\n"
        files["sys/class/net/bond0/bonding/mode"] = "active-backup 1\n"
    files["sys/class/net/lo/operstate"] = "unknown\n"
    files["sys/class/net/docker0/operstate"] = "up\n"
    for name, text in files.items():
        path = raiz / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return raiz
