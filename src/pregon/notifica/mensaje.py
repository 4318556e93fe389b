"""What is told to people: one message, whoever carries it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

Severidad = Literal["alarma", "aviso", "resuelta", "informe"]
"""``alarma`` asks for a person now; ``aviso``, for one today; ``resuelta`` ends either; ``informe`` asks nothing."""

MAX_TITULO = 200
MAX_TEXTO = 20_000
"""Characters that any channel carries; what is longer is cut."""


@dataclass(frozen=True)
class Mensaje:
    """One thing told. ``codigo`` is stable; ``titulo`` one line; ``hora`` aware; ``origen`` who tells it (an id).

    ``clave``: the id of what must be known as the same if it comes twice: the mail's ``Message-ID``.
    """

    codigo: str
    severidad: Severidad
    titulo: str
    texto: str
    hora: datetime
    origen: str
    clave: str | None = None

    @property
    def asunto(self) -> str:
        """The message in one line without control characters: what a subject or a log line shows."""
        return one_line(f"[{self.origen}] {self.severidad.upper()} {self.codigo}: {self.titulo}")[:MAX_TITULO]

    def to_json(self) -> dict[str, str]:
        """The message as JSON types: what a webhook receives and what waits on disk."""
        return {
            "formato": "pregon/mensaje/1",
            "codigo": self.codigo,
            "severidad": self.severidad,
            "titulo": self.titulo[:MAX_TITULO],
            "texto": self.texto[:MAX_TEXTO],
            "hora": self.hora.isoformat(),
            "origen": self.origen,
            **({} if self.clave is None else {"clave": self.clave}),
        }

    @classmethod
    def from_json(cls, data: Any) -> Mensaje:
        """The message that ``to_json`` gave. Raises ValueError, KeyError or TypeError where it is not one."""
        if data["severidad"] not in get_args(Severidad):
            raise ValueError("severidad")
        return cls(
            codigo=str(data["codigo"]),
            severidad=data["severidad"],
            titulo=str(data["titulo"]),
            texto=str(data["texto"]),
            hora=datetime.fromisoformat(data["hora"]),
            origen=str(data["origen"]),
            clave=None if data.get("clave") is None else str(data["clave"]),
        )


def one_line(text: str) -> str:
    """``text`` without line ends or control characters: each is written ``#`` and its octal, as rsyslog does.

    What came from outside (the name of a file, the words of a server) must not begin a line of its own in a log or a
    header of its own in a mail.
    """
    return "".join(char if char.isprintable() else "".join(f"#{byte:03o}" for byte in char.encode()) for char in text)
