"""Something that may never end, waited for so long and no more."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def espera(work: Callable[[], T], *, segundos: float) -> T | None:
    """What ``work`` gives, or raises; None where it is still at it after ``segundos``: it is left there, alone.

    Only for what changes nothing, however late it ends: asking a name, or whether somebody answers.
    """
    given: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            given.append(work())
        except BaseException as exc:  # noqa: BLE001 (raised where it is waited for)
            raised.append(exc)

    thread = threading.Thread(target=run, name="espera", daemon=True)
    thread.start()
    thread.join(segundos)
    if raised:
        raise raised[0]
    return given[0] if given else None
