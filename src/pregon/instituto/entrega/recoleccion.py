"""Collecting the acuses of every node, and the report of who is at which cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.errors import EntradaError, PregonError
from pregon.instituto.entrega.memoria import Memoria
from pregon.instituto.entrega.recibidos import Recibidos, at_cut
from pregon.instituto.entrega.reparto import Encargo, Reglas, Reparto
from pregon.transport.abre import open_acuses
from pregon.transport.caudal import Caudal
from pregon.trust.oferta import TIMESTAMP, read_offer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pregon.instituto.entrega.destinos import Destino
    from pregon.instituto.entrega.recibidos import Recogida
    from pregon.instituto.workspace import Workspace


@dataclass(frozen=True)
class Recolecta:
    """What came of one node: acuses kept, and what failed or was refused first."""

    difusor: str
    nodo: str
    nuevos: int
    error: PregonError | None


def collect_all(
    workspace: Workspace, environment: Mapping[str, str], difusores: Collection[str] = ()
) -> tuple[Recolecta, ...]:
    """Collect from every node whose table says from where (or from those of ``difusores``), several at once.

    Raises:
        EntradaError: none of them says from where.
    """
    settings = workspace.settings
    places = {
        one.nombre: one
        for one in settings.destino
        if one.acuses is not None and (not difusores or one.difusor in difusores)
    }
    if not places:
        raise EntradaError(
            "Ningún destino dice de dónde recoger sus acuses.",
            intacto="No se recogió nada.",
            que_hacer="Escriba «acuses» y «clave_acuses» en las tablas [[destino]], o recíbalos con «acuses atiende».",
        )
    received = Recibidos(workspace)

    def errand(destino: Destino) -> Encargo[Recogida]:
        def attempt(number: int, caudal: Caudal) -> Recogida:
            del number, caudal  # Some kilobytes, towards us.
            place = destino.lugar_acuses
            if place is None:
                raise TypeError(destino)
            box = open_acuses(
                place,
                folder=workspace.folder,
                clock=workspace.clock,
                environment=environment,
                puertos=destino.puertos,
            )
            return received.collect(destino, box)

        return Encargo(destino.nombre, attempt)

    # Once: what does not come now comes at the next delivery, and a person may be looking.
    rules = Reglas(settings.entrega.a_la_vez, intentos=1, plazo_s=settings.entrega.plazo_s)
    results = Reparto[Any](workspace.clock, Caudal(workspace.clock), rules).run(map(errand, places.values()))
    return tuple(
        Recolecta(
            places[one.nombre].difusor,
            places[one.nombre].nodo,
            0 if one.valor is None else one.valor.nuevos,
            one.error if one.valor is None else one.valor.rechazo,
        )
        for one in results
    )


def status(workspace: Workspace) -> dict[str, Any]:
    """Who is at which cut, as JSON types; every acuse kept is verified again, with its chain.

    ``difusores[].corte``: the oldest among its nodes, None while any is unknown; ``al_corte``: whether it is the newest
    signed (GRO-2.1b).
    """
    path = workspace.repositorio / TIMESTAMP
    offer = read_offer(workspace.repositorio, path.read_bytes()) if path.exists() else None
    cuts = {} if offer is None else {cut.corte: cut.manifiesto.sha256 for cut in offer.cortes}
    newest = max(cuts, default=None)
    received, memory = Recibidos(workspace), Memoria(workspace.state())
    rows: dict[str, list[dict[str, Any]]] = {}
    for destino in workspace.settings.destino:
        row = _node(destino, received, cuts)
        last = memory.last(destino.nombre)
        row |= {"entregado": last.corte, "entrega": last.codigo}
        rows.setdefault(destino.difusor, []).append(row)
    report = []
    for difusor, nodes in rows.items():
        cut = at_cut({node["nodo"]: node["corte"] for node in nodes})
        report.append({"difusor": difusor, "corte": cut, "al_corte": cut is not None and cut == newest, "nodos": nodes})
    return {"corte": newest, "difusores": report}


def _node(destino: Destino, received: Recibidos, cuts: Mapping[int, str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "nodo": destino.nodo,
        "corte": None,
        "publicado": None,
        "visible": None,
        "acuses": 0,
        "ultimo": None,
        "problema": None,
        "pausado": destino.pausado,
    }
    try:
        known = received.situation(destino, cuts)
        received.check(destino)
    except PregonError as exc:
        # What we keep was changed: nothing of it counts until a person looks.
        return row | {"problema": exc.codigo}
    for event in ("publicado", "visible"):
        acuse = known.eventos.get(event)
        row[event] = acuse.corte if acuse is not None and _ours(cuts, acuse.corte, acuse.manifiesto_sha256) else None
    newest = max(known.eventos.values(), key=lambda acuse: acuse.hora, default=None)
    return row | {
        "corte": known.tiene,
        "acuses": known.recibidos,
        "ultimo": None if newest is None else newest.hora.isoformat(),
        "problema": known.rechazo,
    }


def _ours(cuts: Mapping[int, str], corte: int | None, sha256: str | None) -> bool:
    return corte is not None and cuts.get(corte) == sha256
