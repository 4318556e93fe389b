"""The machine that a kernel tells of, and what falls short of each call: trees of other machines, and this one."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.base.errors import EscrituraError
from pregon.convocatoria.clausulas import clausulas_de
from pregon.convocatoria.perfiles import ids, load
from pregon.difusor.preflight import iops
from pregon.difusor.preflight.equipo import Equipo, Sistema, Tarjeta, leer
from pregon.difusor.preflight.iops import Lectura
from pregon.difusor.preflight.minimos import compara
from tests.difusor.maquinas import Maquina, escribe

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.convocatoria.comprobacion import Comprobacion

RAPIDO = Lectura(12_000.0, directo=True)
LIBRE = 500 * 10**9
UBUNTU = 'ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.5 LTS"\n'
SISTEMA = {
    "gro-2021": Maquina().os_release,
    "dgo-2024": UBUNTU,
    "mor-2024": UBUNTU,
    "mex-2021": UBUNTU,
    "ine-2021": UBUNTU,
}


def cojea(found: list[Comprobacion]) -> dict[str, str]:
    """Code and clause of what falls short."""
    return {one.codigo: one.clausula or "" for one in found if one.estado == "falla"}


def checks(
    tmp_path: Path, call: str, machine: Maquina, *, libre: int = LIBRE, lectura: Lectura | None = RAPIDO
) -> list[Comprobacion]:
    read = leer(tmp_path, raiz=escribe(tmp_path / "raiz", machine))
    return compara(load(call), replace(read, giratorio=False), libre=libre, lectura=lectura)


def test_a_machine_is_read_as_its_kernel_tells_it(tmp_path: Path) -> None:
    read = leer(tmp_path, raiz=escribe(tmp_path / "raiz", Maquina()))
    assert read == Equipo(
        nucleos=16,  # 32 threads
        ghz=2.6,
        memoria=(33_554_432 - 1_300_000) * 1024,
        sistema=Sistema("centos", "8", "CentOS Linux 8"),
        virtual=None,
        contenedor=False,
        giratorio=None,  # the tree has no disks
        tarjetas=(Tarjeta("bond0", activa=True, mbps=1000, juntas=("eno1", "eno2"), modo="active-backup"),),
        modelo="Intel(R) Xeon(R) Gold 6126",
    )


@pytest.mark.parametrize(
    ("change", "ghz"), [({"khz": None, "nombre": "Xeon @ 2.40GHz"}, 2.4), ({"khz": None, "nombre": "EPYC"}, 1.2)]
)
def test_speed_comes_from_the_limit_then_the_name_then_the_moment(
    tmp_path: Path, change: dict[str, object], ghz: float
) -> None:
    assert leer(tmp_path, raiz=escribe(tmp_path / "raiz", replace(Maquina(), **change))).ghz == ghz  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("vendor", "product", "flag", "name"),
    [
        ("QEMU", "Standard PC", True, "QEMU/KVM"),
        ("VMware, Inc.", "VMware7,1", True, "VMware"),
        ("Microsoft Corporation", "Virtual Machine", True, "Hyper-V"),
        ("Amazon EC2", "m5.large", True, "Amazon EC2"),
        ("Amazon EC2", "m5.metal", False, None),
        ("", "", True, "un hipervisor que no dice su nombre"),
        ("HPE", "ProLiant DL380", False, None),
    ],
)
def test_physical_or_virtual(tmp_path: Path, vendor: str, product: str, flag: bool, name: str | None) -> None:  # noqa: FBT001 (a parameter of a table)
    machine = replace(Maquina(), fabricante=vendor, producto=product, hipervisor=flag)
    assert leer(tmp_path, raiz=escribe(tmp_path / "raiz", machine)).virtual == name


def test_a_container_counts_with_its_quota_and_not_with_the_box(tmp_path: Path) -> None:
    machine = replace(Maquina(), contenedor=True, cuota="400000 100000\n")
    read = leer(tmp_path, raiz=escribe(tmp_path / "raiz", machine))
    assert (read.nucleos, read.contenedor) == (4, True)
    assert "NUCLEOS" in cojea(compara(load("gro-2021"), read, libre=LIBRE, lectura=RAPIDO))


def test_a_disk_of_several_turns_if_any_of_them_does(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    node = tmp_path / f"raiz/sys/dev/block/{os.major(device)}:{os.minor(device)}"
    for name, turns in (("sda", 0), ("sdb", 1)):
        queue = tmp_path / f"raiz/sys/block/{name}/queue"
        queue.mkdir(parents=True)
        (queue / "rotational").write_text(f"{turns}\n")
    (node / "slaves").mkdir(parents=True)
    (node / "slaves" / "sda").symlink_to(tmp_path / "raiz/sys/block/sda")
    assert leer(tmp_path, raiz=tmp_path / "raiz").giratorio is False
    (node / "slaves" / "sdb").symlink_to(tmp_path / "raiz/sys/block/sdb")
    assert leer(tmp_path, raiz=tmp_path / "raiz").giratorio is True


@pytest.mark.parametrize("call", ids())
def test_a_machine_that_has_it_all_falls_short_of_nothing(tmp_path: Path, call: str) -> None:
    found = checks(tmp_path, call, replace(Maquina(), os_release=SISTEMA[call]))
    assert [one for one in found if one.estado != "bien"] == []
    known = {way.dato for one in clausulas_de(call) for way in one.como if way.modo == "revision"}
    assert {one.codigo for one in found} <= known
    assert all(one.clausula for one in found)
    assert len(found) == {"gro-2021": 9, "dgo-2024": 6, "mor-2024": 7, "mex-2021": 1, "ine-2021": 1}[call]


CORTOS = [
    ("gro-2021", {"cores": 7}, {"NUCLEOS": "GRO-2.3h"}),
    ("gro-2021", {"khz": 2_300_000}, {"GHZ": "GRO-2.3h"}),
    ("gro-2021", {"memoria_kib": 24 * 1024 * 1024}, {"MEMORIA": "GRO-2.3i"}),
    ("gro-2021", {"os_release": UBUNTU}, {"SISTEMA": "GRO-2.3a"}),
    ("gro-2021", {"hipervisor": True, "fabricante": "QEMU"}, {"FISICO": "GRO-2.3g"}),
    ("gro-2021", {"bond": False}, {"RED_REDUNDANTE": "GRO-2.4a"}),
    ("gro-2021", {"mbps": 100}, {"RED_GBPS": "GRO-2.4a"}),
    ("dgo-2024", {"sockets": 1, "cores": 4}, {"NUCLEOS": "DGO-II-a.a"}),
    ("dgo-2024", {"khz": 1_800_000}, {"GHZ": "DGO-II-a.a"}),
    ("dgo-2024", {"memoria_kib": 8 * 1024 * 1024}, {"MEMORIA": "DGO-II-a.b"}),
    ("dgo-2024", {"os_release": "ID=debian\nVERSION_ID=12\n"}, {"SISTEMA": "DGO-II-b"}),
    ("mor-2024", {"sockets": 1, "cores": 6}, {"NUCLEOS": "MOR-A1-2.2"}),
    ("mor-2024", {"khz": 1_500_000}, {"GHZ": "MOR-A1-2.2"}),
    ("mor-2024", {"memoria_kib": 15_000_000 - 1_000_000}, {"MEMORIA": "MOR-A1-2.3"}),
    ("mor-2024", {"os_release": "ID=arch\n"}, {"SISTEMA": "MOR-A1-1.1"}),
    ("mor-2024", {"hipervisor": True}, {"FISICO": "MOR-A1-2.1"}),
    ("mex-2021", {"os_release": "ID=arch\n"}, {"SISTEMA": "MEX-II-1a"}),
]


@pytest.mark.parametrize(("call", "change", "short"), CORTOS, ids=[f"{c}-{next(iter(s))}" for c, _, s in CORTOS])
def test_below_each_minimum_exactly_that_is_named(
    tmp_path: Path, call: str, change: dict[str, object], short: dict[str, str]
) -> None:
    machine = replace(Maquina(), **{"os_release": SISTEMA[call], **change})  # type: ignore[arg-type]
    found = checks(tmp_path, call, machine)
    assert cojea(found) == short
    [one] = [one for one in found if one.estado == "falla"]
    assert one.arreglo
    assert one.medido != one.minimo
    assert ("dispensa" in one.arreglo) is load(call).minimos.dispensa  # GRO-2.6


@pytest.mark.parametrize(
    ("call", "libre", "lectura", "short"),
    [
        ("gro-2021", 99 * 10**9, RAPIDO, {"DISCO_LIBRE": "GRO-2.3j"}),
        ("gro-2021", LIBRE, Lectura(180.0, directo=True), {"IOPS": "GRO-2.3j"}),
        ("dgo-2024", 10**9, RAPIDO, {"DISCO_LIBRE": "DGO-II-a.c"}),
        ("mor-2024", 10**9, RAPIDO, {"DISCO_LIBRE": "MOR-A1-2.4"}),
    ],
)
def test_a_small_or_slow_disk_is_named(
    tmp_path: Path, call: str, libre: int, lectura: Lectura, short: dict[str, str]
) -> None:
    machine = replace(Maquina(), os_release=SISTEMA[call])
    assert cojea(checks(tmp_path, call, machine, libre=libre, lectura=lectura)) == short


def test_what_the_machine_does_not_tell_is_asked_of_a_person_and_not_guessed(tmp_path: Path) -> None:
    read = leer(tmp_path, raiz=escribe(tmp_path / "raiz", replace(Maquina(), os_release=UBUNTU, hipervisor=True)))
    told = {one.codigo: one for one in compara(load("dgo-2024"), replace(read, ghz=None), libre=LIBRE, lectura=None)}
    assert (told["GHZ"].estado, told["GHZ"].medido) == ("aviso", "no se puede saber")
    assert (told["DISCO_SOLIDO"].estado, told["DISCO_SOLIDO"].clausula) == ("aviso", "DGO-II-a.c")
    physical = {
        one.codigo: one
        for one in compara(load("dgo-2024"), replace(read, giratorio=True, virtual=None), libre=LIBRE, lectura=None)
    }
    assert physical["DISCO_SOLIDO"].estado == "falla"
    slow = {
        one.codigo: one for one in compara(load("gro-2021"), read, libre=LIBRE, lectura=Lectura(9e4, directo=False))
    }
    assert slow["IOPS"].estado == "aviso"


def test_centos_of_another_version_is_told_apart_from_another_system(tmp_path: Path) -> None:
    machine = replace(Maquina(), os_release='ID="centos"\nVERSION_ID="9"\n')
    told = {one.codigo: one for one in checks(tmp_path, "gro-2021", machine)}
    assert (told["SISTEMA"].estado, told["SISTEMA"].clausula) == ("aviso", "GRO-2.3a")


def test_this_machine_is_read_and_its_disk_measured_for_real(tmp_path: Path) -> None:
    read = leer(tmp_path)
    assert read.nucleos <= len(os.sched_getaffinity(0))
    assert read.memoria <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert read.sistema is not None
    measured = iops.mide(tmp_path, clock=SystemClock(), disk=Disk(), segundos=0.3)
    assert measured.por_segundo > 1
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    gone = tmp_path / "no-esta"
    with pytest.raises(EscrituraError):
        iops.mide(gone, clock=SystemClock(), disk=Disk(), segundos=0.1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["dgo-2024", "mor-2024"])
@pytest.mark.parametrize("version", ["20.04", "22.04", "24.04"])
def test_any_stable_ubuntu_is_what_those_texts_ask_for(tmp_path: Path, call: str, version: str) -> None:
    """DGO-II-b, MOR-A1-1.1: «versión estable, recomendada 22.04 LTS»."""
    machine = replace(Maquina(), os_release=f'ID=ubuntu\nVERSION_ID="{version}"\n')
    told = {one.codigo: one for one in checks(tmp_path, call, machine)}
    assert told["SISTEMA"].estado == "bien"
