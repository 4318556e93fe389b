"""The package tree of one cut, from the pieces of its contests and what stands above them (design §2)."""

from __future__ import annotations

import dataclasses
import logging
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from pregon.base.errors import PregonError
from pregon.base.forked import Forked, forked
from pregon.instituto import contrato
from pregon.instituto.base_de_datos import write_outer
from pregon.instituto.datos import cut_file
from pregon.instituto.obra import Obra
from pregon.instituto.portal.programadores import documents
from pregon.instituto.portal.vistas import Enlace, Marco, Portal
from pregon.instituto.publico import paquete as publico
from pregon.paquete.empacado import pack
from pregon.paquete.tree import PackageTree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from pregon.instituto.obra import Cuenta, Encargo, Piezas
    from pregon.instituto.portal.aspecto import Aspecto
    from pregon.instituto.portal.paginas import Paginas
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import ManifestHead

_logger = logging.getLogger(__name__)

APART_BYTES = 8 << 20
"""From this size of a cut's sources on, each contest works in a process of its own."""


class Equipo:
    """The contests of a cut at work, all at once where each has its own process."""

    def __init__(self, obras: Sequence[Obra | Forked[Obra]]) -> None:
        self._obras = list(obras)

    def cuentas(self) -> list[Cuenta]:
        """Every contest counted, in the order of a cover; from here on everything comes in that order.

        Raises:
            PregonError: what the first of them in trouble raises.
        """
        counted = self._all("cuenta")
        order = sorted(range(len(counted)), key=lambda place: counted[place].eleccion.orden)
        self._obras = [self._obras[place] for place in order]
        return [counted[place] for place in order]

    def piezas(self, head: ManifestHead, marco: Marco, menu: Sequence[Enlace]) -> list[Piezas]:
        """The pieces of every contest.

        Raises:
            PregonError: what the first of them in trouble raises.
        """
        return self._all("piezas", head, marco, menu)

    def anoten(self) -> None:
        """Have every contest write its notes; those with a process of their own do it meanwhile."""
        try:
            self._ask("anota")
        except PregonError as exc:
            _logger.warning("sin apuntes para el corte que sigue: %s", exc)

    def apunten(self, manifiesto_sha256: str) -> None:
        """Have the notes count as those of the cut just signed: without them the next one only takes longer."""
        try:
            self._answers()
            self._all("apunta", manifiesto_sha256)
        except PregonError as exc:
            _logger.warning("sin apuntes para el corte que sigue: %s", exc)

    def _all(self, method: str, *arguments: Any) -> list[Any]:
        self._ask(method, *arguments)
        return self._answers()

    def _ask(self, method: str, *arguments: Any) -> None:
        for obra in self._obras:
            if isinstance(obra, Forked):
                obra.send(method, *arguments)
        self._asked = [partial(getattr(obra, method), *arguments) for obra in self._obras if isinstance(obra, Obra)]

    def _answers(self) -> list[Any]:
        left = iter(self._asked)
        return [obra.receive() if isinstance(obra, Forked) else next(left)() for obra in self._obras]


@contextmanager
def at_work(encargos: Sequence[Encargo], paginas: Paginas) -> Iterator[Equipo]:
    """The contests of a cut, ready to work; their processes end on the way out."""
    with ExitStack() as stack:
        if len(encargos) > 1 and sum(_size(encargo.source.actas) for encargo in encargos) >= APART_BYTES:
            alone = [dataclasses.replace(encargo, hilos=1) for encargo in encargos]
            yield Equipo(stack.enter_context(forked([partial(Obra, encargo, paginas) for encargo in alone])))
        else:
            yield Equipo([Obra(encargo, paginas) for encargo in encargos])


def frame(workspace: Workspace, head: ManifestHead, aspecto: Aspecto) -> Marco:
    """What frames every page of the cut; ``aspecto``: the names that the institute gives."""
    profile = workspace.convocatoria
    return Marco(
        nombre=aspecto.ajustes.nombres.proceso or profile.nombre,
        instituto=aspecto.ajustes.nombres.instituto or profile.instituto_nombre or profile.instituto.upper(),
        ambiente=head.ambiente,
        corte=head.corte,
        hora_corte=head.hora_corte,
        zona=profile.zona,
        ultimo=head.ultimo,
        proximo=head.proximo,
        cierre=head.cierre,
        vistas=frozenset(profile.vistas) - ({"incrusta"} if profile.embebido == "no" else set()),
        intervalo_s=profile.intervalo_min * 60,
        # Where the call states no delay, what makes a difusor call itself late.
        margen_s=profile.retraso_max_s or profile.proximo_margen_s,
        imagenes_url=profile.imagenes_url,
        verificador_url=profile.verificador_url,
        difusores=publico.pagina(workspace),
        entidad=profile.entidad.numero,
        inicio=profile.inicio,
        fin=profile.fin_actualizacion,
        permanencia=profile.permanencia_hasta,
    )


def assemble(
    workspace: Workspace,
    head: ManifestHead,
    marco: Marco,
    contests: Sequence[Piezas],
    paginas: Paginas,
    folder: Path,
) -> PackageTree:
    """The tree of the cut that ``head`` states; ``folder`` holds the database zips until the cut is written.

    Depends only on the contests, on ``head`` without ``generado`` and on the pages of the previous cut (docs/adr/0006):
    the same actas and cut give the same bytes. Where the settings ask for it, also on the public pages in force
    (docs/adr/0017).

    Raises:
        ArchivoError: two elections give one path, or a source's name is not admitted.
        DiscoError, EscrituraError: could not write in ``folder``.
    """
    profile = workspace.convocatoria
    tree = PackageTree()
    databases = [contest.base for contest in contests]
    if profile.paquete.zip_anidado:
        outer = write_outer(profile, head, databases, folder, workspace.disk)
        databases.append(outer)
        tree.add(outer.descarga.ruta, pack(outer.descarga.ruta, outer.archivo, sha256=outer.descarga.sha256))
    portal = Portal(
        marco=marco,
        contiendas=tuple(contest.tarjeta for contest in contests),
        descargas=tuple(base.descarga for base in databases),
    )
    for ruta, packed in chain.from_iterable(contest.archivos for contest in contests):
        tree.add(ruta, packed)
    cut = cut_file(portal)
    samples = {"corte": ("corte.json", cut)}  # one file of each kind, for the page that explains them
    for contest in contests:
        for kind, sample in contest.muestras.items():
            samples.setdefault(kind, sample)
    tree.add("corte.json", cut)
    for route, data in chain(contrato.published(), paginas.shared(portal, documents(samples))):
        tree.add(route, data)
    for route, data in publico.archivos(workspace):
        tree.add(route, data)
    return tree


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it says what is wrong
