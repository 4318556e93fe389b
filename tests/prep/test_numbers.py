"""Truncated percentages and the split of coalition votes: exact, and never a vote lost."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.prep.percent import parse_percent, trunc4
from pregon.prep.split import Tie, split_unit

PARTIES = ("A", "B", "C", "D", "E")


def test_percentage_is_truncated_and_not_rounded() -> None:
    assert trunc4(263_005, 1_187_254) == "22.1523"  # Quintana Roo 2019; rounding gives 22.1524


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_truncation_equals_exact_rational_arithmetic(numerator: int, denominator: int) -> None:
    exact = Fraction(100 * numerator, denominator)
    text = trunc4(numerator, denominator)
    assert Fraction(text) == Fraction(floor(exact * 10_000), 10_000)
    assert len(text.split(".")[1]) == 4


def test_nothing_counted_yet_is_zero_percent() -> None:
    assert trunc4(0, 0) == "0.0000"


def test_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        trunc4(-1, 10)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("67.29", "67.2900"),
        ("2.5", "2.5000"),
        ("0", "0.0000"),
        ("14.6910%", "14.6910"),
        ("'99.5698%", "99.5698"),
        ("62.91049", "62.9104"),
        ("", None),
        ("-", None),
        ("12,5", None),
    ],
)
def test_published_percentages_in_every_spelling(text: str, value: str | None) -> None:
    assert parse_percent(text) == value


own_votes = st.fixed_dictionaries({party: st.integers(0, 10_000) for party in PARTIES})
combos = st.dictionaries(
    st.lists(st.sampled_from(PARTIES), min_size=2, max_size=5, unique=True).map(lambda m: tuple(sorted(m))),
    st.integers(0, 5_000),
    max_size=8,
)


@given(own_votes, combos)
def test_split_never_loses_or_creates_a_vote(own: dict[str, int], votes: dict[tuple[str, ...], int]) -> None:
    result = split_unit(own, votes)
    assert sum(result.partidos.values()) == sum(own.values()) + sum(votes.values())
    assert list(result.partidos) == list(own)
    for party in PARTIES:
        shares = sum(n // len(members) for members, n in votes.items() if party in members)
        extra = result.partidos[party] - own[party] - shares
        assert 0 <= extra <= sum(1 for members in votes if party in members)


@given(own_votes, st.integers(0, 100))
def test_leftover_goes_down_the_ranking_of_own_votes(own: dict[str, int], votes: int) -> None:
    result = split_unit(own, {PARTIES: votes})
    gained = {party: result.partidos[party] - own[party] for party in PARTIES}
    for more in PARTIES:
        for less in PARTIES:
            if own[more] > own[less]:
                assert gained[more] >= gained[less]


def test_leftover_is_given_one_by_one_and_not_all_to_the_first() -> None:
    assert split_unit({"A": 10, "B": 30, "C": 20}, {("A", "B", "C"): 5}).partidos == {"A": 11, "B": 32, "C": 22}


def test_tie_in_own_votes_falls_to_column_order_and_is_reported() -> None:
    result = split_unit({"A": 10, "B": 10, "C": 50}, {("A", "B", "C"): 5})
    assert result.partidos == {"A": 12, "B": 11, "C": 52}
    assert result.empates == (Tie(combinacion=("A", "B", "C"), miembros=("A", "B"), sobrantes=1),)


def test_tie_that_decides_nothing_is_not_reported() -> None:
    assert split_unit({"A": 10, "B": 10, "C": 50}, {("A", "B", "C"): 4}).empates == ()


@pytest.mark.parametrize("members", [(), ("A", "A"), ("A", "Z")])
def test_split_refuses_what_is_not_a_combination(members: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="combination"):
        split_unit({"A": 1, "B": 1}, {members: 3})
