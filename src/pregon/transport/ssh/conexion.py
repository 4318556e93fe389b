"""Connecting to an OpenSSH server, for every carrier that speaks SSH, and its failures in our own words.

What opens the other end is what the settings name and nothing else: one key file, one list of host keys. No agent, no
file of the user's, no password, no certificate, no forwarding. A host whose key is not in that list gets nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import asyncssh

from pregon.base.errors import DestinoError, PregonError, RedError
from pregon.base.razones import razon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
    from pathlib import Path

    from pregon.transport.caudal import Caudal
    from pregon.transport.lugar import Lugar

CONNECT_S = 10.0
"""For reaching the other machine, and again for each session opened in the connection."""
STALL_S = 30.0
"""Without one byte taken at the other end for so long, the delivery ends."""
KEEPALIVE_S = 15.0
"""A link that says nothing is asked; firewalls forget connections that are silent for a minute."""
CLOSE_S = 2.0
"""For an orderly end; after it the connection is dropped."""
PORT = 22

ACUSE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}\.json")
"""Names of acuses; anything else in their folder is not read."""
MAX_ACUSE = 1 << 16
MAX_ACUSES = 5_000
"""Read at one time; the rest comes next time."""

CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes128-ctr",
)
"""By what they cost: AES-GCM takes half the processor that asyncssh's own first choice takes (measured, 100 MB)."""

_INTACTO = "Lo que ya estaba allá sigue completo; lo que quedó a medias nadie lo lee."
_NADA = "No se envió ni se leyó nada: lo que hay allá sigue como estaba."

T = TypeVar("T")


@dataclass(frozen=True)
class Acceso:
    """What opens one place, read from its files and checked. It never goes into a message."""

    nombre: str
    host: str
    puerto: int
    usuario: str
    llave: asyncssh.SSHKey
    llave_archivo: Path
    anfitriones: asyncssh.SSHKnownHosts
    anfitriones_archivo: Path


def access(lugar: Lugar, folder: Path) -> Acceso:
    """Read key and host keys of ``lugar``; its paths are relative to ``folder``.

    Raises:
        DestinoError: a file is missing, the key is closed by a passphrase or open to others, the list cannot be read,
            or does not have this host. Nothing was sent.
    """
    if lugar.llave is None or lugar.anfitriones is None:
        raise _ours(lugar, "faltan «llave» y «anfitriones» en sus ajustes", "Escríbalos y repita la entrega.")
    parts = lugar.partes
    host, port = parts.hostname or "", parts.port or PORT
    llave, anfitriones = folder / lugar.llave, folder / lugar.anfitriones
    key = _private_key(lugar, llave)
    try:
        known = asyncssh.read_known_hosts(str(anfitriones))
        found = asyncssh.match_known_hosts(known, host, "", port)
    except FileNotFoundError as exc:
        raise _ours(
            lugar,
            f"no existe {anfitriones}, la lista de llaves de equipos",
            f"Pida al difusor la huella de su equipo y anótela con «ssh-keyscan -p {port} {host}».",
        ) from exc
    except (OSError, ValueError) as exc:
        raise _ours(
            lugar, f"no se pudo leer {anfitriones}: {exc}", "Corrija la lista: una línea por equipo, como known_hosts."
        ) from exc
    if not any(found[:2]):
        where = host if port == PORT else f"[{host}]:{port}"
        raise _ours(
            lugar,
            f"el equipo {where} no está en {anfitriones}: no se sabe quién contesta",
            f"Pida al difusor la huella de su equipo, compárela con «ssh-keyscan -p {port} {host}» y agregue la línea.",
        )
    return Acceso(
        nombre=lugar.sin_secretos,
        host=host,
        puerto=port,
        usuario=parts.username or "",
        llave=key,
        llave_archivo=llave,
        anfitriones=known,
        anfitriones_archivo=anfitriones,
    )


def _private_key(lugar: Lugar, path: Path) -> asyncssh.SSHKey:
    problem, advice = "", ""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise _ours(
                lugar,
                f"la llave {path} la pueden leer otras cuentas de este equipo",
                f"Ejecute «chmod 600 {path}»; si alguien pudo copiarla, cámbiela por otra.",
            )
        return asyncssh.read_private_key(path)
    except FileNotFoundError:
        problem, advice = f"no existe la llave {path}", "Corrija «llave» en sus ajustes o haga la llave con ssh-keygen."
    except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError) as exc:
        closed = isinstance(exc, asyncssh.KeyEncryptionError) or "passphrase" in str(exc).lower()
        problem = f"la llave {path} está cerrada con una frase" if closed else f"{path} no es una llave privada"
        advice = (
            "Use una llave sin frase para esta cuenta, que sólo entrega: «ssh-keygen -p» la quita."
            if closed
            else "Haga otra con «ssh-keygen -t ed25519» y envíe al difusor la parte pública."
        )
    except OSError as exc:
        problem, advice = f"no se pudo leer la llave {path}: {razon(exc)}", "Revise los permisos del archivo."
    raise _ours(lugar, problem, advice)


def _ours(lugar: Lugar, problem: str, advice: str) -> DestinoError:
    return DestinoError(f"No se puede entrar a {lugar.sin_secretos}: {problem}.", intacto=_NADA, que_hacer=advice)


class Estancado(TimeoutError):
    """Nothing moved for too long; see ``Avance``."""


