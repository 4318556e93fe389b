"""What an institute changes of its portal without touching Pregón: the folder ``portal/`` of its workspace.

``portal/aspecto.toml`` says it (docs/operacion/aspecto.md) and names the image files beside it. It is read whole before
a cut is made: with one problem in it there is no cut, and the operator is told of all of them at once.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from pregon.base.emblemas import MAX_BYTES, Imagen, ImagenError, read
from pregon.base.errors import AjustesError
from pregon.base.razones import razon
from pregon.base.settings import Settings, read_toml_bytes, spanish_problems
from pregon.convocatoria.tipos import CONTIENDAS, Lista, Texto
from pregon.instituto.portal.colores import contrast, theme, variables
from pregon.instituto.portal.partidos import Actores, Propio
from pregon.prep.columns import party_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CARPETA = "portal"
ARCHIVO = "aspecto.toml"
TITULO = "Resultados preliminares"
DERECHOS = (
    "El diseño de estas páginas no puede modificarse sin autorización del instituto (Ley Federal del Derecho de Autor)."
    " Alterar su contenido puede ser un delito."
)
"""In each page's foot (prep.md §5.1). The federal portals said «es un delito federal»: an institute whose election or
whose law makes it true writes so in ``textos.derechos``."""
CONTRASTE = 4.5
"""Least contrast of a colour that text or figures take, over the sheets of paper (WCAG 2.2, 1.4.3)."""
MAX_ACTORES = 200

_CONTIENDAS = frozenset(contest for _, contest, _ in CONTIENDAS)
_FONDOS = ("papel", "hoja")
_RUTA = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def _color(text: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise PydanticCustomError("color", "debe ser un color como #17467a")
    return text.lower()


def _preliminary(text: str) -> str:
    if "preliminar" not in text.lower():
        raise PydanticCustomError("titulo", "debe decir «preliminares»: la ley exige que se sepa en cada página")
    return text


def _image(value: Any, info: ValidationInfo) -> Imagen:
    """The image that a path names, relative to the folder; never one of elsewhere."""
    folder: Path = (info.context or {})["carpeta"]
    if not isinstance(value, str) or not _RUTA.fullmatch(value):
        raise PydanticCustomError("imagen", "debe ser un archivo dentro de la carpeta, como emblemas/pan.svg")
    path = folder / value
    try:
        if not path.resolve(strict=True).is_relative_to(folder.resolve()) or not path.is_file():
            raise PydanticCustomError("imagen", "no es un archivo de esta carpeta")
        with path.open("rb") as stream:
            return read(stream.read(MAX_BYTES + 1))
    except OSError as exc:
        raise PydanticCustomError("imagen", "no se puede leer: {por}", {"por": razon(exc)}) from exc
    except ImagenError as exc:
        raise PydanticCustomError("imagen", "{por}", {"por": str(exc)}) from exc


Color = Annotated[str, AfterValidator(_color)]
Archivo = Annotated[Imagen, PlainValidator(_image)]
Corto = Annotated[str, Field(min_length=1, max_length=120)]


class Nombres(Settings):
    """How the institute, the process and the portal are called; None keeps what the call says."""

    instituto: Corto | None = None
    proceso: Corto | None = None
    titulo: Annotated[Corto, AfterValidator(_preliminary)] = TITULO


class Pregunta(Settings):
    """A question and its answer, after ours. An empty line in the answer begins another paragraph."""

    pregunta: Corto
    respuesta: Texto


class Textos(Settings):
    """Plain texts: no markup.

    ``nota_portada`` above the results of the cover. In each page's foot: ``derechos``, on what nobody may do with its
    design and contents, in the institute's words; and ``leyendas``.
    """

    nota_portada: Texto | None = None
    derechos: Texto = DERECHOS
    leyendas: Annotated[Lista[Texto], Field(max_length=5)] = ()
    pregunta: Annotated[Lista[Pregunta], Field(max_length=30)] = ()


class _Esquema(Settings):
    acento: Color | None = None
    avance: Color | None = None

    @field_validator("acento", "avance")
    @classmethod
    def _legible(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        theme: Mapping[str, str] = (info.context or {})[cls.__name__.lower()]
        worst = min(contrast(value, theme[name]) for name in _FONDOS)
        if worst < CONTRASTE:
            raise PydanticCustomError(
                "contraste",
                "no se lee sobre el fondo: contraste {hay}, y debe ser al menos {minimo}",
                {"hay": f"{worst:.2f}", "minimo": str(CONTRASTE)},
            )
        return value


class Claro(_Esquema):
    """Colours over light paper: links and buttons (``acento``), what is counted (``avance``)."""


class Oscuro(_Esquema):
    """The same over dark paper."""


class Colores(Settings):
    """Colours of the pages."""

    claro: Claro = Claro()
    oscuro: Oscuro = Oscuro()


class Actor(Settings):
    """How a party, a coalition or an independent is shown. ``clave`` is its column; ``contienda`` None: in any.

    A coalition takes ``nombre`` (or ``siglas``) and ``emblema``; its bars keep the colours of its parties.
    """

    clave: Corto
    contienda: Literal["gub", "dip", "ayun", "alc", "juntas", "pres", "sen"] | None = None
    siglas: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    nombre: Corto | None = None
    color: Color | None = None
    color_oscuro: Color | None = None
    emblema: Archivo | None = None


class Logo(Settings):
    """The institute's logo. Its name is always beside it in words, so the image says nothing more."""

    archivo: Archivo


