"""The simulated link and the line before servers, by hand and against what queueing theory knows exactly."""

from __future__ import annotations

import math
from random import Random

import pytest

from pregon.simulacro.modelo.enlace import Enlace, mostrador


def test_one_alone_takes_its_size_over_the_rate() -> None:
    [only] = Enlace(100.0).pasa([(5.0, 250.0)])
    assert only == (0, 5.0, 7.5)
    assert only.segundos == 2.5


def test_two_share_by_equal_parts_and_the_one_left_takes_all() -> None:
    """100 a second: from 0 to 1 the first has 100; then 50 each until the second has its 100 (at 3); then 100."""
    first, second = Enlace(100.0).pasa([(0.0, 300.0), (1.0, 100.0)])
    assert (first.quien, first.sale) == (1, 3.0)
    assert (second.quien, second.sale) == (0, 4.0)


def test_nobody_gets_more_than_its_own_link() -> None:
    """At most 20 each: with four the link has room, with eight they have 100/8."""
    few = list(Enlace(100.0, tope=20.0).pasa([(0.0, 100.0)] * 4))
    assert [one.sale for one in few] == [5.0] * 4
    many = list(Enlace(100.0, tope=20.0).pasa([(0.0, 100.0)] * 8))
    assert [one.sale for one in many] == [8.0] * 8


def test_whoever_ends_at_the_moment_another_comes_is_gone_before() -> None:
    first, second = Enlace(10.0).pasa([(0.0, 20.0), (2.0, 20.0)])
    assert (first.sale, second.sale) == (2.0, 4.0)


def test_nothing_is_lost_and_nothing_is_made() -> None:
    rng = Random(4)
    jobs = sorted((rng.random() * 100, rng.expovariate(1 / 40)) for _ in range(500))
    done = list(Enlace(100.0, tope=60.0).pasa(jobs))
    assert sorted(one.quien for one in done) == list(range(500))
    assert all(one.segundos >= jobs[one.quien][1] / 60 - 1e-9 for one in done)
    busy = max(one.sale for one in done) - jobs[0][0]
    assert sum(size for _, size in jobs) <= 100 * busy + 1e-6


def test_a_time_that_goes_back_is_refused() -> None:
    link = Enlace(10.0)
    link.llega(5.0, 1.0, 0)
    with pytest.raises(ValueError, match=r"4\.0"):
        link.llega(4.0, 1.0, 1)
    assert link.en_curso == 1
    with pytest.raises(ValueError, match="0"):
        Enlace(0.0)


def test_the_mean_is_that_of_a_shared_processor() -> None:
    """M/G/1-PS: whatever the sizes, a job of mean size x takes x / (C (1 - rho)) in the mean (Kleinrock, 1967)."""
    rng = Random(11)
    now, jobs = 0.0, []
    for _ in range(20_000):
        now += rng.expovariate(0.6)
        jobs.append((now, 0.5 if rng.random() < 0.9 else 5.5))
    mean = math.fsum(one.segundos for one in Enlace(1.0).pasa(jobs)) / len(jobs)
    assert mean == pytest.approx(1.0 / (1 - 0.6), rel=0.08)


def test_a_line_serves_in_order_of_arrival() -> None:
    """Two servers: the third waits for the one that is free first."""
    done = list(mostrador([(0.0, 4.0), (0.0, 2.0), (1.0, 1.0), (10.0, 1.0)], 2))
    assert [one.sale for one in done] == [4.0, 2.0, 3.0, 11.0]
