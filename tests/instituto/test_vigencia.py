"""The page of a unit keeps its bytes only where nothing on it changed but the cut that it states."""

from __future__ import annotations

import pytest

from pregon.instituto.portal.vigencia import kept

PAGE = (
    b'<link rel="stylesheet" href="../../assets/estilo.0123456789ab.css">\n<header>Instituto</header>\n'
    b'<section class="fija" data-vigente="../../corte.json"><p class="corte" data-corte="7"><b>Cifras al corte:</b>\n'
    b'<time datetime="2021-06-06T23:20-05:00">23:20 h</time></p></section>\n'
    b'<nav><a href="../../gub/index.html">Gubernatura</a></nav>\n'
    b'<td data-votos="1200">1,200</td><span class="siglas">PAN</span><footer>Preliminares</footer>\n'
)
LATER = PAGE.replace(b'data-corte="7"', b'data-corte="8"').replace(b"23:20", b"23:40")


def test_the_same_page_of_a_later_cut_keeps_its_bytes() -> None:
    assert LATER != PAGE
    assert kept(LATER, PAGE) == PAGE
    assert kept(LATER.replace(b"Cifras al corte", b"Corte"), PAGE) == PAGE
    assert kept(PAGE, PAGE) == PAGE


def test_the_first_page_is_new() -> None:
    assert kept(PAGE, None) == PAGE


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b'data-votos="1200">1,200', b'data-votos="1201">1,201'),
        (b'data-votos="1200"', b'data-votos="1201"'),
        (b">PAN<", b">PRI<"),
        (b"Instituto", b"Instituto Electoral"),
        (b"0123456789ab", b"ba9876543210"),
        (b">Gubernatura<", b">Gobernatura<"),
        (b"Preliminares", b"Preliminares "),
        (b"</footer>\n", b"</footer>"),
        (b"</header>\n", b"</header><p>Corte 8</p>\n"),
    ],
)
def test_anything_else_that_differs_makes_it_new(was: bytes, now: bytes) -> None:
    assert LATER.count(was) == 1
    changed = LATER.replace(was, now)
    assert kept(changed, PAGE) == changed


def test_a_page_without_exactly_one_block_is_never_kept() -> None:
    none = LATER.replace(b'class="corte"', b'class="otro"')
    twice = LATER.replace(b"<footer>", b'<p class="corte" data-corte="8">x</p><footer>')
    for page in (none, twice):
        assert kept(page, PAGE) == page
        assert kept(LATER, page) == LATER
    assert kept(none.replace(b"23:40", b"23:59"), none) == none.replace(b"23:40", b"23:59")
    assert kept(twice.replace(b">x<", b">y<"), twice) == twice.replace(b">x<", b">y<")
