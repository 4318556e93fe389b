"""Is the clock right? What chrony, an NTP server and the settings say, and when nothing is believed."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.hora import FixedSource, NtpSource, parse_chrony_tracking
from pregon.difusor.reloj import ClockReading, offset_source
from pregon.difusor.settings import Reloj

if TYPE_CHECKING:
    from collections.abc import Iterator

NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP counts from, to 1970."""
NOW = datetime(2027, 6, 7, 2, 0, tzinfo=UTC)
GOOD = (
    "A29FC801,162.159.200.1,4,1622945100.123456789,-0.000123456,0.000034567,0.000234567,-12.345,0.001,0.123,"
    "0.012345678,0.000567890,64.2,Normal\n"
)


def test_chrony_tracking_gives_the_system_time_offset() -> None:
    assert parse_chrony_tracking(GOOD) == pytest.approx(-0.000123456)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "506 Cannot talk to daemon\n",
        GOOD.replace("Normal", "Not synchronised"),
        GOOD.replace(",4,", ",0,", 1),
        GOOD.replace(",4,", ",16,", 1),
        GOOD.replace("-0.000123456", "nada"),
        GOOD.rsplit(",", 1)[0],
    ],
)
def test_chrony_that_does_not_know_measures_nothing(text: str) -> None:
    assert parse_chrony_tracking(text) is None


@contextmanager
def ntp_server(*, ahead: float, leap: int = 0, stratum: int = 2) -> Iterator[int]:
    """A server of time on a free port, ``ahead`` seconds of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def answer_once() -> None:
            question, client = server.recvfrom(1024)
            now = int((datetime.now(UTC).timestamp() + ahead + NTP_EPOCH) * 2**32)
            head = struct.pack("!BBbb11I", leap << 6 | 4 << 3 | 4, stratum, 6, -20, *[0] * 11)[:24]
            server.sendto(head + question[40:48] + struct.pack("!QQ", now, now), client)

        thread = threading.Thread(target=answer_once)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join()


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -3600.0])
def test_ntp_server_tells_how_far_this_clock_is(ahead: float) -> None:
    with ntp_server(ahead=ahead) as port:
        assert NtpSource("127.0.0.1", port=port).measure() == pytest.approx(ahead, abs=1.0)


@pytest.mark.parametrize(("leap", "stratum"), [(3, 2), (0, 0), (0, 16)])
def test_ntp_server_that_does_not_know_the_time_measures_nothing(leap: int, stratum: int) -> None:
    with ntp_server(ahead=0.0, leap=leap, stratum=stratum) as port:
        assert NtpSource("127.0.0.1", port=port).measure() is None


def test_ntp_server_that_does_not_answer_measures_nothing() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = int(silent.getsockname()[1])
        assert NtpSource("127.0.0.1", port=port, timeout_s=0.1).measure() is None


@pytest.mark.parametrize(
    ("offset", "age", "believed"),
    [(0.0, 0, True), (2.0, 0, True), (-2.0, 0, True), (2.001, 0, False), (-3600.0, 0, False), (None, 0, False),
     (0.0, 900, True), (0.0, 901, False), (0.0, -901, False), (float("nan"), 0, False)],
)  # fmt: skip
def test_reading_is_believed_within_limit_and_while_fresh(offset: float | None, age: int, *, believed: bool) -> None:
    reading = ClockReading("ntp", offset, NOW - timedelta(seconds=age))
    assert reading.fiable(now=NOW, max_desfase_s=2.0) is believed
    assert ClockReading.from_json(reading.to_json()) == reading or offset != offset


def test_source_that_settings_name() -> None:
    assert offset_source(Reloj(fuente="ninguna")) == FixedSource(None)
    assert offset_source(Reloj(fuente="simulado", desfase_s=1.5)) == FixedSource(1.5)
    assert isinstance(offset_source(Reloj(fuente="ntp")), NtpSource)
