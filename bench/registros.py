"""A made-up access log of a portal on election night, as large as asked: who comes back often, who comes once.

Visitors follow a Zipf law (exponent 0.55) over a population; some share the address of their telephone company. A visit
asks for pages, what each page needs, and the data of the cut in force. Crawlers, failures and referers are in their
proportion. The same seed gives the same bytes. Lines are «combined», about in the order of time, as a server writes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INICIO = int(datetime(2021, 6, 7, 1, 0, tzinfo=UTC).timestamp())
HORAS = 24
MINUTOS_CORTE = 20
_MESES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{c}.0.{p}.{q}"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{a}.{b} Mobile/15E148 Safari/604.1"
_AGENTES = (
    "Mozilla/5.0 (Linux; Android {a}; {m}) " + _CHROME + " Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + _CHROME + " Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS {a}_{b} like Mac OS X) " + _SAFARI,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{c}.0) Gecko/20100101 Firefox/{c}.0",
)
_MODELOS = ("SM-A515F", "SM-G960U", "moto g(8) plus", "Redmi Note 8", "LM-K500", "SM-J730GM", "M2007J20CG", "ANE-LX3")
_ROBOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Twitterbot/1.0",
    "curl/7.68.0",
)
_REFERENTES = (
    "-",
    "-",
    "-",
    "https://www.google.com/",
    "https://www.facebook.com/",
    "https://t.co/aB3dE",
    "https://x.mx/prep",
)
_COMUNES = (
    ("/assets/portal-3f9a1c2b.css", 18_211),
    ("/assets/portal-77d0e1aa.js", 24_903),
    ("/assets/logo-0b1c2d3e.svg", 5_120),
    ("/corte.json", 2_411),
)
_CONTIENDAS = ("gub", "dip", "ayun")


@dataclass(frozen=True, slots=True)
class Persona:
    """One visitor: where from, and with what."""

    direccion: str
    agente: str


def escribe(path: Path, lineas: int, *, semilla: int = 20210606) -> None:
    """Write a log of ``lineas`` lines at ``path``."""
    azar = random.Random(semilla)  # noqa: S311 - the same log each time
    with path.open("wb", buffering=1 << 20) as file:
        left = lineas
        for batch in _minutes(azar, lineas):
            file.write("".join(batch[:left]).encode())
            left -= min(left, len(batch))
            if not left:
                return


def _people(azar: random.Random, n: int) -> list[Persona]:
    agents = [
        azar.choice(_AGENTES).format(
            a=azar.randint(9, 15), b=azar.randint(0, 6), c=azar.randint(70, 91), m=azar.choice(_MODELOS),
            p=azar.randint(3800, 4500), q=azar.randint(10, 200),
        )
        for _ in range(4_000)
    ]  # fmt: skip
    shared = [f"187.{azar.randint(128, 255)}.{azar.randint(0, 255)}.{azar.randint(1, 254)}" for _ in range(n // 60 + 1)]
    people = []
    for place in range(n):
        rank = int(len(agents) * azar.random() ** 3)
        mobile = place % 3 == 0
        address = (
            azar.choice(shared)
            if mobile
            else f"{azar.randint(131, 201)}.{azar.randint(0, 255)}.{azar.randint(0, 255)}.{azar.randint(1, 254)}"
        )
        people.append(Persona(address, agents[rank]))
    return people


def _minutes(azar: random.Random, lineas: int) -> Iterator[list[str]]:
    """The lines of each minute, without end: the arrival follows the cuts, highest at the third hour."""
    people = _people(azar, max(20, lineas // 25))
    minutes = HORAS * 60
    shape = [_arrivals(minute) for minute in range(minutes)]
    visits = lineas / 13.0 / sum(shape)
    pending: list[list[str]] = [[] for _ in range(40)]
    minute = 0
    while True:
        for _ in range(max(1, round(visits * shape[minute % minutes]))):
            _visit(azar, people, minute, pending)
        batch = pending.pop(0)
        pending.append([])
        batch.sort(key=_by_time)
        yield batch
        minute += 1


def _by_time(line: str) -> str:
    start = line.index("[")
    return line[start : start + 22]


def _arrivals(minute: int) -> float:
    base = 3.0 if 60 <= minute < 300 else 1.0 if minute < 480 or minute > 900 else 0.3
    return base * (2.0 if minute % MINUTOS_CORTE < 4 else 1.0)


def _visit(azar: random.Random, people: list[Persona], minute: int, pending: list[list[str]]) -> None:
    rnd = azar.random
    person = people[int(len(people) * rnd() ** 2.2)]
    robot = rnd() < 0.02
    agent = _ROBOTS[int(rnd() * len(_ROBOTS))] if robot else person.agente
    tail = f'"{_REFERENTES[int(rnd() * len(_REFERENTES))]}" "{agent}"\n'
    offset = 0
    for page in range(1 + int(rnd() * 3)):
        stamp = _stamp(minute + offset, int(rnd() * 60))
        head = f"{person.direccion} - - [{stamp}] "
        cut = (minute + offset) // MINUTOS_CORTE + 1
        race = _CONTIENDAS[int(rnd() * 3)]
        out = pending[offset]
        where = "/" if page == 0 else f"/{race}/distrito-{int(rnd() * 28) + 1:02d}/"
        draw = rnd()
        if draw < 0.01:
            out.append(f'{head}"GET /wp-login.php?x={int(rnd() * 1e6)} HTTP/1.1" 404 548 {tail}')
            continue
        out.append(f'{head}"GET {where} HTTP/2.0" 200 {6000 + int(rnd() * 9000)} {tail}')
        if robot:
            continue
        kept = draw < 0.35 or page > 0
        for path, size in _COMUNES:
            if kept:
                out.append(f'{head}"GET {path} HTTP/2.0" 304 0 {tail}')
            else:
                out.append(f'{head}"GET {path} HTTP/2.0" 200 {size} {tail}')
        shard = int(rnd() * 30)
        out.append(f'{head}"GET /datos/{cut:04d}/{race}/entidad.json HTTP/2.0" 200 {2100 + shard} {tail}')
        out.append(
            f'{head}"GET /datos/{cut:04d}/{race}/secciones/{shard:04d}.json HTTP/2.0" 200 {21_000 + shard} {tail}'
        )
        offset += int(rnd() * 12)
        if offset >= len(pending):
            return


def _stamp(minute: int, second: int) -> str:
    moment = datetime.fromtimestamp(INICIO + minute * 60 + second, UTC)
    return f"{moment.day:02d}/{_MESES[moment.month - 1]}/{moment:%Y:%H:%M:%S} +0000"
