"""What a paper says of the journal that it was made from: whether it is as it was written, and up to where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.hashing import grupos
from pregon.instituto.bitacora.documento import Celda, Cifra, Seccion, fila, tabla

if TYPE_CHECKING:
    from pregon.instituto.bitacora.cadena import Verificacion


def integridad(read: Verificacion) -> Seccion:
    """Whether the journal is as it was written."""
    said = [
        f"Cada uno de los {read.sucesos:,} sucesos lleva un eslabón que lo ata a los anteriores"
        + (f", a partir del {read.encadenados}." if read.encadenados not in (None, 1) else ".")
        + f" El instituto firmó {cuantos_sellos(read)}; el último abarca hasta el suceso {read.sellado}."
    ]
    if read.sellado < read.cabeza.n:
        first, last = read.sellado + 1, read.cabeza.n
        which = f"el suceso {first}" if first == last else f"los sucesos {first} a {last}"
        said.append(f"Lo escrito después del último sello ({which}) está encadenado y aún no está sellado.")
    if read.ok:
        said.append("Se comprobó entera y está como se escribió.")
    return Seccion(
        "integridad",
        "Integridad de la bitácora",
        tuple(said),
        tabla(
            (("Código", 0), ("Desde", 0), ("Hasta", 0), ("Qué se encontró", 4)),
            [fila(Celda(one.codigo, "falla"), str(one.desde), str(one.hasta), one.que) for one in read.fallas],
            vacia="Nada se cambió, quitó, agregó, recortó ni reordenó.",
        ),
    )


def cuantos_sellos(read: Verificacion) -> str:
    """``1 sello``, ``1,200 sellos``."""
    return f"{read.sellos:,} sello{'' if read.sellos == 1 else 's'}"


def cifra_de_integridad(read: Verificacion) -> Cifra:
    """The same, for the cover."""
    if read.ok:
        return Cifra("Bitácora", "íntegra", "bien")
    return Cifra("Bitácora", f"{len(read.fallas)} fallas", "falla")


def cabeza(read: Verificacion) -> tuple[tuple[str, Celda], ...]:
    """The lines of the cover that tie the paper to the journal."""
    return (
        ("Bitácora", Celda(f"hasta el suceso {read.cabeza.n}")),
        ("Su eslabón", Celda(grupos(read.cabeza.eslabon), fija=True)),
    )
