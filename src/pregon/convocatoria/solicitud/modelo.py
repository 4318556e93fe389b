"""The form of a difusor: what it declares to be one, as it is read from a TOML file.

``Ficha`` has the fields that the five calls ask for between them; ``formulario`` says which of them a call asks for,
and with what words. ``Borrador`` is the same while it is being filled in: nothing has to be there yet, and what is
there is checked as well. All of it is confidential (INE-V-b) save what the public list needs: ``nombre``, ``url``
and logo.
"""

from __future__ import annotations

import ipaddress
from datetime import date, time
from typing import Annotated, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.settings import Settings

Texto = Annotated[str, Field(min_length=1, max_length=2000)]
Linea = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Telefono = Annotated[str, Field(pattern=r"^[0-9+()., extEXT-]{7,60}$")]
Correo = Annotated[str, Field(pattern=r"^[^\s@<>,;:\"()\[\]\\]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+$", max_length=254)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Ident = Annotated[str, Field(pattern=r"^[a-z0-9-]{2,32}$")]
Pem = Annotated[
    str, Field(pattern=r"^-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]{40,1000}-----END PUBLIC KEY-----\s*$")
]
Tipo: TypeAlias = Literal["academia", "osc", "medios"]
CONTACTOS_MAX = 40
LISTA_MAX = 100


class ContactoBorrador(Settings):
    """One person to call, and for what (GRO-5.4, DGO-III-5, MOR-A2-3, MOR-A2-4, INE-V-a-ii).

    ``papel``: «tecnico» or «legal». ``etapas``: names of the call's stages; empty, all of them. ``desde`` and
    ``hasta``: local hours between which the person answers (past midnight where ``hasta`` is less), without them at any
    hour; ``horario``: the same in words, where hours are not enough. ``proveedor``: whose staff, if not the difusor's.
    """

    nombre: Linea | None = None
    papel: Literal["tecnico", "legal"] = "tecnico"
    cargo: Linea | None = None
    telefono: Telefono | None = None
    celular: Telefono | None = None
    correo: Correo | None = None
    etapas: tuple[Linea, ...] = ()
    desde: time | None = None
    hasta: time | None = None
    horario: Linea | None = None
    proveedor: Linea | None = None

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if (self.desde is None) != (self.hasta is None):
            raise ValueError("«desde» y «hasta» van juntos")
        return self

    @property
    def horario_texto(self) -> str:
        """When the person answers, for people."""
        hours = (
            "las 24 horas" if self.desde is None or self.hasta is None else f"{self.desde:%H:%M} a {self.hasta:%H:%M} h"
        )
        return self.horario or hours

    def atiende(self, hora: time) -> bool:
        """Whether the person answers at the local ``hora``."""
        if self.desde is None or self.hasta is None:
            return True
        if self.desde <= self.hasta:
            return self.desde <= hora < self.hasta
        return hora >= self.desde or hora < self.hasta


class Contacto(ContactoBorrador):
    """One person who can be called: with a name, and a way to."""

    nombre: Linea

    @model_validator(mode="after")
    def _can_be_called(self) -> Self:
        if not (self.telefono or self.celular or self.correo):
            raise ValueError("hace falta «telefono», «celular» o «correo»")
        return self


class DomicilioBorrador(Settings):
    """Where the difusor is (GRO-1.7d)."""

    direccion: Linea | None = None
    ciudad: Linea | None = None
    estado: Linea | None = None


class Domicilio(DomicilioBorrador):
    """The whole of it."""

    direccion: Linea
    ciudad: Linea
    estado: Linea


class Infraestructura(Settings):
    """What it declares to have. ``ip``: one public address for each publication server (GRO-2.4b, DGO-II-net-b)."""

    software: Texto | None = None
    hardware: Texto | None = None
    energia: Texto | None = None
    red: Texto | None = None
    nube: Linea | None = None
    mbps: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    ups_kva_servidores: Annotated[float, Field(ge=0, le=10_000)] | None = None
    ups_kva_comunicaciones: Annotated[float, Field(ge=0, le=10_000)] | None = None
    ip: Annotated[tuple[str, ...], Field(max_length=LISTA_MAX)] = ()

    @field_validator("ip")
    @classmethod
    def _public(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                address = ipaddress.ip_address(text)
            except ValueError as exc:
                raise PydanticCustomError("ip", "«{cual}» no es una dirección IP", {"cual": text}) from exc
            if not address.is_global:
                raise PydanticCustomError("ip", "«{cual}» no es una dirección IP pública", {"cual": text})
        return value


class Llaves(Settings):
    """Public keys, never a password: forms that ask for an FTP account get these (MOR-A2-5, MEX-A1-5).

    ``acuses``: PEM with which its acuses verify. ``anfitrion``: line of ``known_hosts`` of its server.
    """

    acuses: Pem | None = None
    anfitrion: Annotated[str, Field(pattern=r"^\S+ (ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/=]{40,1000}( .*)?$")] | None = None


class Documento(Settings):
    """One paper received: which of the call's, when, and its SHA-256; ``vence``: of a certificate (INE-II-a-v)."""

    nombre: Linea
    recibido: date
    sha256: Sha256 | None = None
    vence: date | None = None


class Dispensa(Settings):
    """An item of infrastructure that is not met, and what the institute decided on it (GRO-2.6)."""

    concepto: Linea
    declarado: Texto
    decision: Literal["pendiente", "aceptada", "negada"] = "pendiente"
    decide: Linea | None = None
    fecha: date | None = None

    @model_validator(mode="after")
    def _decided_by_somebody(self) -> Dispensa:
        if self.decision != "pendiente" and (self.decide is None or self.fecha is None):
            raise ValueError("una dispensa decidida lleva «decide» y «fecha»")
        return self


class Personalizada(Settings):
    """The institute's permission to show results in another form (GRO-1.3b, DGO-I-3b)."""

    oficio: Linea
    fecha: date
    sha256: Sha256


class Borrador(Settings):
    """Everything that a difusor tells the institute, as far as it is written.

    ``url``: where citizens see the results; ``vista_previa``: where the institute sees them before. ``sitio``: its
    ordinary site. ``transporte``: the carrier that it asks for; its nodes are the ``[[destino]]`` of its id.
    ``respuestas``: by its words, what a form asks that has no key here (an institute's own profile, DGO's Anexo A).
    """

    nombre: Linea | None = None
    tipo: Tipo | None = None
    url: Annotated[str, Field(max_length=2000)] | None = None
    sitio: Annotated[str, Field(max_length=2000)] | None = None
    vista_previa: Annotated[str, Field(max_length=2000)] | None = None
    domicilio: DomicilioBorrador | None = None
    transporte: Literal["scp", "rsync", "sftp", "https", "s3", "local"] | None = None
    contacto: Annotated[tuple[ContactoBorrador, ...], Field(max_length=CONTACTOS_MAX)] = ()
    infraestructura: Infraestructura = Infraestructura()
    llaves: Llaves = Llaves()
    documento: Annotated[tuple[Documento, ...], Field(max_length=LISTA_MAX)] = ()
    dispensa: Annotated[tuple[Dispensa, ...], Field(max_length=LISTA_MAX)] = ()
    personalizada: Personalizada | None = None
    respuestas: Annotated[dict[Linea, Texto], Field(max_length=LISTA_MAX)] = Field(default_factory=dict)

    @field_validator("url", "sitio", "vista_previa")
    @classmethod
    def _web(cls, value: str | None) -> str | None:
        if value is not None:
            _check_address(value)
        return value

    def de_papel(self, papel: Literal["tecnico", "legal"]) -> tuple[ContactoBorrador, ...]:
        """Its contacts of one role, in the order of the form."""
        return tuple(one for one in self.contacto if one.papel == papel)


class Ficha(Borrador):
    """A form that the institute registers: who it is, where it publishes, and whom to call."""

    nombre: Linea
    tipo: Tipo
    url: Annotated[str, Field(max_length=2000)]
    domicilio: Domicilio | None = None
    contacto: Annotated[tuple[Contacto, ...], Field(max_length=CONTACTOS_MAX)] = ()


def _check_address(text: str) -> None:
    """An address that a browser opens and that no account, port trick or blank hides in."""
    parts, problem = None, "no es una dirección web"
    if text.isascii() and text.isprintable() and not set(text) & set(" \"'<>\\"):
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            parts = None
        else:
            if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
                parts = None
            elif parts.username is not None or parts.password is not None:
                parts, problem = None, "no lleva usuario ni contraseña"
            elif parts.fragment or parts.query:
                parts, problem = None, "no lleva «?» ni «#»"
    if parts is None:
        raise PydanticCustomError("url", "{texto}", {"texto": problem})
