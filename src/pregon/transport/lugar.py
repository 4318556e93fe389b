"""A place at the other end of a link, as written in a settings file: its address and what opens it.

Addresses, by carrier:

* ``sftp://user@host[:port]/folder`` and ``scp://user@host[:port]/folder``: OpenSSH;
* ``rsync+ssh://user@host[:port]/folder``: rsync over SSH;
* ``rsync://[user@]host[:port]/module[/folder]``: a daemon of rsync (873; 2873 where the call says, DGO-II-net-c3);
* ``https://host[:port]/folder``: only to read;
* ``s3://bucket[/prefix]``: an S3 store, with ``extremo`` where it is not Amazon's own;
* ``file:///folder`` or a path: a folder, a mount, a USB stick.

``ftp`` is never spoken: the forms that ask for an account of it (MOR-A2-5, MEX-A1-5) get SFTP.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.errors import AjustesError
from pregon.base.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

SSH = ("sftp", "scp", "rsync+ssh")
"""Schemes whose other end is an OpenSSH server."""
ESQUEMAS = (*SSH, "rsync", "https", "s3", "file", "")

Secreto = Annotated[str, Field(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|archivo:.+)$")]
"""Where a secret is: ``env:NAME`` or ``archivo:PATH`` (relative to the workspace). Never the secret itself."""


class Lugar(Settings):
    """One place. Paths are relative to the workspace that names them.

    ``llave``: private key of SSH, unencrypted and readable by its owner alone. ``anfitriones``: a file as OpenSSH's
    ``known_hosts`` with the other end's key; without it nothing is sent. ``secreto``: the password of an rsync daemon,
    the token of an HTTPS service, the secret key of S3. ``clave_acceso``: its access key. ``ca``: PEM certificates that
    sign the other end's, instead of the system's. ``certificado`` and ``clave_certificado``: ours, where TLS asks for
    one. ``proxy``: ``http://host:port``, for HTTPS and S3. ``extremo``, ``region`` and ``estilo_ruta`` are S3's:
    endpoint (a private link's host too, INE-II-a-iii-2b), region, and bucket in the path instead of in the host.
    """

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    llave: Path | None = None
    anfitriones: Path | None = None
    secreto: Secreto | None = None
    clave_acceso: str | None = None
    ca: Path | None = None
    certificado: Path | None = None
    clave_certificado: Path | None = None
    proxy: Annotated[str, Field(pattern=r"^https?://[^/@]+/?$")] | None = None
    extremo: Annotated[str, Field(pattern=r"^https?://[^/@]+/?$")] | None = None
    region: str = "us-east-1"
    estilo_ruta: bool = True

    @field_validator("url")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError as exc:
            raise PydanticCustomError("url", "no es una dirección") from exc
        if parts.scheme in ("ftp", "ftps"):
            raise PydanticCustomError("url", "FTP no se usa: pida una cuenta SFTP y escriba sftp://…")
        if parts.scheme not in ESQUEMAS:
            known = ", ".join(f"{scheme}://" for scheme in ESQUEMAS if scheme)
            raise PydanticCustomError("url", "debe ser una carpeta o comenzar con {known}", {"known": known})
        if parts.password is not None:
            raise PydanticCustomError("url", "no lleva contraseña: escríbala aparte, en «secreto»", {"reservado": True})
        if parts.query or parts.fragment:
            raise PydanticCustomError("url", "no lleva «?» ni «#»")
        if parts.scheme not in ("", "file") and not parts.hostname:
            raise PydanticCustomError("url", "le falta el nombre o la dirección del otro equipo")
        if parts.scheme in SSH and not parts.username:
            raise PydanticCustomError(
                "url", "le falta la cuenta: {scheme}://cuenta@equipo/carpeta", {"scheme": parts.scheme}
            )
        if port == 0:
            raise PydanticCustomError("url", "el puerto 0 no existe")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Lugar:
        if self.esquema in SSH and (self.llave is None or self.anfitriones is None):
            raise ValueError(
                "hacen falta «llave» (llave privada) y «anfitriones» (archivo known_hosts del otro equipo)"
            )
        if (self.certificado is None) != (self.clave_certificado is None):
            raise ValueError("«certificado» y «clave_certificado» van juntos")
        return self

    @property
    def partes(self) -> SplitResult:
        """The address, split."""
        return urlsplit(self.url)

    @property
    def esquema(self) -> str:
        """The carrier's scheme; «file» for a plain path."""
        return self.partes.scheme or "file"

    @property
    def ruta(self) -> str:
        """The path of the address, decoded."""
        return unquote(self.partes.path) if self.partes.scheme else self.url

    @property
    def carpeta(self) -> str:
        """The folder as the other end of SSH wants it: absolute, or after ``/~/`` relative to the account's own."""
        ruta = self.ruta.rstrip("/") or "/"
        if ruta == "/~":
            return "."
        return ruta.removeprefix("/~/") if ruta.startswith("/~/") else ruta

    @property
    def sin_secretos(self) -> str:
        """The address as it may be written in a log."""
        return self.url

    def authorization(self, workspace: Path, environment: Mapping[str, str]) -> dict[str, str]:
        """The header by which HTTPS lets in who has the token of ``secreto``; none where the settings name none.

        Raises:
            AjustesError: as ``secret``, or it has characters that cannot travel.
        """
        token = self.secret(workspace, environment)
        if token is None:
            return {}
        if not (token.isascii() and token.isprintable()):
            raise AjustesError(
                f"No sirve el token de «secreto» de {self.sin_secretos}: tiene caracteres que no pueden viajar.",
                intacto="No se envió ni se leyó nada.",
                que_hacer="Corrija el valor que nombra «secreto» y repita la orden.",
            )
        return {"authorization": f"Bearer {token}"}

    def secret(self, workspace: Path, environment: Mapping[str, str]) -> str | None:
        """The secret itself, read now; None where the settings name none.

        Raises:
            AjustesError: the variable is not set, or the file cannot be read or is empty.
        """
        return None if self.secreto is None else read_secret(self.secreto, self.sin_secretos, workspace, environment)


def read_secret(secreto: str, para: str, folder: Path, environment: Mapping[str, str]) -> str:
    """What a ``Secreto`` names, read now; paths are relative to ``folder``, and ``para`` says what it opens.

    Raises:
        AjustesError: the variable is not set, or the file cannot be read or is empty.
    """
    kind, _, name = secreto.partition(":")
    problem = None
    value = ""
    if kind == "env":
        value = environment.get(name, "")
        problem = None if value else f"la variable de entorno {name} no tiene valor"
    else:
        try:
            value = (folder / name).read_text(encoding="utf-8").strip("\r\n")
            problem = None if value else f"el archivo {name} está vacío"
        except (OSError, UnicodeDecodeError) as exc:
            problem = f"no se pudo leer el archivo {name}: {exc}"
    if problem is not None:
        raise AjustesError(
            f"Falta el secreto de {para}: {problem}.",
            intacto="No se envió ni se leyó nada.",
            que_hacer="Ponga el valor donde lo nombra «secreto» y repita la orden.",
        )
    return value
