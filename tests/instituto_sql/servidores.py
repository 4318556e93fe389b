"""Real PostgreSQL and MariaDB servers: on free loopback ports, of an unprivileged user, stopped by their own pid."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from pregon.base import procesos

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

DUENO = "dueno"
LECTOR = "lector"
CLAVE_DUENO = "d:u/e@no%1"
CLAVE_LECTOR = "s3cr@to:de/la%nóche"
BASE = "prep"
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Base:
    """A database with an owner (who captures) and a reader (whom the institute's cut uses)."""

    nombre: str
    dueno: URL
    lector: URL

    def engine(self) -> Engine:
        """The owner's."""
        return create_engine(self.dueno, poolclass=NullPool)

    def run(self, *statements: str) -> None:
        """Do as the owner, in one transaction."""
        engine = self.engine()
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def scalar(self, statement: str) -> Any:
        """One value, as the owner sees it."""
        engine = self.engine()
        with engine.connect() as connection:
            value = connection.execute(text(statement)).scalar()
        engine.dispose()
        return value

    @property
    def direccion(self) -> str:
        """The reader's address as an operator writes it."""
        return as_operator(self.lector)


def as_operator(url: URL) -> str:
    """An address with its password, without the driver's name."""
    text_ = url.render_as_string(hide_password=False)
    return text_.replace("+psycopg", "").replace("mysql+pymysql", "mariadb").replace("+pysqlite", "")


def free_port() -> int:
    """A port of the loopback where nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def postgres() -> Iterator[Base]:
    """A PostgreSQL server with the two accounts, both with passwords."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    program = binaries[-1] if binaries else Path(_found("postgres"))
    with _home("postgres") as (folder, prefix):
        password = folder / "clave"
        password.write_text(CLAVE_DUENO)
        password.chmod(0o644)
        data = folder / "datos"
        initdb = (program.with_name("initdb"), "-D", data, "-U", DUENO, "--auth=scram-sha-256", "-E", "UTF8")
        _done((*prefix, *initdb, f"--pwfile={password}", "--no-sync", "--locale=C.UTF-8"), folder / "initdb.txt")
        port = free_port()
        settings = ("fsync=off", "listen_addresses=127.0.0.1", "max_connections=20", "lock_timeout=10s")
        options = [word for setting in settings for word in ("-c", setting)]
        server = (program, "-D", data, "-p", port, "-k", folder, *options)
        admin = URL.create("postgresql+psycopg", DUENO, CLAVE_DUENO, "127.0.0.1", port, "postgres")
        with procesos.running((*prefix, *map(str, server)), output=folder / "servidor.txt") as process:
            _ready(admin, process)
            engine = create_engine(admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {BASE}"))
                connection.execute(text(f"CREATE ROLE {LECTOR} LOGIN PASSWORD '{_escaped(CLAVE_LECTOR)}'"))
            engine.dispose()
            base = Base("postgres", admin.set(database=BASE), _reader(admin))
            base.run(f"ALTER DEFAULT PRIVILEGES FOR ROLE {DUENO} GRANT SELECT ON TABLES TO {LECTOR}")
            yield base


@contextlib.contextmanager
def mariadb() -> Iterator[Base]:
    """A MariaDB server with the two accounts, both with passwords."""
    program = shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin") or _found("mariadbd")
    with _home("mysql") as (folder, prefix):
        data, sock, port = folder / "datos", folder / "s", free_port()
        install = (_found("mariadb-install-db"), "--no-defaults", "--auth-root-authentication-method=normal")
        _done((*prefix, *install, "--skip-test-db", f"--datadir={data}"), folder / "instala.txt")
        server = (program, "--no-defaults", f"--datadir={data}", f"--socket={sock}", f"--port={port}")
        small = ("--lock-wait-timeout=10", "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0")
        command = (
            *prefix,
            *server,
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            *small,
            f"--pid-file={folder}/pid",
        )
        with procesos.running(command, output=folder / "servidor.txt") as process:
            procesos.wait_until(sock.exists, process, timeout=_START_SECONDS, what="MariaDB")
            root = pymysql.connect(unix_socket=str(sock), user="root", password="")
            with root, root.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {BASE} CHARACTER SET utf8mb4")
                for user, password, what in ((DUENO, CLAVE_DUENO, "ALL"), (LECTOR, CLAVE_LECTOR, "SELECT")):
                    cursor.execute(f"CREATE USER {user}@'127.0.0.1' IDENTIFIED BY %s", (password,))
                    cursor.execute(f"GRANT {what} ON {BASE}.* TO {user}@'127.0.0.1'")
                cursor.execute(f"GRANT PROCESS, CONNECTION ADMIN ON *.* TO {DUENO}@'127.0.0.1'")
            owner = URL.create("mysql+pymysql", DUENO, CLAVE_DUENO, "127.0.0.1", port, BASE)
            yield Base("mariadb", owner, _reader(owner))


def sqlite(path: Path) -> Base:
    """A SQLite file in WAL mode: its owner captures while a cut reads."""
    url = URL.create("sqlite+pysqlite", database=str(path))
    base = Base("sqlite", url, url)
    base.scalar("PRAGMA journal_mode = WAL")
    return base


@contextlib.contextmanager
def _home(user: str) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """A folder of ``user`` outside pytest's private ones, and what runs a command as that user."""
    folder = Path(tempfile.mkdtemp(prefix=f"pregon-{user}-"))
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
        prefix = ("setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups")
    try:
        yield folder, prefix
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _found(program: str) -> str:
    path = shutil.which(program)
    assert path is not None, f"falta {program}: ejecute scripts/instala-debian.sh pruebas"
    return path


def _done(command: tuple[str | Path, ...], output: Path) -> None:
    process = procesos.start(command, output=output)
    assert process.wait(_START_SECONDS) == 0, process.tail()


def _ready(url: URL, process: procesos.Process) -> None:
    def answers() -> bool:
        engine = create_engine(url, poolclass=NullPool)
        with contextlib.suppress(Exception):  # any failure to connect is «not yet»
            engine.connect().close()
            return True
        return False

    procesos.wait_until(answers, process, timeout=_START_SECONDS, what="PostgreSQL")


def _reader(owner: URL) -> URL:
    return owner.set(username=LECTOR, password=CLAVE_LECTOR, database=BASE)


def _escaped(password: str) -> str:
    return password.replace("'", "''").replace(":", "\\:")
