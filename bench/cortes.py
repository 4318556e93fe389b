"""Orders to make a cut in a process of its own, and what the archives of a cut are made of."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.procesos import corre

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from bench.informe import Informe
    from bench.procesos import Corrida

HTML = "páginas (HTML)"
_KINDS = ((".html", HTML), (".json", "datos (JSON)"), (".zip", "base de datos (zip)"))
_OTHER = "lo demás"


def corta(
    espacio: Path,
    hora: datetime,
    fuentes: Sequence[Sequence[str | None]],
    *,
    ultimo: bool = False,
    autorizaciones: Path | None = None,
    memoria: bool = False,
) -> Corrida:
    """Make a cut. The run's ``salida`` has the paths ``paquete`` and ``cambios`` (null in the first)."""
    order = {
        "espacio": str(espacio),
        "hora": hora.isoformat(),
        "fuentes": [list(one) for one in fuentes],
        "ultimo": ultimo,
        "autorizaciones": None if autorizaciones is None else str(autorizaciones),
    }
    path = espacio.with_name(f"{espacio.name}.orden.json")
    path.write_text(json.dumps(order), encoding="utf-8")
    return corre("bench.hijos.corte", path, memoria=memoria)


@dataclass(frozen=True)
class Parte:
    """Members of one kind in an archive: how many, and their compressed bytes."""

    archivos: int
    bytes: int


def composicion(archive: Path) -> dict[str, Parte]:
    """The members of a zip by kind."""
    found: dict[str, Parte] = {}
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            if not member.is_dir():
                old = found.get(_kind(member.filename), Parte(0, 0))
                found[_kind(member.filename)] = Parte(old.archivos + 1, old.bytes + member.compress_size)
    return found


def parte_html(archive: Path) -> tuple[float, int]:
    """Percentage of HTML in the compressed bytes of an archive, and its number of files."""
    kinds = composicion(archive)
    html = kinds.get(HTML, Parte(0, 0))
    return 100 * html.bytes / sum(part.bytes for part in kinds.values()), html.archivos


def muestra_partes(informe: Informe, paquete: Path, cambios: Path) -> None:
    """A table: each kind in the package and in its archive of changes."""
    whole, changes = composicion(paquete), composicion(cambios)
    total = sum(part.bytes for part in whole.values())
    informe.nota(
        f"{'por tipo (bytes comprimidos)':<30} {'archivos':>9} {'bytes':>13} {'% del paquete':>14} "
        f"{'en cambios':>11} {'bytes':>13} {'cambios/paquete':>16}"
    )
    for kind in sorted({*whole, *changes}, key=lambda kind: -whole.get(kind, Parte(0, 0)).bytes):
        a, b = whole.get(kind, Parte(0, 0)), changes.get(kind, Parte(0, 0))
        ratio = f"{b.bytes / a.bytes:.2f}" if a.bytes else "—"
        informe.nota(
            f"{kind:<30} {a.archivos:>9,} {a.bytes:>13,} {100 * a.bytes / total:>12.1f} % "
            f"{b.archivos:>11,} {b.bytes:>13,} {ratio:>16}"
        )


def _kind(name: str) -> str:
    return next((kind for end, kind in _KINDS if name.endswith(end)), _OTHER)
