"""How fast a package comes: a real one, read again from the origin, or those that came before by their acuses.

GRO-2.2a GRO-2.2b GRO-2.2c DGO-II-net-a MOR-A1-3.1 MEX-II-2a INE-II-a-iii-2a. Nothing is kept of what is read, and it
is bounded in bytes and seconds. Of the packages that the institute pushes, only an upper bound of the time is known
(from the signature to the last byte, waits included), so what they prove is «at least».
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.convocatoria.clausulas import del_perfil
from pregon.convocatoria.comprobacion import Comprobacion, clausula_de
from pregon.difusor.preflight.portador import leyendo, pedazos

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.base.clock import Clock
    from pregon.convocatoria.comprobacion import Estado
    from pregon.difusor.libro import Libro
    from pregon.difusor.workspace import Workspace
    from pregon.sonda.sondeo import Sondeo

MB = 1_000_000
MAX_BYTES = 550 * MB
"""The largest package of a text (GRO-2.2c)."""
MAX_S = 600.0
"""The longest that a text admits for it (GRO-2.2b)."""
BASTA_S = 20.0
"""Once the largest package of the call has come, or this has passed with ``MUESTRA`` bytes, the rate is known."""
MUESTRA = 40 * MB
MINIMO = MB
"""Less than this tells the delay of the link, not its rate."""


@dataclass(frozen=True)
class Medida:
    """Bytes and the seconds that they took. ``justa``: measured; otherwise it took those seconds or less."""

    bytes: int
    segundos: float
    de: str
    justa: bool = True

    @property
    def mbps(self) -> float:
        """Millions of bits a second."""
        return self.bytes * 8 / 1e6 / self.segundos if self.segundos > 0 else 0.0


def del_origen(workspace: Workspace, libro: Libro, clock: Clock) -> Medida | None:
    """Read the archives of the last cut again from a network origin, over and over, until the rate is known.

    None where the origin is not of the network, or nothing came from it yet.

    Raises:
        RedError: the link or the origin failed.
    """
    last = libro.ultimo()
    settings = workspace.settings
    if last is None or not settings.en_red or not last.archivos:
        return None
    largest = max(last.archivos, key=lambda one: one.bytes)
    wanted = min(MAX_BYTES, (workspace.convocatoria.paquete.tam_max_mb or 0) * MB or MUESTRA)
    total, start = 0, clock.monotonic()
    with leyendo(workspace, clock) as source:
        while True:
            before = total
            with contextlib.closing(pedazos(source, f"targets/{largest.ruta}")) as pieces:
                for piece in pieces:
                    total += len(piece)
                    spent = clock.monotonic() - start
                    if total >= wanted or spent > MAX_S or (spent > BASTA_S and total >= MUESTRA):
                        return Medida(total, spent, settings.origen)
            if total == before:
                return None


def de_lo_recibido(workspace: Workspace, libro: Libro) -> Medida | None:
    """The fastest of the cuts that came: what is kept of it, over the time from its signature to its last byte."""
    found = []
    for cut in libro.cortes():
        folder = workspace.historico / f"{cut.corte:04d}"
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
        if cut.firmado is not None and size >= MINIMO and (spent := (cut.recibido - cut.firmado).total_seconds()) > 0:
            found.append(Medida(size, spent, f"corte {cut.corte}, de su firma a su llegada", justa=False))
    return max(found, key=lambda one: one.mbps, default=None)


def compara(workspace: Workspace, medida: Medida | None, sondeos: Sequence[Sondeo]) -> Iterator[Comprobacion]:
    """ANCHO_DE_BANDA, and TRANSFERENCIA_<MB> for each size of package that the call names with a limit of time."""
    call = workspace.convocatoria
    how = _DEL_ORIGEN if workspace.settings.en_red else _DE_LO_RECIBIDO
    least = max(call.minimos.mbps or 0, call.transporte.mbps or 0)
    if least:
        yield _rate(call.id, least, medida, sondeos, how)
    limit = call.transferencia_max_s
    package = call.paquete
    sizes = sorted({size for size in (package.tam_min_mb, package.tam_medio_mb, package.tam_max_mb) if size})
    if limit is not None:
        for size in sizes:
            yield _size(call.id, size, limit, medida, how)


_DEL_ORIGEN = "Repita con --transferencia, después de recibir el paquete de una prueba."
_DE_LO_RECIBIDO = "Se mide con lo que el instituto entregue: repita la orden tras recibir el paquete de una prueba."


def _rate(call: str, least: int, measured: Medida | None, looks: Sequence[Sondeo], how: str) -> Comprobacion:
    state: Estado = "aviso"
    told, mend = "no se midió", how
    if measured is not None:
        told = f"{'' if measured.justa else 'al menos '}{measured.mbps:,.1f} Mbit/s de bajada ({measured.de})"
        if measured.mbps >= least:
            state = "bien"
        elif measured.justa:
            state, mend = "falla", "Contrate más ancho de banda, o quite lo demás que use el enlace."
        else:
            mend = "Con esperas de por medio: mídalo de un origen por la red, o pregunte a su proveedor."
    for look in looks:
        if look.subida is not None and look.subida.mbps < least:
            told += f"; {look.subida.mbps:,.1f} Mbit/s de subida, visto desde fuera"
            state, mend = "falla", "Contrate más ancho de banda de subida: el enlace debe ser simétrico."
            break
        if look.subida is not None:
            told += f"; {look.subida.mbps:,.1f} Mbit/s de subida, visto desde fuera"
            break
    clause = clausula_de(call, "ANCHO_DE_BANDA")
    what = "El enlace es tan ancho como se pide"
    return Comprobacion(
        "ANCHO_DE_BANDA", clause, what, told, f"{least} Mbit/s", state, None if state == "bien" else mend,
        medida=_exact(measured),
    )  # fmt: skip


def _size(call: str, size: int, limit: int, measured: Medida | None, how: str) -> Comprobacion:
    code = f"TRANSFERENCIA_{size}"
    state: Estado = "aviso"
    told, mend = "no se midió", how
    if measured is not None:
        real = measured.bytes >= size * MB
        spent = size * MB / measured.bytes * measured.segundos
        told = f"{spent:,.1f} s" + ("" if real else f", por lo que tardaron {measured.bytes / MB:,.0f} MB")
        if spent <= limit:
            state = "bien"
        elif measured.justa:
            state, mend = "falla", "Contrate más ancho de banda, o quite lo demás que use el enlace."
    que = f"Un paquete de {size} MB llega a tiempo"
    clause = next(iter(del_perfil(call, "transferencia_max_s")), None)  # it gives the limit; GRO-2.2c, the sizes
    return Comprobacion(
        code, clause, que, told, f"a lo sumo {limit} s", state, None if state == "bien" else mend,
        medida=_exact(measured),
    )  # fmt: skip


def _exact(measured: Medida | None) -> bool:
    return measured is not None and measured.justa
