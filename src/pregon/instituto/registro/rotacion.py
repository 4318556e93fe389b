"""The key of the registry: made once, and changed without a moment in which anything cannot be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError, UsoError
from pregon.instituto.registro import almacen, sello, soporte
from pregon.instituto.registro.sello import Clave, Llavero

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.registro.almacen import Registro

SERIES = (almacen.SERIE, almacen.SERIE_LOGO, soporte.SERIE)
"""Every series of the state database that has seals."""


def crea(registro: Registro) -> tuple[Path, Clave]:
    """Make the first key, in the file that the settings name; where it is, and it.

    Raises:
        AjustesError: there is one already, or the settings say that it comes in a variable; nothing was written.
        DiscoError, EscrituraError: could not write.
    """
    path, key = _file(registro), sello.nueva()
    with registro.turno():
        if path.exists():
            raise AjustesError(
                f"Ya hay una clave del registro en {path}.",
                intacto="La clave que había sigue como estaba.",
                que_hacer="Para cambiarla por otra use --rota: los datos se vuelven a cifrar.",
            )
        sello.escribe(path, (key,), disk=registro.workspace.disk)
    registro.workspace.state().record("nota", que="clave_registro", clave=key.nombre, sellos=0)
    return path, key


def rota(registro: Registro) -> tuple[Path, Clave, int]:
    """Put a new key in place of those that are: where it is, the key, and how many seals were made again.

    1. The file gets the new key before the old ones: both open.
    2. Everything is sealed again with the new one.
    3. The file is left with the new one alone.

    Who is stopped in between finds all of them in the file, and orders it again.

    Raises:
        AjustesError, EntradaError: the keys are in a variable, or not at hand.
        DanadoError: a seal does not open; the old keys stay.
    """
    path = _file(registro)
    key = sello.nueva()
    with registro.turno():
        # Read within the turn: who was waiting for another change of key must not write the old one back.
        both = Llavero((key, *registro.llavero().claves))
        sello.escribe(path, both.claves, disk=registro.workspace.disk)
        count = _seal_again(registro, both)
        sello.escribe(path, (key,), disk=registro.workspace.disk)
    registro.workspace.state().record("nota", que="clave_registro", clave=key.nombre, sellos=count)
    return path, key, count


def resella(registro: Registro) -> tuple[Clave, int]:
    """Seal everything again with the first key at hand: after a new one was put before the old in a variable.

    Raises:
        UsoError: there is only one key, so there is nothing to change.
        EntradaError, AjustesError, DanadoError: as ``rota``.
    """
    with registro.turno():
        ring = registro.llavero()
        if len(ring.claves) == 1:
            raise UsoError(
                "Sólo hay una clave del registro a la mano.",
                intacto=almacen.INTACTO,
                que_hacer="Ponga la nueva antes de la anterior, separadas por una coma, y repita la orden.",
            )
        count = _seal_again(registro, ring)
    registro.workspace.state().record("nota", que="clave_registro", clave=ring.claves[0].nombre, sellos=count)
    return ring.claves[0], count


def _seal_again(registro: Registro, ring: Llavero) -> int:
    state, count = registro.workspace.state(), 0
    for serie in SERIES:
        for row in list(state.rows(serie)):
            if row["sello"] is None:
                continue
            context = registro.contexto(serie, row["n"], row["id"] if serie == almacen.SERIE else row["difusor"])
            value = ring.abre(row["sello"], context)
            state.put_row(serie, row["n"], row | {"sello": ring.sella(value, context)})
            count += 1
    return count


def _file(registro: Registro) -> Path:
    path = registro.archivo_clave
    if path is None:
        raise AjustesError(
            "La clave del registro viene en una variable de entorno.",
            intacto=almacen.INTACTO,
            que_hacer="Haga una con --imprime, póngala en la variable antes de la anterior, separadas por una coma, "
            "y ejecute «pregon instituto difusor clave DIR --resella».",
        )
    return path
