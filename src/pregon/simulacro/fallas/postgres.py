"""A PostgreSQL for one rehearsed night, which two machines of its institute share (``instituto.relevo``).

Debian's own programs, on a free loopback port and with a password of its own; its folder is made for it and removed.
Run by root, the server is given to the account that Debian makes for it: PostgreSQL refuses to be root's.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError, EntradaError
from pregon.base.procesos import running, start, wait_until
from pregon.base.red import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

CUENTA = "postgres"
HOST = "127.0.0.1"
USUARIO = "pregon"
INICIO_S = 60.0
_PROGRAMAS = ("initdb", "postgres")
CARPETAS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
"""Where Debian and RHEL keep them: out of everybody's PATH."""
_SIN_DISCO = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""A server that ends with the night need not survive a power cut; what is proved is who takes over, not its disk."""


def exige() -> None:
    """Check that this machine can have one, before anything is made.

    Raises:
        AjustesError: psycopg is not installed. EntradaError: PostgreSQL is not, or its account is not there.
    """
    if importlib.util.find_spec("psycopg") is None:
        raise AjustesError(
            "Para ensayar el relevo del instituto falta el programa «psycopg».",
            intacto="No se creó nada.",
            que_hacer="Instale Pregón con él: pip install 'pregon[simulacro]'. O escriba un plan de fallas "
            "sin «instituto_relevado».",
        )
    _programs()
    _prefix()


@contextlib.contextmanager
def servidor() -> Iterator[str]:
    """Run one until the block ends; its address, password included, as an operator would write it.

    Raises:
        EntradaError: as ``exige``. ComprobacionError: it did not start; the text has what it printed.
    """
    import psycopg

    programs, prefix, password, port = _programs(), _prefix(), secrets.token_hex(16), free_port(HOST)
    folder = Path(tempfile.mkdtemp(prefix="pregon-ensayo-pg-"))
    try:
        secret, data = folder / "clave", folder / "datos"
        secret.write_text(password)
        if prefix:
            account = pwd.getpwnam(CUENTA)
            for path in (folder, secret):
                os.chown(path, account.pw_uid, account.pw_gid)
        first = [*prefix, str(programs["initdb"]), "-D", str(data), "-U", USUARIO, "--auth=scram-sha-256", "-E", "UTF8"]
        made = start([*first, f"--pwfile={secret}", "--no-sync", "--locale=C.UTF-8"], output=folder / "initdb.log")
        if made.wait(INICIO_S) != 0:
            raise EntradaError(
                f"PostgreSQL no pudo preparar su base para el ensayo.\n{made.tail()}",
                intacto="No se empezó la noche.",
                que_hacer="Revise la instalación de PostgreSQL, o escriba un plan sin «instituto_relevado».",
            )
        settings = (f"listen_addresses={HOST}", f"unix_socket_directories={folder}", *_SIN_DISCO)
        command = [*prefix, str(programs["postgres"]), "-D", str(data), "-p", str(port)]
        command += [word for one in settings for word in ("-c", one)]
        url = f"postgresql://{USUARIO}:{password}@{HOST}:{port}/postgres"
        with running(command, output=folder / "servidor.log") as process:

            def answers() -> bool:
                with contextlib.suppress(psycopg.Error):
                    psycopg.connect(url, connect_timeout=2).close()
                    return True
                return False

            wait_until(answers, process, timeout=INICIO_S, what="PostgreSQL")
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name in _PROGRAMAS:
        places = [path for pattern in CARPETAS for path in sorted(Path("/").glob(f"{pattern[1:]}/{name}"))]
        on_path = shutil.which(name)
        if places:
            found[name] = places[-1]
        elif on_path is not None:
            found[name] = Path(on_path)
    missing = [name for name in _PROGRAMAS if name not in found]
    if missing:
        raise EntradaError(
            f"Para ensayar el relevo del instituto falta PostgreSQL ({', '.join(missing)}).",
            intacto="No se creó nada.",
            que_hacer="Instálelo (en Debian: postgresql), o escriba un plan de fallas sin «instituto_relevado».",
        )
    return found


def _prefix() -> list[str]:
    """What runs a command as the server's own account; nothing where we are not root."""
    if os.geteuid() != 0:
        return []
    try:
        account = pwd.getpwnam(CUENTA)
    except KeyError as exc:
        raise EntradaError(
            f"PostgreSQL no corre como root y no existe la cuenta «{CUENTA}».",
            intacto="No se creó nada.",
            que_hacer="Ensaye con una cuenta ordinaria, o instale el paquete postgresql, que crea la suya.",
        ) from exc
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
