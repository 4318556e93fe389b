"""One pass of a difusor: look at the source, take what is new, decide, publish, say so.

Steps (design §3). Each refusal leaves what is public as it was:

1. The clock is measured, when it is due.
2. ``trust`` looks at the source: signatures or sums, order, identity. The signed notices are read and kept, although
   the cut is refused. Nothing newer: straight to 7.
3. The fewest bytes that suffice come into staging, with the hashes that were verified (``acopio``).
4. Each archive is admitted and its contents go to objects, each hashed as it is written.
5. The release is linked and the originals gathered, both under provisional names; one sync; both get their names.
   The originals' rename is the acceptance.
6. Acuses «recibido» and «verificado».
7. What the notices and the periods of the profile ask; ``decide``; where something else must be public, the pointer
   is switched. So a suspension that came with a cut is obeyed before that cut is public. What is public here now is
   taken to every object store, in threads of their own (``nube.servicio``).
8. Acuse «publicado»; the twins that no first sight asks for; the whole archive where the profile keeps it; pruning;
   the public address is asked, and acuse «visible» once it, and the edge of every store that works, answers with the
   cut.
9. The acuses go to the institute (``remesa``).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pregon.base.errors import (
    ArchivoError,
    DiscoError,
    EscrituraError,
    ExpiradoError,
    PregonError,
    RedError,
    TrustError,
)
from pregon.difusor import pointer
from pregon.difusor.aceptado import Aceptado
from pregon.difusor.acopio import Acopio
from pregon.difusor.acuse import Acuses, Hecho
from pregon.difusor.avisos import Avisos, reason
from pregon.difusor.decide import Decision, Estado, Situacion, decide
from pregon.difusor.nube.servicio import CIERRA_S, Nube
from pregon.difusor.release import check_own_data
from pregon.difusor.reloj import MEASURE_EVERY, read_clock
from pregon.difusor.remesa import Remesa
from pregon.difusor.servidor.direccion import public_url
from pregon.difusor.situacion import situation_of
from pregon.difusor.unpack import check_own_twins
from pregon.paquete.names import MANIFIESTO
from pregon.sonda.probe import Limits, probe
from pregon.trust.oferta import split_archives

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.base.clock import Clock
    from pregon.base.hora import OffsetSource
    from pregon.difusor.caminos import Recibido
    from pregon.difusor.interrupcion import Dicho
    from pregon.difusor.libro import Libro
    from pregon.difusor.novedades import Novedades
    from pregon.difusor.nube.estado import EstadoNube
    from pregon.difusor.publish import Publisher
    from pregon.difusor.workspace import Workspace
    from pregon.trust.acuse import Evento
    from pregon.trust.verified import Novelty, VerifiedManifest

_logger = logging.getLogger(__name__)

WHOLE_AGAIN_S = 30.0
"""The whole archive of a public cut, which only the history wants, is asked for again after so long."""
PROBE_LIMITS = Limits(segundos=3.0, bytes=64 << 20)
"""The self-check asks for one small file of this same machine or its edge."""


@dataclass(frozen=True)
class Outcome:
    """What one pass did: the cut accepted (None: nothing new), the decision, whether the pointer moved.

    ``atrasadas``: of a pass that waited for the object stores, those that do not show what was decided.
    """

    novedad: int | None
    decision: Decision
    cambio: bool
    error: PregonError | None = None
    atrasadas: tuple[EstadoNube, ...] = ()


class Receiver:
    """The passes of one workspace. One at a time: the caller holds ``opera.lock``."""

    def __init__(self, publisher: Publisher, news: Novedades, *, clock: Clock, offset: OffsetSource) -> None:
        self._publisher = publisher
        self._workspace: Workspace = publisher.workspace
        self._libro: Libro = publisher.libro
        self._news = news
        self._clock = clock
        self._offset = offset
        self._acopio = Acopio(publisher, news)
        self._avisos = Avisos(publisher, news, clock)
        self._sin_original: tuple[int | None, str | None, float] = (None, None, 0.0)
        self._acuses = Acuses(publisher.workspace, publisher.disk)
        self._visto: tuple[int, datetime] | None = None
        self._ofrecido: VerifiedManifest | None = None
        """What the last pass was offered, once its signatures and order held."""
        self.nube = Nube(publisher.workspace, publisher, clock=clock)
        """The object stores in which what is public here is published too."""
        self._remesa = Remesa(publisher, self._acuses, clock)

    def run_once(self) -> Outcome:
        """One pass. A refusal is in ``Outcome.error``; what was due by time alone happened all the same.

        Raises:
            DiscoError, EscrituraError: the workspace itself cannot be used.
        """
        self._measure()  # 1
        accepted: Aceptado | None = None
        error: PregonError | None = None
        self._ofrecido = None
        try:
            accepted = self._take(self._look_for_news())  # 2
        except ExpiradoError as exc:
            error = None if self._over(exc) else exc
        except PregonError as exc:
            error = exc
        self._note(accepted, error)
        decision, changed = self._apply(current=error is None)  # 7
        self.nube.despacha(decision, self._cut(decision))
        if accepted is not None and decision.estado is Estado.SUSPENDIDO:
            self._publisher.prune()  # Cuts go on coming, and none is published, which is when it is done.
        self._after(decision)  # 8
        self._remesa.despacha(decision.revisa)  # 9
        return Outcome(None if accepted is None else accepted.corte, decision, changed, error)

    def alcanza(self) -> Aceptado | None:
        """Take what the source has and show nothing: ``rehace`` looks first at what that makes of it.

        Raises: as ``Novedades.check`` and ``Acopio.bring``; nothing was accepted.
        """
        return self._take(self._look_for_news())

    def completa(self, decision: Decision, segundos: float) -> tuple[EstadoNube, ...]:
        """Wait, ``segundos`` at most, until the stores show what was decided, and tell the institute of it.

        Gives those that do not show it. For who makes one pass alone: in the loop nobody waits.

        Raises:
            DiscoError, EscrituraError: the workspace itself cannot be used.
        """
        missing = self.nube.espera(segundos)
        cut = self._cut(decision)
        if cut is not None and self.nube.estado():
            self._look(cut)
            self._remesa.despacha(decision.revisa)
        return missing

    def sucede(self, antes: Receiver) -> None:
        """Take the place of ``antes``, which is closed."""
        antes.close(nube_s=0.0)
        self.nube.sucede(antes.nube)

    def close(self, *, nube_s: float = CIERRA_S) -> None:
        """Let go of the connections that are kept; wait ``nube_s`` at most for the stores' threads to end."""
        self._news.close()
        self._remesa.close()
        self.nube.close(nube_s)

    def _over(self, exc: ExpiradoError) -> bool:
        """Whether nothing is missed: the closing cut is ours, and what is past its date is what was verified with it.

        A call that says no end of permanence (MOR-gap) signs its last cut as any other; its signature ends that night
        and nobody signs again. Before the closing cut the same is a source that was frozen, and is refused.
        """
        newest = self._libro.ultimo()
        return exc.conocido and newest is not None and newest.ultimo

    def _measure(self) -> None:
        last = self._libro.reloj
        if last is None or abs(self._clock.now() - last.hora) >= MEASURE_EVERY:
            self._libro.medir(read_clock(self._workspace.settings.reloj, self._clock, self._offset))

    def _look_for_news(self) -> Novelty:
        try:
            return self._news.check()
        finally:
            self._libro.atestiguar(self._news.firmado.hora)
            self._avisos.read()

    def _take(self, novelty: Novelty) -> Aceptado | None:
        verified = novelty.verified
        if verified is None:
            return None
        self._ofrecido = verified
        publisher, manifest = self._publisher, verified.manifest
        if self._workspace.firmado:
            check_own_data(manifest)
        came = self._acopio.bring(verified)  # 3 and 4
        check_own_twins(manifest, publisher.store)
        try:
            cut = self._accept(verified, came)
        except (DiscoError, EscrituraError):
            self._acopio.undo(came)
            raise
        self._libro.aceptar(cut)
        self._news.accept(verified)
        self._acopio.forget()
        whole = split_archives(verified.archives)[0]
        self._acopio.clear(keep=set() if whole is None else {whole.sha256})
        self._libro.evento("aceptado", corte=cut.corte, manifiesto_sha256=cut.sha256, recuperado=False)
        return cut

    def _accept(self, verified: VerifiedManifest, came: Recibido) -> Aceptado:
        """Link the release and keep the originals; the cut is accepted when this returns, and not before."""
        publisher, manifest = self._publisher, verified.manifest
        store = publisher.store
        if not store.has(verified.sha256, len(verified.raw)):
            store.put(verified.sha256, len(verified.raw), [verified.raw])
        cut = Aceptado(
            corte=manifest.corte,
            sha256=verified.sha256,
            hora_corte=manifest.hora_corte,
            ultimo=manifest.ultimo,
            proximo=manifest.proximo,
            firmado=verified.firmado,
            recibido=self._clock.now(),
            prueba=verified.prueba,
            archivos=verified.archives,
        )
        release = publisher.releases.prepare(publisher.plan_new(manifest, verified.sha256))  # 5
        originals = publisher.history.prepare(cut, verified.raw, came)
        publisher.disk.sync_filesystem(self._workspace.folder)
        publisher.releases.finish(release)
        publisher.history.accept(originals)
        return cut

    def _note(self, accepted: Aceptado | None, error: PregonError | None) -> None:
        now = self._clock.now()
        if error is None:
            self._libro.anotar_intento(now, "sin_novedad" if accepted is None else "aceptado", None)
            return
        refused = isinstance(error, TrustError | ArchivoError)
        result = "rechazado" if refused else "fallo"
        # The same refusal at every poll is one fact, told once.
        if self._libro.anotar_intento(now, result, error.codigo, error.que_paso):
            _logger.warning("difusor %s: %s: %s", self._workspace.settings.id, error.codigo, error.que_paso)
            self._libro.evento(result, codigo=error.codigo, que_paso=error.que_paso)
            if refused:
                which = self._ofrecido
                corte, sha256 = (None, None) if which is None else (which.manifest.corte, which.sha256)
                self._acuses.issue(Hecho("rechazado", now, corte, sha256, codigo=error.codigo))

    def situation(self) -> Situacion:
        """Everything that ``decide`` needs, as it is now."""
        return situation_of(self._workspace, self._libro, self._clock.now())

    def _apply(self, *, current: bool) -> tuple[Decision, bool]:
        before, dicho = self._libro.interrupcion, self._avisos.decide(current=current)
        back = before is not None and dicho.interrupcion is None
        if not back:
            self._avisos.say(dicho)
        decision, changed = self._show(dicho, back=back)
        if back:
            # Last: whoever dies before this starts interrupted, and looks again.
            self._avisos.say(dicho)
        return decision, changed

    def _show(self, dicho: Dicho, *, back: bool) -> tuple[Decision, bool]:
        situation = replace(
            self.situation(), suspendido=dicho.interrupcion is not None, causa=reason(dicho.interrupcion)
        )
        decision = decide(situation)
        cut = self._cut(decision)
        if cut is None and decision.estado is Estado.ESPERA and situation.ya_publico and not back:
            return decision, False  # Our memory is lost, and still what is public is never blanked.
        if cut is None:
            page = pointer.AVISO if decision.estado is Estado.SUSPENDIDO else pointer.ESPERA
            changed = self._publisher.show(page)
            if changed:
                self._libro.evento("muestra", que=page, motivo=decision.motivo)
            return decision, changed
        if back or not self._publisher.releases.folder(cut.corte).is_dir():
            self._publisher.ensure_release(cut)
        changed = self._publisher.show(pointer.release_name(cut.corte))
        if self._libro.publicado != cut.corte:
            self._libro.publicar(cut.corte, self._clock.now())
            self._libro.evento("publicado", corte=cut.corte, manifiesto_sha256=cut.sha256)
        elif back and changed:
            self._libro.publicar(cut.corte, self._clock.now())  # Until now people read why it was not there.
        self._publisher.firmas.muestra()
        return decision, changed

    def _cut(self, decision: Decision) -> Aceptado | None:
        return next((cut for cut in self._libro.cortes() if cut.corte == decision.corte), None)

    def _after(self, decision: Decision) -> None:
        newest = self._libro.ultimo()
        if newest is not None:
            self._issue("recibido", newest, newest.recibido)
            self._issue("verificado", newest, newest.recibido)
        cut = self._cut(decision)
        if cut is None:
            return
        self._issue("publicado", cut, self._libro.desde or self._clock.now())
        if self._libro.terminado != cut.corte:
            self._publisher.add_twins(cut)
            self._publisher.prune()
            self._libro.terminar(cut.corte)
        self._keep_whole(cut)
        self._look(cut)

    def _keep_whole(self, cut: Aceptado) -> None:
        """Fetch the whole archive of a public cut where the profile keeps it and only the changes came.

        A sender pushes it after the timestamp (``instituto.entrega``), so it may not be there yet: asked for again.
        """
        publisher = self._publisher
        whole = split_archives(cut.archivos)[0]
        complete = self._workspace.convocatoria.historial.conservar == "completo"
        if whole is None or not complete or whole.nombre in {p.name for p in publisher.history.archives(cut.corte)}:
            return
        corte, codigo, at = self._sin_original
        if corte == cut.corte and self._clock.monotonic() < at + WHOLE_AGAIN_S:
            return
        try:
            publisher.require_space(whole.bytes)
            publisher.history.add(cut.corte, whole.nombre, self._acopio.fetch(whole))
        except PregonError as exc:
            # What is public does not need it.
            if (corte, codigo) != (cut.corte, exc.codigo):
                self._libro.evento("sin_original", corte=cut.corte, codigo=exc.codigo)
            self._sin_original = (cut.corte, exc.codigo, self._clock.monotonic())

    def _look(self, cut: Aceptado) -> None:
        """Ask the public address, as a citizen would, until it answers with the cut; and so does each store's edge."""
        asked = any(each.publica is not None for each in self.nube.estado())
        url = public_url(self._workspace)
        if (url is None and not asked) or self._acuses.has("visible", cut.corte):
            return
        here = None if url is None else self._seen(cut, url)
        clouds = self.nube.visible(cut)
        if clouds is None or (url is not None and here is None):
            return
        instants = [datetime.fromisoformat(each["visible"]) for each in clouds if each["visible"] is not None]
        seen = [*instants, *([] if here is None else [here])]
        if not seen:
            return  # Those that could be asked all fail.
        self._issue("visible", cut, max(seen), clouds)
        self._libro.evento("visible", corte=cut.corte, **({"nube": list(clouds)} if clouds else {}))

    def _seen(self, cut: Aceptado, url: str) -> datetime | None:
        """When the public address was first seen with the cut; None where it still answers something else."""
        if self._visto is None or self._visto[0] != cut.corte:
            try:
                answer = probe(url + MANIFIESTO, clock=self._clock, limits=PROBE_LIMITS)
            except RedError:
                return None
            if answer.status != 200 or answer.sha256 != cut.sha256:
                return None
            self._visto = (cut.corte, self._clock.now())
        return self._visto[1]

    def _issue(self, event: Evento, cut: Aceptado, hora: datetime, nube: tuple[Mapping[str, Any], ...] = ()) -> None:
        seconds = None if cut.firmado is None else (hora - cut.firmado).total_seconds()
        self._acuses.issue(Hecho(event, hora, cut.corte, cut.sha256, segundos=seconds, prueba=cut.prueba, nube=nube))
