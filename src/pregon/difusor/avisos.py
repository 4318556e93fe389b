"""The institute's signed notices, as this difusor reads them, keeps them and obeys them.

What is read once is remembered by number and hash, and its bytes stay in ``avisos/`` as evidence, written before it has
any effect. A notice that is not understood, that changed under its number or that does not come is told (an event, and
``estado``) and never stops a result. What the notices mean is decided by ``interrupcion``.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base.errors import FormatoError, PregonError
from pregon.base.hashing import open_regular, sha256_bytes
from pregon.difusor import pages, pointer
from pregon.difusor.aceptado import AvisoVisto
from pregon.difusor.interrupcion import (
    Dicho,
    Interrupcion,
    Periodos,
    Silencio,
    delays_in_force,
    last_delay_ended,
    next_interruption,
    order_in_force,
    silent_for,
)
from pregon.trust.aviso import AVISO_MAX_BYTES, notice_number, notice_path, parse_aviso

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.base.clock import Clock
    from pregon.difusor.libro import Libro
    from pregon.difusor.novedades import Novedades
    from pregon.difusor.publish import Publisher
    from pregon.difusor.workspace import Workspace
    from pregon.trust.aviso import Aviso
    from pregon.trust.verified import TargetRef

_logger = logging.getLogger(__name__)

POR_PASADA = 64
"""New notices that one pass reads; the others wait for the next, so that no list can hold up a cut."""
AVISOS_MAX = 5000
"""Notices that are kept in all. An institute signs some dozens in a night."""


class Avisos:
    """The notices of one workspace. One at a time: the caller holds ``opera.lock``."""

    def __init__(self, publisher: Publisher, news: Novedades, clock: Clock) -> None:
        self._publisher = publisher
        self._workspace: Workspace = publisher.workspace
        self._libro: Libro = publisher.libro
        self._news = news
        self._clock = clock
        self._rule = Periodos.of(self._workspace.convocatoria) if self._workspace.firmado else None
        self._testigo = self._libro.testigo
        self._since = clock.monotonic()
        self._seen_here = False
        self._written = self._libro.dicho  # Recovery wrote the pages: what is altered since is for the sweep to tell.

    def read(self) -> None:
        """Read what the last look signed and is not known yet; nothing takes effect before it is on disk.

        Raises:
            DiscoError, EscrituraError: our own disk. Then what could not be kept had no effect, and is read again.
        """
        signed = self._news.firmado
        known = {seen.n: seen for seen in self._libro.avisos()}
        trouble = signed.error
        left = min(POR_PASADA, AVISOS_MAX - len(known))
        for target in signed.avisos:
            number = notice_number(target.ruta)
            if number is None:
                continue  # No difusor of this version knows what it is, and its name gives it no place in the order.
            seen = known.get(number)
            if seen is not None:
                self._compare(seen, target)
                continue
            if left <= 0:
                break
            left -= 1
            try:
                data = self._news.read_notice(target)
            except PregonError as exc:
                trouble = trouble or exc  # Asked for again in the next pass.
                continue
            keep(self._publisher, number, data, target.sha256, self._clock.now())
        told = None if trouble is None else {"codigo": trouble.codigo, "que_paso": trouble.que_paso}
        if self._libro.recuerda_avisos(told) and trouble is not None:
            _logger.warning("difusor %s: avisos: %s", self._workspace.settings.id, trouble.que_paso)
            self._libro.evento("avisos_sin_leer", codigo=trouble.codigo, que_paso=trouble.que_paso)

    def _compare(self, seen: AvisoVisto, target: TargetRef) -> None:
        """A number has one content for ever: another one has no effect, and is an alarm."""
        if target.sha256 in (seen.sha256, seen.otro):
            return
        self._libro.anotar_aviso(replace(seen, otro=target.sha256))
        self._libro.evento("aviso_cambiado", n=seen.n, sha256=seen.sha256, otro=target.sha256)
        _logger.error("difusor %s: el aviso %06d cambió", self._workspace.settings.id, seen.n)

    def decide(self, *, current: bool) -> Dicho:
        """What our own pages must say after a pass; nothing is changed.

        ``current``: the pass verified that the newest signed cut is ours, accepted and whole.
        """
        now, libro = self._clock.now(), self._libro
        if libro.testigo != self._testigo:
            self._testigo, self._since, self._seen_here = libro.testigo, self._clock.monotonic(), True
        avisos, difusor = understood(libro), self._workspace.settings.id
        delays = delays_in_force(avisos, difusor, now, libro.ultimo())
        after = next_interruption(
            libro.interrupcion,
            order=order_in_force(avisos, difusor, latest(now, self._testigo)),
            missed_since=None if delays else self._missed_since(avisos, now),
            testigo=self._testigo,
            current=current,
            now=now,
        )
        return Dicho(after, delays)

    def _missed_since(self, avisos: tuple[Aviso, ...], now: datetime) -> datetime | None:
        """The last sign of the institute, where the periods of the profile ran out since; None where they did not."""
        rule = self._rule
        if rule is None:
            return None
        ended = last_delay_ended(avisos, self._workspace.settings.id, now)
        if ended is not None:
            rule = replace(rule, inicio=max(rule.inicio, ended))
        reading, limit = self._libro.reloj, self._workspace.settings.reloj.max_desfase_s
        counted = timedelta(seconds=self._clock.monotonic() - self._since)
        silence = Silencio(
            testigo=self._testigo,
            fiable=not self._clock.simulado and reading is not None and reading.fiable(now=now, max_desfase_s=limit),
            transcurrido=counted,
            visto_aqui=self._seen_here,
        )
        silent = silent_for(silence, rule, now, self._libro.ultimo())
        return self._testigo if silent is not None and silent >= rule.limite else None

    def say(self, dicho: Dicho) -> None:
        """Make our own pages say it: remembered first, then written.

        Raises:
            DiscoError, EscrituraError: our own disk.
        """
        before = self._libro.dicho
        if dicho != before:
            self._libro.decir(dicho)
            self._tell(before, dicho)
        if dicho != self._written:
            pages.ensure(self._workspace, self._publisher.disk, dicho)
            self._written = dicho

    def _tell(self, before: Dicho, after: Dicho) -> None:
        was, now = before.interrupcion, after.interrupcion
        if now is not None and now != was:
            self._libro.evento("interrumpido", causa=now.causa, n=now.n, desde=now.desde.isoformat())
            _logger.warning("difusor %s: %s", self._workspace.settings.id, now.motivo)
        if was is not None and now is None:
            self._libro.evento("reanudado", causa=was.causa, n=was.n)
        new = [aviso.n for aviso in after.retrasos if aviso not in before.retrasos]
        if new:
            self._libro.evento("retraso_anunciado", avisos=new)


def keep(publisher: Publisher, number: int, data: bytes, sha256: str, now: datetime) -> None:
    """Put a verified notice into ``avisos/`` and remember it; one that is not understood too.

    Raises:
        DiscoError, EscrituraError: our own disk; it is not remembered.
    """
    libro = publisher.libro
    publisher.disk.write(publisher.workspace.folder / notice_path(number), data, mode=0o600)
    aviso, problem = None, None
    try:
        aviso = parse_aviso(data, n=number)
    except FormatoError as exc:
        problem = exc.que_paso
    libro.anotar_aviso(AvisoVisto(number, sha256, now, aviso, problem))
    if aviso is None:
        libro.evento("aviso_ininteligible", n=number, sha256=sha256, que_paso=problem)
    else:
        libro.evento("aviso", n=number, clase=aviso.tipo, difusores=list(aviso.difusores), sha256=sha256)


def recover_notices(publisher: Publisher, now: datetime) -> None:
    """Remember what ``avisos/`` has and the state database has not, and obey at once what suspends.

    So that whoever died between the notice and the pointer, or lost its memory, starts suspended.
    """
    workspace, libro, disk = publisher.workspace, publisher.libro, publisher.disk
    known = {seen.n for seen in libro.avisos()}
    for path in sorted(workspace.avisos.iterdir()):
        number = notice_number(f"avisos/{path.name}")
        if number is None or number in known:
            continue
        try:
            with open_regular(path) as file:
                data = file.read(AVISO_MAX_BYTES + 1)
        except OSError:
            continue  # What is not a file of ours there is no notice; the list of the institute brings it again.
        keep(publisher, number, data, sha256_bytes(data), now)
    order = order_in_force(understood(libro), workspace.settings.id, latest(now, libro.testigo))
    before = libro.dicho
    after = next_interruption(before.interrupcion, order=order, missed_since=None, testigo=None, current=False, now=now)
    if after != before.interrupcion:
        libro.decir(replace(before, interrupcion=after))
    pages.ensure(workspace, disk, libro.dicho)
    if after is not None and _shows_results(publisher):
        pointer.switch(workspace, pointer.AVISO, disk)


def _shows_results(publisher: Publisher) -> bool:
    """Whether a cut is public, or would be: the pointer is damaged and some cut was public."""
    name = pointer.read(publisher.workspace)
    if name is None:
        return publisher.libro.publicado is not None
    return pointer.release_number(name) is not None


def understood(libro: Libro) -> tuple[Aviso, ...]:
    """Every notice that was understood, by number."""
    return tuple(seen.aviso for seen in libro.avisos() if seen.aviso is not None)


def latest(now: datetime, testigo: datetime | None) -> datetime:
    """The later of our clock and the witness: what is surely past, whatever our clock says."""
    return now if testigo is None else max(now, testigo)


def reason(interrupcion: Interrupcion | None) -> str:
    """Why results are not shown, for ``decide``."""
    return "" if interrupcion is None else interrupcion.motivo
