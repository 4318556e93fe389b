"""The memoria on disk: everything made before the first file is written; the JSON, which lists the rest, is last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pregon.base.errors import EscrituraError, FindingsError
from pregon.base.hashing import sha256_bytes
from pregon.base.razones import razon
from pregon.difusor.memoria.documento import documento
from pregon.difusor.memoria.memoria import blancos
from pregon.difusor.memoria.notas import con_nuevas
from pregon.documentos.formas import escribe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.difusor.memoria.memoria import Memoria
    from pregon.documentos.formas import Forma

NOMBRE = "memoria"
INDICE = f"{NOMBRE}.json"


def archivos(memoria: Memoria, formas: Sequence[Forma]) -> dict[str, bytes]:
    """Each file by its name: the forms, and the JSON with the SHA-256 of each. Same memoria, same bytes.

    Raises:
        AjustesError: the library of a form is not installed.
    """
    paper = documento(memoria)
    made = {f"{NOMBRE}.{one}": escribe(paper, one) for one in formas}
    told = memoria.as_dict()
    told["archivos"] = [
        {"ruta": name, "bytes": len(data), "sha256": sha256_bytes(data)} for name, data in sorted(made.items())
    ]
    made[INDICE] = (json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()
    return made


def exige_completa(memoria: Memoria) -> None:
    """Refuse one that lacks something.

    Raises:
        FindingsError: it does; all of it is told.
    """
    found = blancos(memoria)
    if found:
        raise FindingsError(
            f"A la memoria le falta ({len(found)}):\n  " + "\n  ".join(f"{one.ruta}: {one.que}" for one in found),
            intacto="No se escribió ninguna memoria.",
            que_hacer="Complételo, o repita sin --completa para tenerla con esos espacios en blanco.",
        )


def guarda(made: Mapping[str, bytes], carpeta: Path, disk: Disk) -> None:
    """Write the files, readable by this account alone; the JSON last.

    Raises:
        DiscoError, EscrituraError: could not write; the JSON is still of what was there before.
    """
    try:
        carpeta.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise EscrituraError(
            f"No se pudo crear {carpeta}: {razon(exc)}.",
            intacto="No se escribió ninguna memoria.",
            que_hacer="Revise permisos y espacio, o diga otra carpeta en --en.",
        ) from exc
    for name in sorted(made, key=lambda name: (name == INDICE, name)):
        disk.write(carpeta / name, made[name], mode=0o600)


def anota(memoria: Memoria, path: Path, before: bytes, disk: Disk) -> int:
    """Add the incidents that ``memoria.toml`` (``before``: its bytes as they were read) lacks; how many they were.

    What somebody saved meanwhile stays, and nothing is added then: the next time will.

    Raises:
        AjustesError: nothing can be added to it.
        DiscoError, EscrituraError: could not write.
    """
    own = [one for one in memoria.incidencias if one.diario is not None]
    known = {one.clave for one in memoria.notas.incidencia}
    made = con_nuevas(before, memoria.notas, own, memoria.convocatoria.zona)
    now = path.read_bytes() if path.exists() else b""
    if made == before or now != before:
        return 0
    disk.write(path, made, mode=0o600)
    return sum(1 for one in own if one.clave not in known)
