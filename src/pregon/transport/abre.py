"""Opens a place by its scheme: to push into it, to collect acuses from it, or to read a repository from it.

Each carrier's module is imported only when a place asks for it: a difusor that reads a folder has neither asyncssh nor
obstore.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.transport.destino import AcuseBox, Destination
    from pregon.transport.lugar import Lugar
    from pregon.trust.origen import RepositorySource

RSYNC = ("rsync+ssh", "rsync")


def open_destination(
    lugar: Lugar,
    *,
    folder: Path,
    clock: Clock,
    environment: Mapping[str, str],
    puertos: Sequence[int] = (),
    completo: bool = False,
) -> Destination:
    """The place as somewhere to push into.

    Args:
        folder: the workspace to which its paths are relative.
        environment: where its secret is, if it is a variable.
        puertos: others to try where nobody takes the connection at the port of the address; rsync's alone.
        completo: send again what is there, where the carrier trusts what it finds or remembers (SFTP, SCP).

    Raises:
        AjustesError: nobody pushes by that scheme, its carrier is not installed, or its secret is not there.
        DestinoError: a file of its settings (key, certificate) cannot be used.
    """
    with _installed(lugar):
        if lugar.esquema == "file":
            from pregon.transport.local import FolderDestination

            return FolderDestination(lugar, folder=folder, clock=clock)
        if lugar.esquema == "sftp":
            from pregon.transport.ssh.sftp import SftpDestination

            return SftpDestination(lugar, folder=folder, clock=clock, completo=completo)
        if lugar.esquema == "scp":
            from pregon.transport.ssh.scp import ScpDestination

            return ScpDestination(lugar, folder=folder, clock=clock, completo=completo)
        if lugar.esquema in RSYNC:
            from pregon.transport.rsync.destino import RsyncDestination

            return RsyncDestination(lugar, folder=folder, clock=clock, environment=environment, puertos=puertos)
        if lugar.esquema == "s3":
            from pregon.transport.s3 import S3Destination

            return S3Destination(lugar, folder=folder, clock=clock, environment=environment)
    raise _nobody(lugar, "entregar")


def open_acuses(
    lugar: Lugar, *, folder: Path, clock: Clock, environment: Mapping[str, str], puertos: Sequence[int] = ()
) -> AcuseBox:
    """The place as somewhere to collect acuses from. Arguments and errors as ``open_destination``."""
    with _installed(lugar):
        if lugar.esquema == "file":
            from pregon.transport.buzon import FolderAcuses

            return FolderAcuses(folder / lugar.ruta)
        if lugar.esquema == "sftp":
            from pregon.transport.ssh.sftp import SftpAcuses

            return SftpAcuses(lugar, folder=folder)
        if lugar.esquema == "scp":
            from pregon.transport.ssh.scp import ScpAcuses

            return ScpAcuses(lugar, folder=folder)
        if lugar.esquema in RSYNC:
            from pregon.transport.rsync.destino import RsyncAcuses

            return RsyncAcuses(lugar, folder=folder, environment=environment, puertos=puertos)
        if lugar.esquema == "s3":
            from pregon.transport.s3 import S3Acuses

            return S3Acuses(lugar, folder=folder, clock=clock, environment=environment)
    raise _nobody(lugar, "recoger acuses")


def open_source(lugar: Lugar, *, folder: Path, clock: Clock, environment: Mapping[str, str]) -> RepositorySource:
    """The place as a repository to read. Arguments and errors as ``open_destination``."""
    with _installed(lugar):
        if lugar.esquema == "file":
            from pregon.transport.local import FolderSource

            return FolderSource(folder / lugar.ruta)
        if lugar.esquema == "https":
            from pregon.transport.https import HttpsSource

            return HttpsSource(lugar, folder=folder, clock=clock, environment=environment)
        if lugar.esquema == "s3":
            from pregon.transport.s3 import S3Source

            return S3Source(lugar, folder=folder, clock=clock, environment=environment)
    raise _nobody(lugar, "leer un repositorio")


@contextlib.contextmanager
def _installed(lugar: Lugar) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as exc:
        raise AjustesError(
            f"Para {lugar.esquema}:// falta el programa «{exc.name}».",
            intacto="No se envió ni se leyó nada.",
            que_hacer="Instale Pregón con lo del instituto: pip install 'pregon[instituto]'.",
        ) from exc


def _nobody(lugar: Lugar, what: str) -> AjustesError:
    return AjustesError(
        f"Por {lugar.esquema}:// no se puede {what} ({lugar.sin_secretos}).",
        intacto="No se envió ni se leyó nada.",
        que_hacer="Use otra dirección; docs/operacion/entrega.md dice cuáles hay para cada convocatoria.",
    )
