"""The numbers of a repository that two machines may sign, each taken in the server before anything is signed with it.

For one cut, in this order; each step is one transaction that holds the turn (``turno.exige``):

1. ``toma``: the number, for this manifest, and the files of the cut. From here that number is of this content alone.
2. ``version``: one for each document that will be signed. Never given twice, used or not.
3. The documents are signed. They lie on this machine's disk, and nothing leads to them.
4. ``confirma``: the documents and the timestamp that leads to them. From here the cut exists.
5. The timestamp is written into ``repositorio/``: readers see it.

A machine that dies before 1 leaves nothing: the other makes the cut of that number. Between 1 and 4, the other finds
the number taken and signs **that** content: whatever the dead one may have signed is the same cut. After 4, it shows
what was kept. So two contents are never signed with one number, and no version has two documents.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from pregon.base.errors import EquivocoError
from pregon.base.estado import INTACTO
from pregon.instituto.relevo import replica, turno
from pregon.trust.aviso import notice_number, notice_path
from pregon.trust.orden import cut_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from psycopg import Cursor

    from pregon.base.postgres import Servidor
    from pregon.instituto.relevo.replica import Numero
    from pregon.trust.numeros import Clase

Vale: TypeAlias = "Callable[[Clase, int, str, Mapping[str, Path]], bytes]"
_MANIFIESTO = "/manifiesto.json"


class NumerosDelTurno:
    """``trust.numeros.Numeros`` for as long as the turn is that of ``epoca``."""

    def __init__(self, servidor: Servidor, epoca: int, vale: Vale) -> None:
        """``vale`` signs the voucher of a number for its files (``vales.issue``)."""
        self._server = servidor
        self._epoch = epoca
        self._voucher = vale

    @property
    def epoca(self) -> int:
        """The turn in which they are given."""
        return self._epoch

    def version(self, rol: str, minimo: int) -> int:
        """The next version of ``rol``: ``minimo``, or more where another machine took that one."""
        with self._server.transaccion() as cursor:
            turno.exige(cursor, self._epoch)
            row = cursor.execute(
                "INSERT INTO rol VALUES (%s, %s) ON CONFLICT (nombre) "
                "DO UPDATE SET version = GREATEST(rol.version + 1, excluded.version) RETURNING version",
                (rol, minimo),
            ).fetchone()
            return minimo if row is None else int(row[0])

    def toma(self, clase: Clase, n: int, sha256: str, archivos: Mapping[str, Path]) -> None:
        """Take a number and keep its files. Raises as ``Numeros.toma``; EntradaError: no key for the voucher."""
        voucher = self._voucher(clase, n, sha256, archivos)
        with self._server.transaccion() as cursor:
            turno.exige(cursor, self._epoch)
            cursor.execute(
                "INSERT INTO numero (clase, n, sha256, epoca, vale) VALUES (%s, %s, %s, %s, %b) ON CONFLICT DO NOTHING",
                (clase, n, sha256, self._epoch, voucher),
            )
            row = cursor.execute("SELECT sha256 FROM numero WHERE clase = %s AND n = %s", (clase, n)).fetchone()
            if row is None or row[0] != sha256:
                raise EquivocoError(
                    f"El número {n} ({clase}) ya está tomado para otro contenido.",
                    intacto=INTACTO,
                    que_hacer="Repita la orden: antes de hacer otra cosa, Pregón termina lo que quedó empezado.",
                )
            for ruta, path in archivos.items():
                replica.guarda(cursor, ruta, path, self._epoch)

    def confirma(self, documentos: Mapping[str, bytes], timestamp: bytes | None = None) -> None:
        """Keep what was signed and, with ``timestamp``, make it what readers are to see."""
        with self._server.transaccion() as cursor:
            turno.exige(cursor, self._epoch)
            guarda_documentos(cursor, documentos, timestamp, self._epoch)


def guarda_documentos(
    cursor: Cursor[Any], documentos: Mapping[str, bytes], timestamp: bytes | None, epoca: int
) -> None:
    """Keep ``documentos``; with ``timestamp``, that and what it leads to alone is current, and its numbers signed."""
    for ruta, data in documentos.items():
        replica.guarda(cursor, ruta, data, epoca)
    if timestamp is None:
        return
    cursor.execute(
        "INSERT INTO vigente (version, dato) VALUES (%s, %b) "
        "ON CONFLICT (uno) DO UPDATE SET version = excluded.version, dato = excluded.dato",
        (_signed(timestamp)["version"], timestamp),
    )
    signed = {ruta: _signed(data) for ruta, data in documentos.items()}
    for document in signed.values():
        if document["_type"] == "snapshot":
            names = [f"metadata/{meta['version']}.{name}" for name, meta in document["meta"].items()]
            replica.olvida(cursor, [*names, f"metadata/{document['version']}.snapshot.json"])
    for clase, n, sha256 in _listed(signed):
        cursor.execute(
            "INSERT INTO numero (clase, n, sha256, epoca, firmado) VALUES (%s, %s, %s, %s, true) "
            "ON CONFLICT (clase, n) DO UPDATE SET firmado = true WHERE NOT numero.firmado",
            (clase, n, sha256, epoca),
        )


def rutas(numero: Numero) -> str:
    """How the paths of the files of a taken number begin."""
    return f"targets/{cut_folder(numero.n)}/" if numero.clase == "corte" else f"targets/{notice_path(numero.n)}"


def _listed(documents: Mapping[str, Any]) -> list[tuple[Clase, int, str]]:
    """The cuts and notices that the documents list: class, number and the SHA-256 that names each content."""
    found: list[tuple[Clase, int, str]] = []
    for document in documents.values():
        for ruta, target in document.get("targets", {}).items():
            notice, sha256 = notice_number(ruta), target["hashes"]["sha256"]
            if notice is not None:
                found.append(("aviso", notice, sha256))
            elif ruta.startswith("cortes/") and ruta.endswith(_MANIFIESTO):
                found.append(("corte", int(ruta.split("/")[1]), sha256))
    return found


def _signed(document: bytes) -> Any:
    """What a document of our own says."""
    return json.loads(document)["signed"]
