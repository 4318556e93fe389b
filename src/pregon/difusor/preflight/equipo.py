"""The machine as the kernel and the distribution tell it: cores, memory, system, disks, cards; physical or virtual.

Everything is read below a root, so that the tree of another machine can be read as if it were this one. What a machine
does not tell is None: nothing is guessed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

RAIZ = Path("/")

_HYPERVISORS = (
    ("QEMU", "QEMU/KVM"),
    ("KVM", "QEMU/KVM"),
    ("VMware", "VMware"),
    ("VirtualBox", "VirtualBox"),
    ("innotek", "VirtualBox"),
    ("Xen", "Xen"),
    ("Amazon EC2", "Amazon EC2"),
    ("Google", "Google Compute Engine"),
    ("Bochs", "Bochs"),
    ("Parallels", "Parallels"),
    ("DigitalOcean", "DigitalOcean"),
    ("OpenStack", "OpenStack"),
    ("Virtual Machine", "Hyper-V"),
)
"""What DMI says of a virtual machine, and how people call it. Of Amazon's, those of bare metal say so in their type."""
_METAL = re.compile(r"\.metal")
_VIRTUAL_CARDS = re.compile(r"^(lo|docker|veth|br-|virbr|tun|tap|wg|dummy|sit|ip6tnl|cni|flannel)")


@dataclass(frozen=True)
class Sistema:
    """The distribution: ``id`` and ``version`` as ``os-release`` has them, ``nombre`` for people."""

    id: str
    version: str
    nombre: str


@dataclass(frozen=True)
class Tarjeta:
    """A network card, or several joined. ``mbps``: of its link; ``juntas``: the cards of a bond, and their ``modo``."""

    nombre: str
    activa: bool
    mbps: int | None
    juntas: tuple[str, ...] = ()
    modo: str | None = None


@dataclass(frozen=True)
class Equipo:
    """One machine. ``memoria``: bytes; ``virtual``: what it runs on, None where nothing says that it is virtual;
    ``contenedor``: whether this is a container; ``giratorio``: whether the disk of ``de`` turns."""

    nucleos: int
    ghz: float | None
    memoria: int
    sistema: Sistema | None
    virtual: str | None
    contenedor: bool
    giratorio: bool | None
    tarjetas: tuple[Tarjeta, ...]
    modelo: str | None = None


def leer(de: Path, *, raiz: Path = RAIZ) -> Equipo:
    """Read the machine below ``raiz``; ``de``: a path of this machine whose disk is asked about.

    What the kernel gives this process counts, not what the box has: a container's share of cores and memory.
    """
    cpus = list(_processors(raiz))
    return Equipo(
        nucleos=_cores(raiz, cpus),
        ghz=_ghz(raiz, cpus),
        memoria=_memory(raiz),
        sistema=_system(raiz),
        virtual=_virtual(raiz, cpus),
        contenedor=_container(raiz),
        giratorio=_rotational(raiz, de),
        tarjetas=tuple(_cards(raiz)),
        modelo=next((cpu["model name"] for cpu in cpus if "model name" in cpu), None),
    )


def _text(path: Path) -> str | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8").strip()
    return None


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]+", text) else None


def _processors(raiz: Path) -> Iterator[dict[str, str]]:
    for block in (_text(raiz / "proc/cpuinfo") or "").split("\n\n"):
        pairs = (line.partition(":") for line in block.splitlines())
        found = {key.strip(): value.strip() for key, _, value in pairs}
        if "processor" in found:
            yield found


