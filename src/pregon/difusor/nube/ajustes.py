"""``[[nube]]``: an object store in which this difusor publishes too, and the edge that shows it."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pregon.difusor.nube.purga.ajustes import AjustesPurga
from pregon.transport.lugar import Lugar, Secreto

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOCAL = ("127.0.0.1", "::1", "localhost")


class AjustesNube(Lugar):
    """One target: a bucket, or a prefix of one, that is this convocatoria's alone. Keys of ``Lugar``, and:

    ``nombre``: what reports call it. ``publica``: where its edge answers, ``https://…`` (``http://`` only on this
    machine); None: it is not asked whether it shows what it must. ``codificacion``: ``gzip`` keeps text compressed,
    with its ``Content-Encoding`` (an edge inflates for who does not take it); ``identidad`` keeps everything plain.
    ``historial``: the originals are kept there too, below a private prefix, and what ``rehace`` needs; ``frase``: where
    the passphrase is under which the key of the acuses goes with it; None: the key does not go. ``purga``: how its edge
    is told to forget.
    """

    nombre: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,32}$")]
    publica: Annotated[str, Field(max_length=2000)] | None = None
    codificacion: Literal["gzip", "identidad"] = "gzip"
    historial: bool = False
    frase: Secreto | None = None
    purga: AjustesPurga = AjustesPurga()

    @field_validator("publica")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            local = parts.scheme == "http" and parts.hostname in _LOCAL
        except ValueError as exc:
            raise PydanticCustomError("publica", "no es una dirección") from exc
        if not parts.hostname or (parts.scheme != "https" and not local):
            raise PydanticCustomError("publica", "debe comenzar con https:// (http:// sólo en este equipo)")
        if parts.username or parts.query or parts.fragment:
            raise PydanticCustomError("publica", "no lleva cuenta, «?» ni «#»")
        return value.rstrip("/") + "/"

    @model_validator(mode="after")
    def _a_store(self) -> AjustesNube:
        if self.esquema != "s3":
            raise PydanticCustomError("url", "debe ser s3://deposito[/prefijo]")
        if self.certificado is not None:
            raise PydanticCustomError("certificado", "a un almacén S3 no se le publica con certificado de cliente")
        return self

    @property
    def prefijo(self) -> str:
        """What every object's name begins with: empty, or with a final slash."""
        inside = self.ruta.strip("/")
        return f"{inside}/" if inside else ""

    def alcanza(self, other: AjustesNube) -> bool:
        """Whether something of this target would lie where the other's does."""
        same = (self.extremo, self.partes.netloc) == (other.extremo, other.partes.netloc)
        return same and (self.prefijo.startswith(other.prefijo) or other.prefijo.startswith(self.prefijo))


def check_apart(targets: Sequence[AjustesNube]) -> None:
    """Several targets of one difusor never write in one place.

    Raises:
        PydanticCustomError: two have one name, or the prefix of one is within the other's.
    """
    for one, other in combinations(targets, 2):
        if one.nombre == other.nombre:
            raise PydanticCustomError("nube", "dos destinos se llaman «{name}»", {"name": one.nombre})
        if one.alcanza(other):
            raise PydanticCustomError(
                "nube",
                "«{one}» y «{other}» escribirían en el mismo lugar",
                {"one": one.nombre, "other": other.nombre},
            )
