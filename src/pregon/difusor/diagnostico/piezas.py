"""The parts of the bundle: each reads one thing, within limits, and changes nothing. Not redacted yet."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sqlite3
import stat
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pregon.paquete.errors  # its leaves of the tree of failures too
from pregon.base.errors import PregonError
from pregon.base.procesos import capture
from pregon.base.razones import razon
from pregon.difusor.reloj import offset_source
from pregon.difusor.servidor.proceso import find_caddy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.difusor.workspace import Workspace

CLASES = ("TRANSFERENCIA", "INTEGRIDAD", "EXTRACCION")
"""The classes of failure by which support is given (INE-VI-a-i, INE-VI-a-ii)."""
MAX_EVENTOS = 5_000
MAX_DATO = 4_000
"""Characters of one event's data."""
MAX_ENTRADAS = 4_000
"""Files listed one by one."""
MAX_CUENTA = 400_000
"""Files counted in one folder."""
MAX_REGISTRO = 256 << 10
"""Bytes of the end of each log."""
MAX_JSON = 4 << 20
PACIENCIA_S = 3.0
"""For a state database that another process holds."""
ORDEN_S = 5.0
RESUMIDAS = ("objetos", "cortes", "entrada", "recepcion", "acuses", "historico")
"""Folders of many files: counted and added up, only what is named below listed."""
HUELLAS = ("manifiesto.json", "recibo.json")
REGISTROS = ("servidor.log", "caddy.out")
"""The web server's own log and what it printed; never the one of accesses, which has the visitors."""


def versiones() -> dict[str, str | None]:
    """Versions of what takes part."""
    system = None
    for line in _lines(Path("/etc/os-release")):
        if line.startswith("PRETTY_NAME="):
            system = line.partition("=")[2].strip('"')
    try:
        caddy = capture([find_caddy(), "version"], timeout=ORDEN_S)
    except PregonError:
        caddy = None
    return {
        "pregon": pregon.__version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "openssl": _openssl(),
        "sistema": system,
        "nucleo": platform.release(),
        "arquitectura": platform.machine(),
        "caddy": None if caddy is None else caddy.split()[0] if caddy.split() else None,
        # These two tell it on their error output.
        "nginx": _first(capture(["sh", "-c", "nginx -v 2>&1"], timeout=ORDEN_S)),
        "apache": _first(capture(["sh", "-c", "apache2 -v 2>&1 || httpd -v 2>&1"], timeout=ORDEN_S)),
    }


def _openssl() -> str:
    import ssl

    return ssl.OPENSSL_VERSION


def _first(text: str | None) -> str | None:
    lines = (text or "").splitlines()
    return lines[0][:200] if lines else None


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return file.read(MAX_REGISTRO).decode(errors="replace").splitlines()
    except OSError:
        return []


def equipo(workspace: Workspace) -> dict[str, Any]:
    """Readings of this machine now: disk, memory, load and clock."""
    disk = os.statvfs(workspace.folder)
    memory = dict(line.split(":", 1) for line in _lines(Path("/proc/meminfo")) if ":" in line)
    clock = workspace.settings.reloj
    return {
        "disco": {
            "bytes": disk.f_blocks * disk.f_frsize,
            "libres": disk.f_bavail * disk.f_frsize,
            "inodos": disk.f_files,
            "inodos_libres": disk.f_favail,
            "solo_lectura": bool(disk.f_flag & os.ST_RDONLY),
        },
        "memoria": {key: memory[key].strip() for key in ("MemTotal", "MemAvailable", "SwapFree") if key in memory},
        "carga": list(os.getloadavg()),
        "procesadores": os.cpu_count(),
        "reloj": {"fuente": clock.fuente, "desfase_s": offset_source(clock).measure()},
        "archivos_abiertos_max": os.sysconf("SC_OPEN_MAX"),
    }


