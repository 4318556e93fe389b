"""The machine against the least that a call asks: pure, one check for each minimum that its profile states.

GRO-2.3 GRO-2.4 DGO-II MOR-A1-1 MOR-A1-2 MEX-II-1. A call that states none gets none.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pregon.convocatoria.comprobacion import Comprobacion, clausula_de

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.convocatoria.comprobacion import Estado
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.preflight.equipo import Equipo, Sistema
    from pregon.difusor.preflight.iops import Lectura

GB = 1_000_000_000
"""As the texts use it."""
MEMORIA_DEL_SISTEMA = 0.06
"""Part of the memory that a kernel keeps for itself and does not tell: 32 GB sold show some 30.3 of them."""
GHZ_ESCRITOS = 0.005
"""A processor of 2.40 GHz may run at 2.399."""
_DISPENSA = "Si no puede cambiarlo, declare lo que tiene: «pregon difusor dispensa» anota lo que decida el instituto."
_ID = {
    "ubuntu": "ubuntu",
    "centos": "centos",
    "rhel": "red hat",
    "redhat": "red hat",
    "fedora": "fedora",
    "debian": "debian",
    "rocky": "rocky",
    "almalinux": "almalinux",
}
"""What ``os-release`` calls a distribution, and what the texts call it."""


def compara(convocatoria: Convocatoria, equipo: Equipo, *, libre: int, lectura: Lectura | None) -> list[Comprobacion]:
    """Every minimum of the profile that this machine can answer.

    ``libre``: bytes free where the workspace is. ``lectura``: random reads of that disk; None: not measured now.
    """
    return [
        *_processor(convocatoria, equipo),
        *_memory(convocatoria, equipo),
        *_disk(convocatoria, equipo, libre, lectura),
        *_system(convocatoria, equipo.sistema),
        *_physical(convocatoria, equipo),
        *_cards(convocatoria, equipo),
    ]


def _check(
    convocatoria: Convocatoria, codigo: str, que: str, medido: str, minimo: str, estado: Estado, arreglo: str
) -> Comprobacion:
    if estado != "bien" and convocatoria.minimos.dispensa:
        arreglo = f"{arreglo} {_DISPENSA}"
    clause = clausula_de(convocatoria.id, codigo)
    return Comprobacion(codigo, clause, que, medido, minimo, estado, None if estado == "bien" else arreglo)


def ofrece_dispensa(convocatoria: Convocatoria, one: Comprobacion) -> Comprobacion:
    """The check with what to do where the institute may waive what a clause asks for (GRO-2.6)."""
    if one.estado == "bien" or one.clausula is None or not convocatoria.minimos.dispensa:
        return one
    return replace(one, arreglo=f"{one.arreglo or ''} {_DISPENSA}".strip())


def _processor(call: Convocatoria, machine: Equipo) -> Iterator[Comprobacion]:
    least = call.minimos
    if least.cores is not None:
        yield _check(
            call,
            "NUCLEOS",
            "El procesador tiene los núcleos que se piden",
            f"{machine.nucleos} núcleos ({machine.modelo or 'el procesador no dice su modelo'})",
            f"{least.cores} núcleos",
            "bien" if machine.nucleos >= least.cores else "falla",
            "Asigne más núcleos a este equipo, o cambie a uno que los tenga.",
        )
    if least.ghz is not None:
        slow = machine.ghz is not None and machine.ghz < least.ghz - GHZ_ESCRITOS
        yield _check(
            call,
            "GHZ",
            "El procesador es tan rápido como se pide",
            "no se puede saber" if machine.ghz is None else f"{machine.ghz:.2f} GHz",
            f"{least.ghz:g} GHz",
            "aviso" if machine.ghz is None else "falla" if slow else "bien",
            "Este equipo no dice su velocidad: anótela de su ficha técnica."
            if machine.ghz is None
            else "Cambie a un procesador más rápido.",
        )


def _memory(call: Convocatoria, machine: Equipo) -> Iterator[Comprobacion]:
    least = call.minimos.ram_gb
    if least is not None:
        yield _check(
            call,
            "MEMORIA",
            "El equipo tiene la memoria que se pide",
            f"{machine.memoria / GB:.1f} GB a la vista del sistema",
            f"{least} GB",
            "bien" if machine.memoria >= least * GB * (1 - MEMORIA_DEL_SISTEMA) else "falla",
            "Agregue memoria a este equipo.",
        )


def _disk(call: Convocatoria, machine: Equipo, free: int, reads: Lectura | None) -> Iterator[Comprobacion]:
    least = call.minimos
    if least.disco_gb is not None:
        yield _check(
            call,
            "DISCO_LIBRE",
            "Donde se publica hay el espacio que se pide",
            f"{free / GB:,.1f} GB libres",
            f"{least.disco_gb} GB libres",
            "bien" if free >= least.disco_gb * GB else "falla",
            "Libere espacio, o pase el espacio de trabajo a un disco mayor.",
        )
    if least.ssd:
        turns = machine.giratorio and machine.virtual is None  # A virtual disk says that it turns, whatever is below.
        unsure = machine.giratorio is None or (machine.giratorio and machine.virtual is not None)
        yield _check(
            call,
            "DISCO_SOLIDO",
            "El disco es de estado sólido",
            "gira" if turns else "un disco virtual no lo dice" if unsure else "de estado sólido",
            "de estado sólido",
            "falla" if turns else "aviso" if unsure else "bien",
            "Pase el espacio de trabajo a un disco de estado sólido."
            if turns
            else "Pregunte a quien administra los discos, y anótelo con «pregon difusor declara».",
        )
    if least.iops is not None:
        found = _check(call, "IOPS", "El disco responde tan seguido como se pide", *_reads(reads, least.iops))
        yield found if reads is not None else replace(found, medida=False)


def _reads(reads: Lectura | None, least: int) -> tuple[str, str, Estado, str]:
    wanted = f"{least} por segundo"
    if reads is None:
        return "no se midió", wanted, "aviso", "Repita la orden sin «--sin-medir»."
    told = f"{reads.por_segundo:,.0f} lecturas al azar de 4 KiB por segundo"
    if not reads.directo:
        return f"{told}, contando la memoria", wanted, "aviso", "Este sistema de archivos no deja medir su disco."
    if reads.por_segundo >= least:
        return told, wanted, "bien", ""
    return told, wanted, "falla", "Pase el espacio de trabajo a un disco más rápido (12 mil vueltas o estado sólido)."


def _system(call: Convocatoria, system: Sistema | None) -> Iterator[Comprobacion]:
    if not call.minimos.so:
        return
    asked = " o ".join(call.minimos.so)
    state: Estado = "falla"
    told = "no se puede saber"
    if system is not None:
        told = system.nombre
        state = max((_matches(system, text) for text in call.minimos.so), key=_BEST.index)
    yield _check(
        call,
        "SISTEMA",
        "El sistema operativo es de los que se piden",
        told,
        asked,
        state,
        "Es de los que se piden, en otra versión: avise al instituto."
        if state == "aviso"
        else "Use uno de los que se piden, o el contenedor de Pregón en uno de ellos.",
    )


_BEST: tuple[Estado, ...] = ("falla", "aviso", "bien")


def _matches(system: Sistema, asked: str) -> Estado:
    """«bien»: that distribution, and that version where one is named; «aviso»: another version of it."""
    words = asked.casefold()
    if _ID.get(system.id, system.id) not in words:
        return "falla"
    version = re.search(r"[0-9]+(\.[0-9]+)?", words)
    if version is None or "recomend" in words:
        return "bien"
    same = system.version == version[0] or system.version.startswith(f"{version[0]}.")
    return "bien" if same else "aviso"


def _physical(call: Convocatoria, machine: Equipo) -> Iterator[Comprobacion]:
    if call.minimos.fisico is None:
        return
    wanted, is_physical = call.minimos.fisico, machine.virtual is None
    told = f"virtual: {machine.virtual}" if machine.virtual else "nada dice que sea virtual"
    if machine.contenedor:
        told += ", dentro de un contenedor"
    yield _check(
        call,
        "FISICO",
        "El servidor es físico" if wanted else "El servidor es virtual",
        told,
        "físico" if wanted else "virtual",
        "bien" if wanted is is_physical else "falla",
        "Use un servidor físico." if wanted else "Use un servidor virtual.",
    )


def _cards(call: Convocatoria, machine: Equipo) -> Iterator[Comprobacion]:
    least = call.minimos
    up = [card for card in machine.tarjetas if card.activa]
    speeds = [card.mbps for card in up if card.mbps is not None]
    if least.red_gbps is not None:
        best = max(speeds, default=None)
        yield _check(
            call,
            "RED_GBPS",
            "La tarjeta de red es tan rápida como se pide",
            "la tarjeta no lo dice" if best is None else f"{best / 1000:g} Gbps",
            f"{least.red_gbps} Gbps",
            "aviso" if best is None else "bien" if best >= least.red_gbps * 1000 else "falla",
            "Anote la velocidad de la ficha de la tarjeta." if best is None else "Use una tarjeta más rápida.",
        )
    if least.red_redundante:
        bonds = [card for card in up if len(card.juntas) > 1]
        told = "; ".join(f"{card.nombre}: {', '.join(card.juntas)} ({card.modo})" for card in bonds)
        yield _check(
            call,
            "RED_REDUNDANTE",
            "Dos tarjetas de red trabajan como una",
            told or f"{len(up)} tarjeta(s), ninguna unida a otra",
            "dos tarjetas unidas (bonding)",
            "bien" if bonds else "falla",
            "Una dos tarjetas (bonding, modo active-backup).",
        )
