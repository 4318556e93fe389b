"""One target: what was asked goes up, what changed is purged, and its edge is asked until it answers the new bytes.

Steps. Whoever dies in the middle of one is completed by the next start, which begins at the first again:

1. What is wanted, and since when, is remembered.
2. The bucket (``publica``), which remembers what is left to purge.
3. What changed is purged.
4. The edge is asked for some of it. What it still answers as before is purged again, and asked again.
5. The purge is remembered as done, and what the edge shows, with the hour of each step.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pregon.base.errors import PregonError, RedError
from pregon.difusor import pointer
from pregon.difusor.nube.estado import Fallo, recordado
from pregon.difusor.nube.plan import publicas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.difusor.aceptado import Aceptado
    from pregon.difusor.nube.ajustes import AjustesNube
    from pregon.difusor.nube.estado import EstadoNube
    from pregon.difusor.nube.publica import Cambio, Publicacion
    from pregon.difusor.nube.purga import Purga
    from pregon.difusor.publish import Publisher
    from pregon.difusor.release import Plan

_logger = logging.getLogger(__name__)

MUESTRA = 8
"""Addresses that the edge is asked for besides the first ones, spread over those that changed."""
PRIMERAS = ("index.html", "corte.json", "manifiesto.json")
"""Paths of a release that are always asked for, where it has them."""
INTERNA = "INTERNA"
"""Code of what is a failure of ours."""


@dataclass(frozen=True)
class Pedido:
    """What a target must show: ``que`` is a release's folder (``0042``), ``aviso`` or ``espera``.

    ``sha256`` is of the cut's manifest, or of the page, and ``avisos`` of the announced delays that go with it, and how
    many notices there are.
    """

    que: str
    sha256: str
    avisos: str | None
    cut: Aceptado | None = field(default=None, compare=False)
    pagina: Path | None = field(default=None, compare=False)


class Blanco:
    """One target of a workspace. One thread at a time calls ``lleva``; ``estado`` is replaced whole, for any other."""

    def __init__(
        self,
        ajustes: AjustesNube,
        publisher: Publisher,
        *,
        plan: Callable[[Aceptado], Plan],
        clock: Clock,
        environment: Mapping[str, str],
    ) -> None:
        """``publisher`` is of the threads alone. Nothing outside is touched, and no secret read, before ``lleva``.

        Raises:
            DiscoError: the state database cannot be read.
        """
        self.nombre = ajustes.nombre
        self._ajustes = ajustes
        self._publisher = publisher
        self._libro = publisher.libro
        self._plan = plan
        self._clock = clock
        self._environment = environment
        self.estado = recordado(ajustes.nombre, ajustes.publica, self._libro.nube(ajustes.nombre))
        self._publicacion: Publicacion | None = None
        self._purga: Purga | None = None
        self._cambio: tuple[Pedido, Cambio] | None = None
        self._rutas: tuple[str, ...] = ()
        self._purgado: datetime | None = None

    def lleva(self, pedido: Pedido, *, vigente: Callable[[], bool], revisa: bool) -> None:
        """Bring the target to ``pedido``; a step that this process already did for it is not repeated.

        ``vigente``: whether it is still what is wanted; where it no longer is, the work is left where it stands.
        ``revisa``: everything is looked at again.

        Raises:
            PregonError: it could not be done now. What the edge shows is what it showed, or part of what is new: each
                page whole, with data of its own cut.
        """
        if pedido.que == pointer.ESPERA and self.estado.muestra is None and self.estado.pedido is None:
            return  # Nothing was ever taken there, and before the start nothing is.
        cambio = None if revisa or self._cambio is None or self._cambio[0] != pedido else self._cambio[1]
        if cambio is None:
            cambio = self._sube(pedido)
        if not vigente():
            return
        if self._rutas and self._ajustes.purga.tipo != "ninguna":
            self._purgador().purga(self._rutas, olvida=pedido.cut is None)
            self._purgado = self._clock.now()
        if not vigente():
            return
        seen = self._pregunta(pedido, cambio, vigente)
        if not vigente():
            return
        self._termina(pedido, cambio, seen)

    def estorba(self, other: Blanco) -> bool:
        """Whether both at work at once would write in one place, or remember under one name."""
        return self.nombre == other.nombre or self._ajustes.alcanza(other._ajustes)

    def close(self) -> None:
        """Close what is kept open; from the thread that calls ``lleva``."""
        if self._purga is not None:
            self._purga.close()

    def deja(self) -> None:
        """Have the upload under way end soon; from any thread. What it did stays."""
        if (publicacion := self._publicacion) is not None:
            publicacion.deja()

    def falla(self, exc: Exception) -> None:
        """Remember why ``lleva`` did not do it. The same trouble again is one fact, told once."""
        known = self.estado.error
        codigo = exc.codigo if isinstance(exc, PregonError) else INTERNA
        que_paso = exc.que_paso if isinstance(exc, PregonError) else f"{type(exc).__name__}: {exc}"
        since = self._clock.now() if known is None else known.desde
        fallo = Fallo(codigo, que_paso, since, 1 if known is None else known.intentos + 1)
        self.estado = self.estado.con(error=fallo)
        with contextlib.suppress(PregonError):  # A full disk; who asks this process still hears it.
            self._recuerda(self.estado)
            if known is None or known.codigo != codigo:
                _logger.warning("nube %s: %s: %s", self.nombre, codigo, que_paso)
                self._libro.evento("nube_falla", nombre=self.nombre, codigo=codigo, que_paso=que_paso)

    def _sube(self, pedido: Pedido) -> Cambio:
        if self._publicacion is None:  # Whoever had this target before us may have written since.
            self.estado = recordado(self.nombre, self._ajustes.publica, self._libro.nube(self.nombre))
        before = self.estado
        shown = _same(before, pedido)
        if not shown and before.pedido != pedido.que:
            self._recuerda(before.con(pedido=pedido.que, pedido_desde=self._clock.now()))  # 1
        self._cambio, self._purgado = None, None
        cambio = self._publica(pedido)  # 2
        if shown and cambio.objetos + cambio.copiados + cambio.quitados:
            _logger.warning("nube %s: no estaba como se dejó; se repuso", self.nombre)
            self._libro.evento("nube_repuesta", nombre=self.nombre, objetos=cambio.objetos, quitados=cambio.quitados)
        since = before.pedido_desde if before.pedido == pedido.que else self.estado.pedido_desde
        if (before.muestra, before.sha256) != (pedido.que, pedido.sha256):
            times = {
                "pedido": None if since is None else since.isoformat(),
                "subido": self._clock.now().isoformat(),
                "purgado": None,
                "visible": None,
                "objetos": cambio.objetos,
                "bytes": cambio.bytes,
            }
            self.estado = self.estado.con(tiempos=times)
        self._cambio, self._rutas = (pedido, cambio), cambio.rutas
        return cambio

    def _publica(self, pedido: Pedido) -> Cambio:
        if self._publicacion is None:
            from pregon.difusor.nube.publica import Publicacion

            self._publicacion = Publicacion(
                self._ajustes,
                self._publisher.workspace,
                self._libro,
                self._publisher.store,
                clock=self._clock,
                disk=self._publisher.disk,
                environment=self._environment,
            )
        if pedido.cut is not None:
            return self._publicacion.muestra(pedido.cut, self._plan(pedido.cut))
        assert pedido.pagina is not None  # noqa: S101 (a page or a cut)
        return self._publicacion.interrumpe(pedido.pagina)

    def _purgador(self) -> Purga:
        if self._purga is None:
            from pregon.difusor.nube.purga import abre

            self._purga = abre(
                self._ajustes.purga,
                folder=self._publisher.workspace.folder,
                environment=self._environment,
                clock=self._clock,
                publica=self._ajustes.publica,
            )
        return self._purga

    def _pregunta(self, pedido: Pedido, cambio: Cambio, vigente: Callable[[], bool]) -> datetime | None:
        """When the edge answered with everything that it is asked for; None where nobody may ask it.

        Raises:
            RedError: it still answers something else.
        """
        if self._ajustes.publica is None:
            return None
        from pregon.difusor.nube.borde import Limites, pregunta

        limits = Limites(segundos=self._purgador().paciencia_s)
        expected = self._esperado(pedido, cambio)
        answer = pregunta(self._ajustes.publica, expected, clock=self._clock, limits=limits, sigue=vigente)
        if answer.faltan and vigente():
            self._rutas = tuple(answer.faltan)
            raise RedError(
                f"{self._ajustes.publica} todavía no muestra lo nuevo en {len(answer.faltan)} direcciones: "
                f"{'; '.join(f'{ruta} {answer.razones[ruta]}' for ruta in self._rutas[:2])}.",
                intacto="Lo publicado en este equipo sigue a la vista, y el depósito ya tiene lo nuevo.",
                que_hacer="Se purga y se pregunta de nuevo. Si dura, revise en el CDN qué regla guarda de más.",
            )
        return answer.hora

    def _esperado(self, pedido: Pedido, cambio: Cambio) -> dict[str, str | None]:
        """Path to SHA-256 of what the edge is asked for; None of what must not be there any more."""
        first: dict[str, str | None] = {"/": pedido.sha256}
        if pedido.cut is not None:
            rutas = self._plan(pedido.cut).rutas
            first = {publicas(ruta)[0]: rutas[ruta] for ruta in PRIMERAS if ruta in rutas}
        for changed in (sorted(cambio.esperado), sorted(set(cambio.rutas).difference(cambio.esperado))):
            spread = changed[:: max(1, -(-len(changed) // MUESTRA))]
            first |= {ruta: cambio.esperado.get(ruta) for ruta in spread}
        return first

    def _termina(self, pedido: Pedido, cambio: Cambio, seen: datetime | None) -> None:
        before = self.estado
        other = (before.muestra, before.sha256) != (pedido.que, pedido.sha256)
        if cambio.rutas and self._publicacion is not None:
            self._publicacion.purgado(cambio.rutas)  # 5
        self._cambio, self._rutas = None, ()
        after = before.con(
            muestra=pedido.que,
            sha256=pedido.sha256,
            avisos=pedido.avisos,
            pedido=None,
            pedido_desde=None,
            error=None,
        )
        if other:
            times = {**before.tiempos, "purgado": _text(self._purgado), "visible": _text(seen)}
            after = after.con(desde=seen or self._clock.now(), tiempos=times)
        if after != before:
            self._recuerda(after)
        if other or before.error is not None:
            self._libro.evento("nube_visible", nombre=self.nombre, que=pedido.que, corte=after.corte)

    def _recuerda(self, estado: EstadoNube) -> None:
        self._libro.recuerda_nube(self.nombre, estado.to_json())
        self.estado = estado


def _same(estado: EstadoNube, pedido: Pedido) -> bool:
    return (estado.muestra, estado.sha256, estado.avisos) == (pedido.que, pedido.sha256, pedido.avisos)


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