class Bitacora:
    """The journal of a state database that may be locked or damaged: whatever can still be read of it.

    Opened to read and nothing else; where even that needs a file that a full or read-only disk refuses, as it lies.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problema: str | None = None
        self.recortada = False

    def eventos(self, desde: datetime) -> list[dict[str, Any]]:
        """The last ``MAX_EVENTOS`` since ``desde``, oldest first; ``problema`` says what stopped the reading."""
        found: list[dict[str, Any]] = []
        for mode in ("mode=ro", "mode=ro&immutable=1"):
            found, self.problema = [], None
            try:
                for row in self._rows(mode, desde):
                    found.append(row)
                    if len(found) >= MAX_EVENTOS:
                        self.recortada = True
                        break
            except sqlite3.Error as exc:
                self.problema = f"{type(exc).__name__}: {exc}"
            if found or self.problema is None:
                break
        return found[::-1]

    def _rows(self, mode: str, desde: datetime) -> Iterator[dict[str, Any]]:
        connection = sqlite3.connect(f"file:{quote(str(self._path))}?{mode}", uri=True, timeout=PACIENCIA_S)
        try:
            rows = connection.execute(
                "SELECT n, hora, tipo, substr(dato, 1, ?) FROM evento WHERE hora >= ? ORDER BY n DESC",
                (MAX_DATO, desde.astimezone(UTC).isoformat()),
            )
            for n, hora, tipo, dato in rows:
                yield {"n": n, "hora": str(hora), "tipo": str(tipo), "dato": _parsed(dato)}
        finally:
            connection.close()


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return str(text)


def errores(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Failures of the journal by class of support: how many, of which codes, the last one (INE-VI-a-i)."""
    classes = _classes()
    found: dict[str, dict[str, Any]] = {
        name: {"total": 0, "codigos": Counter(), "ultimo": None} for name in (*CLASES, "OTROS")
    }
    for event in events:
        code = event["dato"].get("codigo") if isinstance(event["dato"], dict) else None
        if not isinstance(code, str) or not code:
            continue
        row = found[classes.get(code) or "OTROS"]
        row["total"] += 1
        row["codigos"][code] += 1
        row["ultimo"] = {"hora": event["hora"], "tipo": event["tipo"], "codigo": code}
    return {name: {**row, "codigos": dict(row["codigos"])} for name, row in found.items()}


def _classes() -> dict[str, str | None]:
    pending: list[type[PregonError]] = [PregonError]
    found: dict[str, str | None] = {}
    while pending:
        kind = pending.pop()
        found[kind.codigo] = kind.clase
        pending += kind.__subclasses__()
    return found


def confianza(workspace: Workspace) -> list[dict[str, Any]]:
    """The roles of the signed metadata that the verifier keeps: version and expiry of each."""
    found = []
    for path in sorted(workspace.confianza.rglob("*.json"))[:MAX_ENTRADAS]:
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_JSON)
            signed = json.loads(raw)["signed"]
            row = {"rol": signed["_type"], "version": signed["version"], "vence": signed["expires"]}
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as exc:
            row = {"problema": type(exc).__name__}
            raw = b""
        name = str(path.relative_to(workspace.confianza))
        found.append({"archivo": name, **row, "sha256": hashlib.sha256(raw).hexdigest() if raw else None})
    return found


def arbol(workspace: Workspace) -> dict[str, Any]:
    """What lies in the workspace: each file with its size, mode and date; large folders added up; manifests by hash."""
    listed: list[dict[str, Any]] = []
    totals: dict[str, dict[str, int]] = {}
    for path in sorted(workspace.folder.iterdir()):
        if path.name in RESUMIDAS and path.is_dir() and not path.is_symlink():
            totals[path.name] = _added(path, workspace.folder, listed)
        elif path.is_dir() and not path.is_symlink():
            for each in _walk(path):
                _list(each, workspace.folder, listed)
        else:
            _list(path, workspace.folder, listed)
    return {"archivos": listed, "carpetas": totals, "completo": len(listed) < MAX_ENTRADAS}


def _walk(folder: Path) -> Iterator[Path]:
    seen = 0
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            yield Path(root, name)
            seen += 1
            if seen >= MAX_CUENTA:
                return


def _added(folder: Path, base: Path, listed: list[dict[str, Any]]) -> dict[str, int]:
    count = size = 0
    for path in _walk(folder):
        try:
            size += path.lstat().st_size
        except OSError:
            continue
        count += 1
        if path.name in HUELLAS or (folder.name == "historico" and path.parent.parent == folder):
            _list(path, base, listed)
    return {"archivos": count, "bytes": size, "subcarpetas": sum(1 for each in folder.iterdir() if each.is_dir())}


def _list(path: Path, base: Path, listed: list[dict[str, Any]]) -> None:
    if len(listed) >= MAX_ENTRADAS:
        return
    row: dict[str, Any] = {"ruta": str(path.relative_to(base))}
    try:
        status = path.lstat()
        row["bytes"] = status.st_size
        row["modo"] = stat.filemode(status.st_mode)
        row["fecha"] = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds")
        if path.name in HUELLAS and stat.S_ISREG(status.st_mode) and status.st_size <= MAX_JSON:
            row["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as exc:
        row["problema"] = razon(exc) or type(exc).__name__
    listed.append(row)


def cola(path: Path) -> str:
    """The last whole lines of a log, at most ``MAX_REGISTRO`` bytes; its first, cut one is left out."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - MAX_REGISTRO)
        file.seek(start)
        data = file.read(MAX_REGISTRO)
    if start:
        data = data.partition(b"\n")[2]
    return data.decode(errors="replace")


def desde_hace(now: datetime, horas: float) -> datetime:
    """The instant so many hours before ``now``; the beginning of time where that is further."""
    try:
        return now - timedelta(hours=horas)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
