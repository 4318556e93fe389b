"""An object in another process: what it answers, what it raises and how it ends."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pregon.base.errors import ComprobacionError, DiscoError, FindingsError, FormatoError, PregonError
from pregon.base.forked import Forked, forked
from pregon.paquete.errors import ManifiestoError

ROOT = Path(__file__).resolve().parents[2]


class Subject:
    """Something with a state, that can fail in every way."""

    def __init__(self, first: int = 0) -> None:
        self._seen = [first]

    def take(self, n: int, *, twice: bool = False) -> list[int]:
        self._seen += [n, n] if twice else [n]
        return self._seen

    def pid(self) -> int:
        return os.getpid()

    def fail(self, error: Exception) -> None:
        raise error

    def divide(self) -> float:
        return 1 / (len(self._seen) - 1)

    def sleep(self) -> None:
        time.sleep(600)

    def spin(self) -> None:
        while True:
            pass

    def die(self, how: int) -> None:
        os.kill(os.getpid(), how)

    def unsendable(self) -> object:
        return lambda: None


def alive(pid: int) -> bool:
    """Whether that process still runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(*pids: int, seconds: float = 5.0) -> bool:
    """Whether those processes end in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(map(alive, pids)):
            return True
        time.sleep(0.02)
    return False


def _unmade() -> Subject:
    raise FormatoError("No se lee.", intacto="Nada cambió.", que_hacer="Mande otro.")


def test_calls_are_answered_in_order_by_one_object_that_keeps_its_state() -> None:
    with forked([lambda: Subject(7), Subject]) as (one, other):
        one.send("take", 1)
        other.send("pid")
        one.send("take", n=2, twice=True)
        one.send("pid")
        assert one.receive() == [7, 1]
        assert one.receive() == [7, 1, 2, 2]
        pids = {one.receive(), other.receive(), os.getpid()}
        assert len(pids) == 3
    assert gone(*(pids - {os.getpid()}))


@pytest.mark.parametrize(
    "error",
    [
        FormatoError("A.csv, línea 7: mal.", intacto="Nada se firmó.", que_hacer="Pida otro archivo."),
        DiscoError("No hay espacio.", intacto="Todo sigue.", que_hacer="Libere espacio."),
        FindingsError("Hay 1 hallazgo(s).", intacto="Igual.", que_hacer="Autorice."),
        ManifiestoError("archivos[3].ruta no es una ruta."),
    ],
)
def test_error_of_our_tree_arrives_as_it_was_raised(error: PregonError) -> None:
    with forked([Subject]) as (one,):
        one.send("fail", error)
        one.send("take", 1)
        with pytest.raises(type(error)) as raised:
            one.receive()
        assert raised.value.as_dict() == error.as_dict()
        assert (type(raised.value), str(raised.value)) == (type(error), str(error))
        assert one.receive() == [0, 1]  # and it goes on working


def test_foreign_exception_becomes_a_check_that_failed_and_names_it() -> None:
    with forked([Subject]) as (one,):
        for call, told in (("divide", "ZeroDivisionError"), ("nada", "AttributeError")):
            one.send(call)
            with pytest.raises(ComprobacionError, match=told) as raised:
                one.receive()
            assert raised.value.intacto == "No se firmó ni se publicó nada."
        one.send("fail", OSError(errno.ENOSPC, "no space"))
        with pytest.raises(ComprobacionError, match="no space"):
            one.receive()


def test_object_that_cannot_be_made_says_why_at_its_first_call() -> None:
    with forked([_unmade]) as (one,):
        one.send("pid")
        with pytest.raises(FormatoError, match="No se lee"):
            one.receive()


def test_answer_that_cannot_travel_is_an_error_of_ours_and_not_a_wait_for_ever() -> None:
    with forked([Subject]) as (one,):
        one.send("unsendable")
        with pytest.raises(ComprobacionError):
            one.receive()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_process_is_told_and_the_others_go_on(how: signal.Signals) -> None:
    with forked([Subject, Subject]) as (one, other):
        one.send("die", how)
        other.send("take", 3)
        with pytest.raises(ComprobacionError, match=f"estado -{how.value}"):
            one.receive()
        assert other.receive() == [0, 3]
        with pytest.raises(ComprobacionError):
            one.receive()


@pytest.mark.parametrize("call", ["sleep", "spin"])
def test_stop_ends_a_process_whatever_it_is_doing(call: str) -> None:
    one, other = Forked(Subject), Forked(Subject)
    one.send("pid")
    pid = one.receive()
    one.send(call)
    start = time.monotonic()
    one.stop()
    assert time.monotonic() - start < 4
    assert not alive(pid)
    other.send("take", 1)
    assert other.receive() == [0, 1]
    other.stop()


def test_error_here_ends_every_process() -> None:
    pids: list[int] = []

    def work() -> None:
        with forked([Subject, Subject]) as started:
            for one in started:
                one.send("pid")
                pids.append(one.receive())
                one.send("sleep")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        work()
    assert gone(*pids)


_PARENT = """
import sys, time
sys.path[:0] = [{src!r}, {root!r}]
from pregon.base.forked import forked
from tests.base.test_forked import Subject
with forked([Subject, Subject]) as started:
    for one in started:
        one.send("pid")
        print(one.receive(), flush=True)
    {then}
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_children_die_with_their_parent(how: signal.Signals) -> None:
    code = _PARENT.format(src=str(ROOT / "src"), root=str(ROOT), then="time.sleep(60)")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        assert all(map(alive, pids))
        parent.send_signal(how)
        parent.wait(10)
    assert gone(*pids)
