"""Programs and people: what each agent says of itself, by lists that others maintain.

``crawler-user-agents`` names the programs (MIT; monperrus/crawler-user-agents); ``ua-parser`` names browsers and
systems (Apache-2.0; ua-parser/uap-core). An agent that says nothing is a program, where the log
says agents at all. Each different agent is asked once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import EntradaError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_CONOCIDOS = 100_000
"""Agents told apart in one run. Who has more makes them up: the rest are judged by ``_GENERICO`` alone."""
MAX_LARGO = 512
SIN_DECIR = "?"
"""The agent of all hits of a log whose format has none: nobody can be told apart, and all count as people."""
_VACIO = "sin agente"
_GENERICO = re.compile(r"bot|crawl|spider|slurp|https?://|python|curl|wget|scan|java/|go-http|libwww", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Agente:
    """What one agent is: ``numero`` from 1 (0: not told apart), and of a program its name, None of a person."""

    numero: int
    robot: str | None


@dataclass(frozen=True, slots=True)
class Navegador:
    """A person's browser and system, by family."""

    navegador: str
    sistema: str


class Registro:
    """The agents met in a run."""

    def __init__(self) -> None:
        try:
            import crawleruseragents
        except ModuleNotFoundError as exc:
            raise EntradaError(
                "Falta la lista de programas que recorren la red (crawler-user-agents).",
                intacto="No se midió nada.",
                que_hacer="Instale Pregón con su extra «memoria».",
            ) from exc
        self._lists = crawleruseragents
        self._known: dict[str, Agente] = {}

    def tell(self, textos: Iterable[str]) -> list[Agente]:
        """What each of ``textos`` is."""
        return [self._one(text) for text in textos]

    def texts(self, numeros: Iterable[int]) -> dict[int, str]:
        """The texts of the agents of those numbers."""
        wanted = set(numeros)
        return {agent.numero: text for text, agent in self._known.items() if agent.numero in wanted}

    def _one(self, text: str) -> Agente:
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= MAX_CONOCIDOS:
                return Agente(0, "otros" if _GENERICO.search(text[:MAX_LARGO]) else None)
            known = self._known[text] = Agente(len(self._known) + 1, self._name(text[:MAX_LARGO]))
        return known

    def _name(self, text: str) -> str | None:
        if text in ("", "-"):
            return _VACIO
        if not self._lists.is_crawler(text):
            return None
        data = self._lists.CRAWLER_USER_AGENTS_DATA
        found = next((re.search(data[place]["pattern"], text) for place in self._lists.matching_crawlers(text)), None)
        return found[0].strip(" /:;(") if found is not None else "otros"


def browser_of(text: str) -> Navegador:
    """Browser and system of a person's agent; «Otro» where the list knows none."""
    import ua_parser

    told = ua_parser.parse(text[:MAX_LARGO])
    browser = told.user_agent.family if told.user_agent is not None else "Otro"
    system = told.os.family if told.os is not None else "Otro"
    return Navegador(browser, system)
