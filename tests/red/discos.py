"""A disk that loses what was not synced, under a real process whose system calls were recorded.

``Traza`` is what a real process asked of its disk, recorded by strace: every write with its bytes, every name made,
moved or removed, every sync. ``Traza.tras_apagon`` gives the folder as a power cut may have left it after one of those
calls: what was synced is there; of the rest, a part that the dice choose, as file systems do (``Apagon``).
Disks that refuse are in ``tests.red.llamadas``. Needs strace. No pytest here.
"""

from __future__ import annotations

import itertools
import os
import random
from typing import TYPE_CHECKING, Literal, get_args

from tests.red.llamadas import NACEN, SINCRONIZAN, leidas
from tests.red.modelo import Cambio, Modelo, contenido

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.red.modelo import Nodo, Nombre

Apagon = Literal["todo", "nada", "diario", "suelto"]
"""What survives of what was not synced. ``todo``: all (the process died, the machine did not). ``nada``: nothing.
``diario``: names up to some moment, of all folders together, as a journal keeps them. ``suelto``: names of each folder
up to a moment of its own, so that a rename between two folders may be half done. In the last two each file keeps, by
the dice, nothing, all, its first bytes, or its length, mode and time with zeros in the place of what was written.
"""
APAGONES: tuple[Apagon, ...] = get_args(Apagon)

_SECTOR = 512


class Traza:
    """What one run asked of the folder ``raiz``, whose contents before it are in ``antes`` (a copy with its links)."""

    def __init__(self, grabada: Path, *, raiz: Path, antes: Path) -> None:
        self._calls = list(leidas(grabada.read_text(encoding="ascii").splitlines()))
        self._raiz = raiz
        self._antes = antes
        self._born = {
            call.resultado: (call.proceso, any("CLONE_FILES" in argument for argument in call.argumentos))
            for call in self._calls
            if call.nombre in NACEN
        }
        """Of each thread or process, who made it and whether both have the same descriptors."""
        model = Modelo(antes, raiz, self._born)
        self.puntos: list[int] = []
        """The moments just before and just after each sync of ours, to cut the power at."""
        self._play(model, None)

    def _play(self, model: Modelo, until: int | None) -> None:
        """Follow the calls that had ended at the moment ``until``; None: all, and note the syncs."""
        events = sorted(
            itertools.chain(
                ((call.acaba, 1, call) for call in self._calls),
                ((call.empieza, 0, call) for call in self._calls if call.nombre in SINCRONIZAN),
            ),
            key=lambda event: event[:2],
        )
        reached: dict[int, list[Cambio | Nombre]] = {}
        for moment, ends, call in events:
            if until is not None and moment > until:
                break
            if call.nombre not in SINCRONIZAN:
                model.hace(call)
            elif not ends:
                reached[id(call)] = model.alcanza(call)
            else:
                if until is None and reached[id(call)]:
                    self.puntos += [call.empieza - 1, call.acaba]
                for change in reached[id(call)]:
                    change.firme = True

    def tras_apagon(self, momento: int, apagon: Apagon, semilla: int, carpeta: Path) -> None:
        """Make in ``carpeta`` (which must not exist) what a power cut at that moment may have left."""
        model = Modelo(self._antes, self._raiz, self._born)
        self._play(model, momento)
        dice = random.Random(f"{semilla}/{momento}/{apagon}")
        folders: dict[int, dict[bytes, int]] = {}
        for name in _surviving(model.nombres, apagon, dice):
            names = folders.setdefault(name.carpeta, {})
            if name.nodo is None:
                names.pop(name.nombre, None)
            else:
                names[name.nombre] = name.nodo
        _make(model, 0, carpeta, folders, {}, apagon, dice)


def _surviving(names: Sequence[Nombre], apagon: Apagon, dice: random.Random) -> list[Nombre]:
    if apagon == "todo":
        return list(names)
    if apagon == "nada":
        return [name for name in names if name.firme]
    last = max((name.orden for name in names), default=0)
    if apagon == "diario":
        firm = max((name.orden for name in names if name.firme), default=-1)
        upto = dice.randint(firm, last)
        return [name for name in names if name.orden <= upto]
    limits: dict[int, int] = {}
    for folder in sorted({name.carpeta for name in names}):
        firm = max((name.orden for name in names if name.carpeta == folder and name.firme), default=-1)
        limits[folder] = dice.choice((firm, last, dice.randint(firm, max(firm, last))))
    return [name for name in names if name.orden <= limits[name.carpeta]]


def _make(
    model: Modelo,
    number: int,
    path: Path,
    folders: dict[int, dict[bytes, int]],
    made: dict[int, Path],
    apagon: Apagon,
    dice: random.Random,
) -> None:
    node = model.nodos[number]
    if node.clase == "enlace":
        path.symlink_to(os.fsdecode(node.inicial))
    elif node.clase == "carpeta":
        path.mkdir()
        for name, child in sorted(folders.get(number, {}).items()):
            _make(model, child, path / os.fsdecode(name), folders, made, apagon, dice)
        path.chmod(node.modo)
    elif number in made:
        os.link(made[number], path)
    else:
        _make_file(node, path, apagon, dice)
        made[number] = path


def _make_file(node: Nodo, path: Path, apagon: Apagon, dice: random.Random) -> None:
    firm = sum(change.firme for change in node.cambios)
    changes = list(node.cambios)
    zeros = False
    if apagon == "nada":
        changes = changes[:firm]
    elif apagon in ("diario", "suelto") and firm < len(changes):
        fate = dice.choice(("nada", "todo", "parte", "ceros"))
        zeros = fate == "ceros"
        if fate == "nada":
            changes = changes[:firm]
        elif fate == "parte":
            changes = changes[: dice.randint(firm, len(changes))]
            if len(changes) > firm and changes[-1].clase == "escribe":
                torn = changes.pop()
                kept = dice.randrange(0, len(torn.dato) + 1, _SECTOR)
                changes.append(Cambio("escribe", torn.valor, torn.dato[:kept]))
    path.write_bytes(contenido(node, changes, zeros=zeros))
    modes = [change.valor for change in changes if change.clase == "modo"]
    times = [change.valor for change in changes if change.clase == "hora"]
    path.chmod(modes[-1] if modes else node.modo)
    when = times[-1] if times else node.hora_ns
    if when is not None:
        os.utime(path, ns=(when, when))