class AjustesAspecto(Settings):
    """``portal/aspecto.toml``."""

    nombres: Nombres = Nombres()
    textos: Textos = Textos()
    colores: Colores = Colores()
    logo: Logo | None = None
    actor: Annotated[Lista[Actor], Field(max_length=MAX_ACTORES)] = ()

    @field_validator("actor")
    @classmethod
    def _one_each(cls, value: tuple[Actor, ...]) -> tuple[Actor, ...]:
        seen: set[tuple[str, str | None]] = set()
        letters: dict[str, str] = {}
        for actor in value:
            key = party_key(actor.clave)
            if (key, actor.contienda) in seen:
                raise PydanticCustomError("actor", "«{cual}» está dos veces", {"cual": actor.clave})
            seen.add((key, actor.contienda))
            if actor.siglas and letters.setdefault(actor.siglas, key) != key:
                raise PydanticCustomError("actor", "las siglas «{cual}» son de dos actores", {"cual": actor.siglas})
        return value


@dataclass(frozen=True)
class Aspecto:
    """What the pages take of the folder; without one, nothing.

    ``archivos``: images by the stem of their asset's name.
    """

    ajustes: AjustesAspecto = field(default_factory=AjustesAspecto)

    @property
    def titulo(self) -> str:
        """What the portal is called."""
        return self.ajustes.nombres.titulo

    @property
    def textos(self) -> Textos:
        """The texts of its own."""
        return self.ajustes.textos

    @property
    def logo(self) -> Logo | None:
        """The institute's logo."""
        return self.ajustes.logo

    @cached_property
    def archivos(self) -> Mapping[str, Imagen]:
        """Its images, by the stem of the name that they get among the assets."""
        found = {f"emblema-{name}": a.emblema for name, a in self._actores.items() if a.emblema is not None}
        return found | ({} if self.logo is None else {"logo": self.logo.archivo})

    @cached_property
    def siglas(self) -> Mapping[str, str]:
        """The variable of the colour of an actor's own, by the letters that are shown of it."""
        return {
            Actores((actor.clave,), {party_key(actor.clave): Propio(actor.siglas)}).partidos(actor.clave)[0].siglas: (
                f"x-{name}"
            )
            for name, actor in self._actores.items()
            if actor.color is not None
        }

    def actores(self, contienda: str) -> Mapping[str, Propio]:
        """Those of a contest, by ``party_key``; what is said for it alone wins."""
        found: dict[str, Propio] = {}
        for name, actor in sorted(self._actores.items(), key=lambda item: item[1].contienda is not None):
            if actor.contienda in (None, contienda):
                found[party_key(actor.clave)] = Propio(
                    siglas=actor.siglas,
                    nombre=actor.nombre,
                    color=None if actor.color is None else f"t-x-{name}",
                    emblema="" if actor.emblema is None else f"e-{name}",
                )
        return found

    def estilo(self, emblemas: Mapping[str, str]) -> str:
        """Its part of the style sheet. ``emblemas``: file name of each image by its stem, beside the sheet."""
        schemes = self.ajustes.colores
        light, dark = (scheme.model_dump(exclude_none=True) for scheme in (schemes.claro, schemes.oscuro))
        rules: list[str] = []
        for name, actor in self._actores.items():
            if actor.color is not None:
                light[f"x-{name}"] = actor.color
                dark[f"x-{name}"] = actor.color_oscuro or actor.color
                rules.append(f".t-x-{name}{{--c:var(--x-{name});fill:url(#p-x-{name}) var(--c)}}")
        rules += [
            f'.e-{stem.removeprefix("emblema-")}{{background-image:url("{file}")}}'
            for stem, file in emblemas.items()
            if stem.startswith("emblema-")
        ]
        if not light and not dark and not rules:
            return ""
        return (
            "/* Of the institute (portal/aspecto.toml). */\n"
            + (f":root{{{_declared(light)}}}\n" if light else "")
            + (f"@media (prefers-color-scheme:dark){{:root{{{_declared(dark)}}}}}\n" if dark else "")
            + "\n".join(rules)
            + "\n"
        )

    @cached_property
    def _actores(self) -> Mapping[str, Actor]:
        """Each actor by a name for classes and files: ``mas``, ``cand-ind-1-gub``."""
        found: dict[str, Actor] = {}
        for actor in self.ajustes.actor:
            text = f"{party_key(actor.clave)} {actor.contienda or ''}".lower()
            stem = re.sub(r"[^a-z0-9]+", "-", text).strip("-") or "actor"
            name, again = stem, 2
            while name in found:
                name, again = f"{stem}-{again}", again + 1
            found[name] = actor
        return found


def load(folder: Path) -> Aspecto:
    """The institute's own in the folder ``portal/`` of the workspace ``folder``; nothing where there is no such folder.

    Raises:
        AjustesError: it is no folder, it has no ``aspecto.toml``, or something in it is wrong; the text lists all.
        EntradaError: ``aspecto.toml`` cannot be read.
    """
    place = folder / CARPETA
    if not place.exists():
        return Aspecto()
    source = place / ARCHIVO
    if not source.is_file():
        raise _wrong(source, ["no está: la carpeta «portal» debe tenerlo"], None)
    light, dark = variables(theme())
    context = {"carpeta": place, "claro": light, "oscuro": light | dark}
    try:
        table = tomllib.loads(read_toml_bytes(source).decode())
        return Aspecto(AjustesAspecto.model_validate(table, context=context))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise _wrong(source, [str(exc)], exc) from exc
    except ValidationError as exc:
        raise _wrong(source, list(spanish_problems(exc)), exc) from exc


def _wrong(source: Path, problems: list[str], cause: Exception | None) -> AjustesError:
    del cause
    return AjustesError(
        f"El archivo {source} tiene {len(problems)} problema(s):\n  " + "\n  ".join(problems),
        intacto="No se hizo ni se firmó ningún corte.",
        que_hacer="Corrija lo señalado, o quite la carpeta «portal» para publicar con el aspecto de siempre.",
    )


def _declared(values: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{color}" for name, color in values.items())
