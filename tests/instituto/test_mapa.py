"""The map of tiles: the 32 entidades, each once, each in a place of its own."""

from __future__ import annotations

import pytest

from pregon.instituto.portal.mapa import tile_of


def test_each_entidad_has_a_tile_of_its_own() -> None:
    found = [tile_of(f"{number:02d}") for number in range(1, 33)]
    assert None not in found
    assert len({tile.siglas for tile in found if tile}) == len({tile.clases for tile in found if tile}) == 32


@pytest.mark.parametrize(
    ("norte", "sur"), [("26", "25"), ("08", "10"), ("19", "24"), ("32", "01"), ("09", "17"), ("21", "07"), ("31", "23")]
)
def test_who_lies_north_is_above(norte: str, sur: str) -> None:
    above, below = tile_of(norte), tile_of(sur)
    assert above is not None
    assert below is not None
    assert above.clases[:2] < below.clases[:2]


def test_what_is_no_entidad_has_no_tile() -> None:
    assert [tile_of(text) for text in ("00", "33", "", "sin-entidad", "1a")] == [None] * 5
