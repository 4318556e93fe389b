"""The same work over many things: all of it, or the error that one thread alone would have met."""

from __future__ import annotations

import threading
import time

import pytest

from pregon.base.hilos import POCOS, each

MANY = POCOS * 4


def test_every_thing_is_done_once_and_by_more_than_one_thread() -> None:
    done: list[int] = []
    who: set[str] = set()
    both = threading.Barrier(2, timeout=10)  # passes only if two threads are in it at the same time

    def work(number: int) -> None:
        if number < 2:
            both.wait()
        who.add(threading.current_thread().name)
        done.append(number)

    each(work, range(MANY))
    assert sorted(done) == list(range(MANY))
    assert len(who) == 2


def test_few_things_are_done_in_order_by_whoever_asks() -> None:
    done: list[tuple[int, int]] = []
    each(lambda number: done.append((number, threading.get_ident())), range(POCOS))
    assert done == [(number, threading.get_ident()) for number in range(POCOS)]


def test_few_that_wait_long_are_shared_too_where_it_is_asked() -> None:
    together = threading.Barrier(4)
    each(lambda _: together.wait(10), range(4), hilos=8, pocos=1)  # breaks unless all four are under way at once


def test_the_first_error_in_order_is_raised_and_no_more_are_begun() -> None:
    begun: list[int] = []
    failed = threading.Event()

    def work(number: int) -> None:
        begun.append(number)
        if number == 10:
            failed.wait(10)  # the later one fails before
            raise ValueError(number)
        if number == 11:
            failed.set()
            raise ValueError(number)
        time.sleep(0.0001)

    with pytest.raises(ValueError, match=r"^10$"):
        each(work, range(MANY))
    assert sorted(begun) == list(range(12))
    assert threading.active_count() == 1 or not [t for t in threading.enumerate() if t.name.endswith("-1")]