def _cores(raiz: Path, cpus: list[dict[str, str]]) -> int:
    """Cores, not their threads; of a container, no more than its quota."""
    pairs = {(cpu["physical id"], cpu["core id"]) for cpu in cpus if "physical id" in cpu and "core id" in cpu}
    there = len(pairs) or len(cpus)
    if raiz == RAIZ:
        there = min(there, len(os.sched_getaffinity(0))) or os.cpu_count() or 1
    quota = re.fullmatch(r"([0-9]+) ([0-9]+)", _text(raiz / "sys/fs/cgroup/cpu.max") or "")
    if quota is not None and int(quota[2]):
        there = min(there, max(1, int(quota[1]) // int(quota[2])))
    return there


def _ghz(raiz: Path, cpus: list[dict[str, str]]) -> float | None:
    """The most that its slowest core may run at; what its name says; else what it runs at now."""
    most = [
        value
        for folder in sorted((raiz / "sys/devices/system/cpu").glob("cpu[0-9]*"))
        if (value := _number(folder / "cpufreq/cpuinfo_max_freq")) is not None
    ]
    if most:
        return min(most) / 1e6
    named = [float(found[1]) for cpu in cpus if (found := re.search(r"@ ([0-9.]+)GHz", cpu.get("model name", "")))]
    if named:
        return min(named)
    now = [float(cpu["cpu MHz"]) for cpu in cpus if re.fullmatch(r"[0-9]+(\.[0-9]+)?", cpu.get("cpu MHz", ""))]
    return max(now) / 1000 if now else None


def _memory(raiz: Path) -> int:
    found = re.search(r"^MemTotal:\s+([0-9]+) kB$", _text(raiz / "proc/meminfo") or "", re.MULTILINE)
    total = int(found[1]) * 1024 if found else 0
    limit = _number(raiz / "sys/fs/cgroup/memory.max")
    return total if limit is None else min(total, limit)


def _system(raiz: Path) -> Sistema | None:
    text = _text(raiz / "etc/os-release") or _text(raiz / "usr/lib/os-release")
    if text is None:
        return None
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            with contextlib.suppress(ValueError):  # quotes that do not close
                values[key.strip()] = " ".join(shlex.split(value))
    name = values.get("PRETTY_NAME") or values.get("NAME") or values.get("ID", "")
    return Sistema(values.get("ID", "").lower(), values.get("VERSION_ID", ""), name)


def _virtual(raiz: Path, cpus: list[dict[str, str]]) -> str | None:
    dmi = raiz / "sys/class/dmi/id"
    told = " ".join(_text(dmi / name) or "" for name in ("sys_vendor", "product_name", "board_vendor", "bios_vendor"))
    if _METAL.search(told):
        return None
    kind = _text(raiz / "sys/hypervisor/type")
    if kind:
        return kind.capitalize()
    for mark, name in _HYPERVISORS:
        if mark in told:
            return name
    if any("hypervisor" in cpu.get("flags", "").split() for cpu in cpus):
        return "un hipervisor que no dice su nombre"
    return None


def _container(raiz: Path) -> bool:
    return any((raiz / name).exists() for name in (".dockerenv", "run/.containerenv", "run/systemd/container"))


def _rotational(raiz: Path, de: Path) -> bool | None:
    """Of the disk that holds ``de``; of one made of several, whether any of them turns."""
    try:
        device = de.stat().st_dev
    except OSError:
        return None
    node = raiz / f"sys/dev/block/{os.major(device)}:{os.minor(device)}"
    told = [_number(one) for one in _queues(node, depth=4)]
    known = [value for value in told if value is not None]
    return any(known) if known else None


def _queues(node: Path, *, depth: int) -> Iterator[Path]:
    """Where the kernel says whether it turns: below the disk, which is above a partition; or in its parts."""
    if depth == 0 or not node.exists():
        return
    parts = sorted((node / "slaves").glob("*")) if (node / "slaves").is_dir() else []
    if parts:
        for part in parts:
            yield from _queues(part.resolve(), depth=depth - 1)
    elif (node / "queue/rotational").exists():
        yield node / "queue/rotational"
    else:
        yield node.resolve().parent / "queue/rotational"


def _cards(raiz: Path) -> Iterator[Tarjeta]:
    for folder in sorted((raiz / "sys/class/net").glob("*")):
        bond = _text(folder / "bonding/slaves")
        if _VIRTUAL_CARDS.match(folder.name) or (folder / "master").exists():
            continue
        if bond is None and not (folder / "device").exists():
            continue
        speed = _number(folder / "speed")
        mode = (_text(folder / "bonding/mode") or "").split(" ")[0] or None
        yield Tarjeta(
            folder.name,
            _text(folder / "operstate") == "up",
            speed if speed is not None and speed > 0 else None,
            tuple((bond or "").split()),
            mode,
        )
