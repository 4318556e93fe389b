"""Every clause of each call: what it asks, of whom, where the text says so, and how one knows that it is met.

One TOML a call, one table a clause. The states and the evidence are ``difusor.cumplimiento``; here are only the words.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from pregon.base.errors import EntradaError
from pregon.base.settings import parse_toml
from pregon.convocatoria.secciones import Seccion
from pregon.convocatoria.tipos import Lista, Texto  # noqa: TC001 (pydantic reads the annotations)

Quien = Literal["difusor", "instituto", "ambos", "ninguno"]

Modo = Literal["perfil", "revision", "medicion", "programa", "declara", "instituto", "fuera"]
"""How a clause is known to be met.

``perfil:<key>``: a value of the profile carries it. ``revision:<CODIGO>``: a check of the machine.
``medicion:<CODIGO>``: the difusor's own records of the night. ``programa``: Pregón does it by construction, and
``pruebas`` names what would fail otherwise. ``declara:<clave>``: a person says so once, with words or a document.
``instituto``: its duty, not the difusor's. ``fuera``: beyond software, and ``nota`` says why.
"""

_SOLOS = ("programa", "instituto", "fuera")


class Manera(Seccion):
    """One way in which a clause is known to be met: ``medicion:NADA_ANTES``. ``dato`` is empty where none goes."""

    modo: Modo
    dato: str = ""

    def __str__(self) -> str:
        return f"{self.modo}:{self.dato}" if self.dato else self.modo


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    mode, _, datum = value.partition(":")
    if bool(datum) is (mode in _SOLOS):
        raise ValueError(f"«{value}» no es una manera de comprobar")
    return Manera.model_validate({"modo": mode, "dato": datum})


class Clausula(Seccion):
    """One clause. ``lineas``: of the call's text, from 1, both included. ``cita``: its words there. ``nota``: a
    contradiction and the safe reading taken, or why it is beyond software. ``pruebas``: tests of ours that it is so."""

    id: Annotated[str, Field(pattern=r"^(GRO|DGO|MOR|MEX|INE)-[A-Za-z0-9.-]+$")]
    quien: Quien
    lineas: Lista[Annotated[tuple[int, int], Field(strict=False)]]
    titulo: Annotated[str, Field(min_length=1, max_length=120)]
    como: Annotated[Lista[Annotated[Manera, BeforeValidator(_parsed)]], Field(min_length=1)]
    cita: str
    nota: Texto | None = None
    pruebas: Lista[Annotated[str, Field(pattern=r"^tests/[a-z0-9_/]+\.py::test_[a-z0-9_]+$")]] = ()


class _Hoja(Seccion):
    clausula: Lista[Clausula]


def con_clausulas() -> tuple[str, ...]:
    """The ids of the calls whose clauses are known, in alphabetical order."""
    names = (item.name for item in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


@lru_cache(maxsize=8)
def clausulas_de(id_: str) -> tuple[Clausula, ...]:
    """The clauses of a call, in the order of its text.

    Raises:
        EntradaError: nobody wrote them yet: a call of an institute's own.
    """
    if id_ not in con_clausulas():
        raise EntradaError(
            f"Las cláusulas de «{id_}» no están escritas.",
            intacto="No se cambió nada.",
            que_hacer=f"Las hay de {', '.join(con_clausulas())}; docs/convocatorias.md dice cómo escribir las demás.",
        )
    data = files(__name__).joinpath(f"{id_}.toml").read_bytes()
    return parse_toml(data, _Hoja, where=f"clausulas/{id_}.toml").clausula


def del_perfil(id_: str, clave: str) -> tuple[str, ...]:
    """The ids of the clauses that a key of the profile carries; none where the call's clauses are not written."""
    if id_ not in con_clausulas():
        return ()
    return tuple(
        one.id for one in clausulas_de(id_) if any(way.modo == "perfil" and way.dato == clave for way in one.como)
    )
