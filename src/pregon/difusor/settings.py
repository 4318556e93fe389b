"""``difusor.toml``: everything that a difusor's administrator decides, in one frozen model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.settings import Settings, spanish_problems
from pregon.bitacoras.ajustes import AjustesBitacora, AjustesMemoria, AjustesMotor
from pregon.difusor.nube.ajustes import AjustesNube, check_apart
from pregon.difusor.panel.ajustes import AjustesPanel
from pregon.difusor.servidor.ajustes import Servidor
from pregon.difusor.vigilancia.ajustes import AjustesVigilancia
from pregon.notifica.ajustes import AjustesCanal
from pregon.transport.lugar import Lugar

Ambiente = Literal["oficial", "simulacro"]

ENTRADA = "entrada"
"""Value of ``origen`` that means: the sender pushes into our own ``entrada/``."""

EN_RED = ("https", "s3")
"""Schemes of an origin that is read over the network."""


class Acceso(Lugar):
    """``[acceso]``: what opens a network origin. Keys as those of ``transport.lugar.Lugar``, all but the address."""

    url: Literal[""] = ""

    def lugar(self, url: str) -> Lugar:
        """The place at ``url``, opened so.

        Raises:
            PydanticCustomError: something else is needed, or does not go together.
        """
        try:
            return Lugar.model_validate({**{name: getattr(self, name) for name in Lugar.model_fields}, "url": url})
        except ValidationError as exc:
            problems = "; ".join(spanish_problems(exc))
            told = {"url": url.rpartition("@")[2], "problems": problems, "reservado": True}
            raise PydanticCustomError("lugar", "{url}: {problems}", told) from exc


class AjustesAcuses(Acceso):
    """``[acuses]``: how our acuses reach the institute, besides staying in ``acuses/``.

    ``envia``: address of the institute's receiver, ``https://…``; each acuse is posted to
    ``<envia>/acuses/<difusor>/<nodo>``. The other keys, as in ``[acceso]``, are what opens it. ``copia``: a folder into
    which each is copied, for the institute to collect over the carrier by which it delivers.
    """

    envia: Annotated[str, Field(max_length=2000)] | None = None
    copia: Path | None = None

    @field_validator("envia")
    @classmethod
    def _over_tls(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("https://"):
            raise PydanticCustomError("envia", "debe comenzar con https:// (TLS 1.2 o posterior)")
        return value

    @model_validator(mode="after")
    def _can_be_opened(self) -> AjustesAcuses:
        if self.envia is not None:
            self.lugar(self.envia)
        return self

    @property
    def destino(self) -> Lugar | None:
        """The institute's receiver, None where acuses are not sent."""
        return None if self.envia is None else self.lugar(self.envia.rstrip("/"))


class Reloj(Settings):
    """How this machine knows that its clock is right.

    ``fuente``: ``chrony`` asks the local chronyd, ``ntp`` asks ``servidor``, ``ninguna`` measures nothing (then only
    a witness opens the embargo), ``simulado`` takes ``desfase_s`` as measured. ``max_desfase_s`` is the limit in
    seconds. ``simulado`` names the file of a simulated clock. Both simulated keys: only where ambiente = simulacro.
    """

    fuente: Literal["chrony", "ntp", "ninguna", "simulado"] = "chrony"
    servidor: str = "cronos.cenam.mx"
    max_desfase_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    desfase_s: float = 0.0
    simulado: Path | None = None


class DifusorSettings(Settings):
    """The settings of one difusor for one convocatoria.

    ``convocatoria``: the id of a shipped profile or the path of a TOML (relative to the workspace). ``origen``:
    ``entrada`` (the sender pushes here), a folder or its ``file://`` address, or ``https://…`` or ``s3://…``, with
    ``acceso`` for what opens it. ``sondeo_s``: seconds between passes.
    """

    convocatoria: str
    ambiente: Ambiente = "oficial"
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,32}$")]
    nodo: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")] = "principal"
    origen: str = ENTRADA
    sondeo_s: Annotated[float, Field(ge=0.05, le=3600)] = 5.0
    acceso: Acceso = Acceso()
    acuses: AjustesAcuses = AjustesAcuses()
    reloj: Reloj = Reloj()
    servidor: Servidor = Servidor()
    vigilancia: AjustesVigilancia = AjustesVigilancia()
    notifica: tuple[AjustesCanal, ...] = ()
    panel: AjustesPanel = AjustesPanel()
    nube: tuple[AjustesNube, ...] = ()
    bitacora: tuple[AjustesBitacora, ...] = ()
    memoria: AjustesMemoria = AjustesMemoria()
    motor: AjustesMotor = AjustesMotor()

    @field_validator("origen")
    @classmethod
    def _known_carrier(cls, value: str) -> str:
        scheme = urlsplit(value).scheme
        if not value:
            raise PydanticCustomError("origen", "vacío")
        if scheme == "http":
            raise PydanticCustomError("origen", "http:// no se usa: escriba https:// (TLS 1.2 o posterior)")
        if scheme not in ("", "file", *EN_RED):
            raise PydanticCustomError(
                "origen",
                "debe ser «entrada», una carpeta, https://… o s3://…; por SFTP, SCP o rsync es el instituto quien "
                "deposita en «entrada»",
            )
        return value

    @model_validator(mode="after")
    def _can_be_read(self) -> DifusorSettings:
        if self.en_red:
            self.acceso.lugar(self.origen)
        elif self.acceso != Acceso():
            raise PydanticCustomError("acceso", "[acceso] es de un origen https://… o s3://…")
        return self

    @model_validator(mode="after")
    def _targets_are_apart(self) -> DifusorSettings:
        check_apart(self.nube)
        return self

    @model_validator(mode="after")
    def _simulated_time_is_for_simulacro(self) -> DifusorSettings:
        if self.ambiente != "simulacro" and (self.reloj.simulado is not None or self.reloj.fuente == "simulado"):
            raise ValueError('reloj: el tiempo simulado solo existe donde ambiente = "simulacro"')
        return self

    @property
    def en_red(self) -> bool:
        """Whether the repository is read over the network."""
        return urlsplit(self.origen).scheme in EN_RED

    @property
    def lugar_origen(self) -> Lugar:
        """The network origin, and what opens it."""
        return self.acceso.lugar(self.origen)

    def origin_folder(self, workspace: Path) -> Path:
        """The folder to read the repository from; relative ones count from the workspace."""
        if self.origen == ENTRADA:
            return workspace / ENTRADA
        if self.origen.startswith("file:"):
            return Path(unquote(urlsplit(self.origen).path))
        return workspace / self.origen