class Avance:
    """Drops a connection when nothing moved for ``stall_s`` seconds; ``moved`` is called at each step forward.

    Dropping ends every wait of the link. Cancelling would not: asyncssh closes files when it is cancelled, and waits
    for the answer.
    """

    def __init__(self, connection: asyncssh.SSHClientConnection, stall_s: float) -> None:
        self._connection = connection
        self._stall_s = stall_s
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + stall_s
        self._timer = self._loop.call_at(self._until, self._look)
        self._expired = False

    async def __aenter__(self) -> Avance:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._timer.cancel()
        if self._expired:
            raise Estancado from error

    def _look(self) -> None:
        if self._loop.time() < self._until:
            self._timer = self._loop.call_at(self._until, self._look)
        else:
            self._expired = True
            self._connection.abort()

    def moved(self, *, luego_s: float = 0.0) -> None:
        """Something moved, or is to move only after ``luego_s`` seconds (it waits its turn of the shared rate)."""
        self._until = max(self._until, self._loop.time() + luego_s + self._stall_s)

    async def turn(self, caudal: Caudal, size: int) -> None:
        """Wait until ``size`` bytes may go on the link."""
        wait = caudal.reserve(size)
        if wait > 0:
            self.moved(luego_s=wait)
            await asyncio.sleep(wait)


@contextlib.asynccontextmanager
async def connected(acceso: Acceso, *, connect_s: float) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """An authenticated connection; it is closed in order when the block ends well and dropped when it does not."""
    async with asyncio.timeout(connect_s):
        connection = await asyncssh.connect(
            acceso.host,
            acceso.puerto,
            username=acceso.usuario,
            client_keys=[acceso.llave],
            known_hosts=acceso.anfitriones,
            config=None,
            agent_path=None,
            pkcs11_provider=None,
            x509_trusted_certs=None,
            public_key_auth=True,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_auth=False,
            gss_kex=False,
            encryption_algs=CIPHERS,
            compression_algs=("none",),  # What travels is compressed already.
            keepalive_interval=KEEPALIVE_S,
            login_timeout=connect_s,
        )
    try:
        yield connection
    except BaseException:
        connection.abort()
        raise
    else:
        connection.close()
    finally:
        try:
            await asyncio.wait_for(connection.wait_closed(), CLOSE_S)
        except TimeoutError:
            connection.abort()


@contextlib.asynccontextmanager
async def tasks() -> AsyncIterator[asyncio.TaskGroup]:
    """A group whose first failure ends the others and is raised alone, as the failure of one would be."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failed:
        first: BaseException = failed
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None


async def together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run all at once, begun in their order, and give their results in order; failures as in ``tasks``."""
    async with tasks() as group:
        running = [group.create_task(call) for call in calls]
    return [task.result() for task in running]


@contextlib.contextmanager
def border(acceso: Acceso, *, stall_s: float, connect_s: float) -> Iterator[None]:
    """Whatever SSH, SFTP or the system raise within becomes ``RedError`` or ``DestinoError``."""
    try:
        yield
    except PregonError:
        raise
    except (asyncssh.Error, OSError, EOFError) as exc:
        raise _mapped(exc, acceso, stall_s=stall_s, connect_s=connect_s) from exc


def _mapped(exc: Exception, acceso: Acceso, *, stall_s: float, connect_s: float) -> PregonError:
    """By what helps: a refusal stays until somebody changes something, a failure of the link may pass by itself."""
    name = acceso.nombre
    if isinstance(exc, asyncssh.HostKeyNotVerifiable) or (
        isinstance(exc, asyncssh.KeyExchangeFailed) and "host key" in str(exc).lower()
    ):
        return DestinoError(
            f"La llave del equipo {acceso.host} no es la anotada en {acceso.anfitriones_archivo}: "
            f"quien contesta en {name} puede ser otro.",
            intacto=_NADA,
            que_hacer="No la cambie sin preguntar: confirme por teléfono con el difusor la huella nueva de su equipo.",
        )
    if isinstance(exc, asyncssh.PermissionDenied):
        return DestinoError(
            f"{name} no admite la llave {acceso.llave_archivo} para la cuenta {acceso.usuario}.",
            intacto=_NADA,
            que_hacer="Pida al difusor que ponga la parte pública en esa cuenta y que admita la dirección del "
            "instituto (pregon difusor configura sshd).",
        )
    if isinstance(exc, asyncssh.ChannelOpenError):
        return DestinoError(
            f"{name} deja entrar, pero no abre la sesión: {exc.reason}.",
            intacto=_INTACTO,
            que_hacer="Pida al difusor que revise la línea de la llave y los límites de su sshd (MaxSessions).",
        )
    return RedError(
        f"Se perdió la entrega a {name}: {_network(exc, stall_s=stall_s, connect_s=connect_s)}.",
        intacto=_INTACTO,
        que_hacer="Se reanuda sola en el siguiente intento; si se repite, revise la red y el equipo del difusor.",
    )


def _network(exc: Exception, *, stall_s: float, connect_s: float) -> str:
    if isinstance(exc, Estancado):
        return f"no avanzó un solo byte en {stall_s:g} s"
    if isinstance(exc, TimeoutError):
        return f"el equipo no respondió en {connect_s:g} s"
    if isinstance(exc, ConnectionRefusedError):
        return "el equipo rechazó la conexión: su sshd está apagado o el puerto es otro"
    if isinstance(exc, socket.gaierror):
        return "el nombre del equipo no se encuentra en el DNS"
    if isinstance(exc, (ConnectionError, EOFError, asyncssh.ConnectionLost, asyncssh.SFTPConnectionLost)):
        return "el otro extremo cortó la conexión"
    if isinstance(exc, asyncssh.SFTPNoConnection):
        return "el otro extremo cortó la conexión"
    if isinstance(exc, OSError):
        return razon(exc)
    return f"la conexión se dañó ({exc})"
