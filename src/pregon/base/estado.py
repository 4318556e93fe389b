"""What a state database does, wherever it lies: in a file of this machine (``state``) or in a server (``postgres``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.base.cadena import Apunte, Cabeza
    from pregon.base.state import Event


INTACTO = "No se firmó ni se publicó nada; lo publicado sigue como estaba."
"""What stayed as it was, where two machines share a server and it, or one of them, refuses."""


class Estado(Protocol):
    """Values, rows and events, durable once a call returns. Each method as in ``StateDatabase``.

    Any of them raises what its database does: ``DiscoError`` and ``DanadoError``, and of a server also ``RedError``.
    """

    def get(self, key: str) -> Any:
        """The value under ``key`` (JSON types), or None."""

    def put(self, **values: Any) -> None:
        """Store every keyed value in one transaction."""

    def rows(self, series: str) -> Iterator[Any]:
        """Every row of a series, in the order of their numbers."""

    def last_row(self, series: str) -> Any:
        """The row of a series with the highest number; None where it has none."""

    def put_row(self, series: str, n: int, value: Any) -> None:
        """Store one row of a series, in place of the one that has its number."""

    def record(self, kind: str, **data: Any) -> None:
        """Append an event, stamped with the clock and linked to all those before it."""

    def events(self, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Events numbered above ``after``, oldest first, at most ``limit``."""

    def apuntes(self, *, after: int = 0) -> Iterator[Apunte]:
        """The events numbered above ``after`` as they are kept, with their links."""

    def cabeza(self) -> Cabeza:
        """Where the chain of the journal ends."""

    def dados(self) -> int:
        """The highest number that any event was ever given."""

    def check(self) -> None:
        """Have the database look at all that it keeps."""
