"""What both engines have in common: whoever runs queries need not know which one answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pregon.motor.duck import Tipo


class Cualquiera(Protocol):
    """``duck.Motor`` or ``spark.MotorSpark``; what each method does and raises is said there."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]: ...

    def run(self, sql: str) -> list[dict[str, Any]]: ...

    def set_text(self, name: str, text: str) -> None: ...

    def load_values(
        self, table: str, columns: Mapping[str, Tipo], rows: Iterable[Sequence[int | str | None]]
    ) -> None: ...
