"""What every carrier that pushes does, and what it is told to push: the one narrow seam of this room.

A carrier maps the errors of its library at its own border: ``RedError`` (the link or the other machine: trying again
may help), ``DestinoError`` (they answer and do not take it: full disk, wrong credentials or host key, no permission).
Retries, limits and the order of many destinations are around it, never inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from pregon.transport.caudal import Caudal

PART = ".part"
"""Suffix of a file that a sender is still writing; nobody reads it."""


@dataclass(frozen=True)
class Envio:
    """Files of a repository to push, by path relative to it, step by step.

    Every file of a step is whole at the other side, under its final name, before the next step begins: targets,
    metadata, ``metadata/timestamp.json`` (design §2). A reader that sees the new timestamp finds all that it names.
    """

    repositorio: Path
    pasos: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Entregado:
    """What one delivery did: files that travelled, and bytes of their contents that this delivery put on the link."""

    archivos: int
    bytes: int


class Destination(Protocol):
    """One place of one node of a difusor into which we push. One delivery at a time for each object.

    Two deliveries at once by different processes are harmless: what is visible under a final name is always whole.
    """

    def deliver(self, envio: Envio, caudal: Caudal) -> Entregado:
        """Push what is missing or changed there; called again after a failure it resumes where the carrier can.

        What is there already is not sent again. Removes only what an earlier delivery of ours left half done.

        Raises:
            RedError: the link or the other machine failed, or made no progress for too long; nothing is half visible.
            DestinoError: they do not take it; same.
        """


class AcuseBox(Protocol):
    """Where a difusor leaves its signed acuses for the institute to collect."""

    def collect(self, known: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of each acuse there that is not in ``known``, in order of name. Nothing there is changed.

        Names are plain (``000001-0001-recibido.json``); anything else there, and files over 64 KiB, are left out.

        Raises:
            RedError, DestinoError: as ``Destination.deliver``.
        """
