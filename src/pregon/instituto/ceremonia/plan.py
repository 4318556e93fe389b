"""The plan of an act: which keys leave, which come, where each goes, and whether those present can sign it.

Nothing is written here: what is refused is refused before the first step.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError, EntradaError, UsoError
from pregon.instituto.ceremonia import inventario, medios
from pregon.instituto.ceremonia.acto import EQUIPO, Acto, Nueva
from pregon.trust import propuesta as tratos
from pregon.trust.keys import ONLINE_ROLES, RAIZ
from pregon.trust.papeles import OFFLINE_THRESHOLD
from pregon.trust.propuesta import INTACTO

if TYPE_CHECKING:
    from pregon.instituto.ceremonia.inventario import Inventario, Llave
    from pregon.instituto.ceremonia.mesa import Obra, Pedido

_ID_BYTES = 8


def plan(obra: Obra, pedido: Pedido, *, pide: bool) -> Acto:
    """The act that ``pedido`` asks for, with the media that ``obra`` opened; ``pide``: signatures come later.

    Raises:
        PregonError: it cannot be done so. Nothing was written.
    """
    espacio, mesa = obra.workspace, obra.mesa
    if not pedido.operador.strip() or not pedido.motivo.strip():
        raise UsoError(
            "Falta decir quién ordena el acto o por qué.", intacto=INTACTO, que_hacer="Use --operador y --motivo."
        )
    ring, ceremonia = obra.ring(), obra.ceremonia()
    inventory = inventario.look(espacio, ceremonia, ring)
    gone = _chosen(inventory, pedido)
    for medio in obra.abiertos:
        pinned = medios.pinned_root(medio.carpeta)
        if pinned is not None:
            tratos.check_follows(pinned, ceremonia.standing())
    nuevas = _newcomers(obra, inventory, gone, pedido)
    used = tuple(dict.fromkeys((*mesa.medios, *mesa.nuevos)))
    if espacio.llaves.resolve() in {path.resolve() for path in mesa.nuevos}:
        raise UsoError(
            "La carpeta llaves/ de este espacio no puede ser el medio de una llave nueva.",
            intacto=INTACTO,
            que_hacer="Indique con --nuevo una carpeta fuera de este equipo.",
        )
    together = medios.check_apart(used, espacio.folder, permitir_mismo_disco=mesa.permitir_mismo_disco)
    for nueva in nuevas:
        place = espacio.llaves if nueva.lugar == EQUIPO else Path(nueva.lugar)
        medios.check_room(place, (nueva.nombre,))
        if nueva.lugar != EQUIPO:
            obra.passphrase(nueva.lugar)
    if not pide:
        _check_reach(obra, inventory, gone, nuevas)
    return Acto(
        id=secrets.token_hex(_ID_BYTES),
        tipo=pedido.tipo,
        orden=pedido.orden,
        causa=pedido.causa,
        motivo=pedido.motivo,
        operador=pedido.operador,
        hora=espacio.clock.now(),
        retira=tuple(llave.keyid for llave in gone),
        nuevas=nuevas,
        mismo_disco=together,
    )


def _chosen(inventory: Inventario, pedido: Pedido) -> tuple[Llave, ...]:
    found = [inventory.find(word) for word in pedido.llaves]
    if pedido.rol is not None and not pedido.llaves:
        found += [llave for llave in inventory.of(pedido.rol) if llave.en_equipo][:1]
    wrong = [llave for llave in found if pedido.rol is not None and llave.rol != pedido.rol]
    if wrong:
        raise UsoError(
            f"La llave «{wrong[0].nombre}» es de «{wrong[0].rol}», no de «{pedido.rol}».",
            intacto=INTACTO,
            que_hacer="Vea los nombres de las llaves con «llaves muestra».",
        )
    if pedido.equipo:
        found += [llave for llave in inventory.llaves if llave.en_equipo and llave.rol in ONLINE_ROLES]
    if not found and pedido.tipo != "renueva":
        raise UsoError("No se dijo qué llave.", intacto=INTACTO, que_hacer="Vea sus nombres con «llaves muestra».")
    return tuple({llave.keyid: llave for llave in found}.values())


def _newcomers(obra: Obra, inventory: Inventario, gone: tuple[Llave, ...], pedido: Pedido) -> tuple[Nueva, ...]:
    """The keys that come, so that root keeps three and each online role one here and one in reserve."""
    taken = {llave.nombre for llave in inventory.llaves if llave.nombre}
    taken |= {told["nombre"] for told in (obra.workspace.state().get(inventario.LLAVES) or {}).values()}
    for carpeta in (obra.workspace.llaves, *obra.mesa.medios, *obra.mesa.nuevos):
        taken |= set(medios.names_in(carpeta))
    roots = [llave for llave in gone if llave.rol == RAIZ]
    places = obra.mesa.nuevos
    if len(places) < len(roots):
        raise UsoError(
            f"Hacen falta {len(roots)} medio(s) para las llaves raíz nuevas y se indicaron {len(places)}.",
            intacto=INTACTO,
            que_hacer="Indique un medio con --nuevo por cada llave raíz que se reemplaza.",
        )
    found = []
    for name, place in zip(inventario.next_names(RAIZ, taken, len(roots)), places, strict=False):
        _one_root_key_each(obra, inventory, gone, place)
        found.append(Nueva(name, RAIZ, str(place)))
    for rol in ONLINE_ROLES:
        if any(llave.rol == rol for llave in gone):
            found += _online(obra, inventory.of(rol), gone, taken, places[len(roots) :], pedido)
    return tuple(found)


def _online(
    obra: Obra,
    mine: tuple[Llave, ...],
    gone: tuple[Llave, ...],
    taken: set[str],
    places: tuple[Path, ...],
    pedido: Pedido,
) -> list[Nueva]:
    rol = mine[0].rol
    stay = [llave for llave in mine if llave not in gone]
    found: list[Nueva] = []
    shelf = next((place for place in places), None)
    fresh = iter(inventario.next_names(rol, taken, 2))
    if not any(llave.en_equipo for llave in stay):
        by_id = {key.keyid: key for key in obra.media_keys()}
        reserve = next((llave for llave in stay if llave.keyid in by_id), None)
        # A planned rotation leaves the reserve in its place; a lost or stolen key is what it is for.
        if reserve is not None and pedido.tipo == "revoca":
            found.append(Nueva(by_id[reserve.keyid].nombre, rol, EQUIPO, instala=True))
            stay.remove(reserve)
            shelf = shelf or obra.medium_of(reserve.keyid)
        else:
            found.append(Nueva(next(fresh), rol, EQUIPO))
    if not any(not llave.en_equipo for llave in stay) and shelf is not None:
        found.append(Nueva(next(fresh), rol, str(shelf)))
    return found


def _one_root_key_each(obra: Obra, inventory: Inventario, gone: tuple[Llave, ...], place: Path) -> None:
    """Two root keys on one medium would make the threshold one."""
    kept = {llave.keyid for llave in inventory.of(RAIZ) if llave not in gone}
    if any(medio.carpeta == place and kept & {key.keyid for key in medio.ring.keys} for medio in obra.abiertos):
        raise AjustesError(
            f"El medio {place} ya tiene una llave raíz vigente.",
            intacto=INTACTO,
            que_hacer="Use otro medio, de otra persona: dos llaves raíz juntas dejan de ser dos.",
        )


def _check_reach(obra: Obra, inventory: Inventario, gone: tuple[Llave, ...], nuevas: tuple[Nueva, ...]) -> None:
    """That the media present reach the threshold of the root there is, and of the root to be."""
    here = {key.keyid for key in obra.media_keys()} & {llave.keyid for llave in inventory.of(RAIZ)}
    after = len(here - {llave.keyid for llave in gone}) + sum(nueva.rol == RAIZ for nueva in nuevas)
    if len(here) < OFFLINE_THRESHOLD or after < OFFLINE_THRESHOLD:
        raise EntradaError(
            f"Con los medios presentes hay {min(len(here), after)} llave(s) raíz y hacen falta {OFFLINE_THRESHOLD}.",
            intacto=INTACTO,
            que_hacer="Conecte otro medio con llave raíz, o prepare la solicitud con --pide y fírmela donde estén.",
        )
