"""The process that plays the institute: ``python -m pregon.simulacro.institute FOLDER``.

It builds, signs and delivers each planned cut at its hour, and signs the timestamp again every interval, exactly as
the institute's own commands do. The leader of the simulacro lets cuts go one by one (``Post.permiso``) so that each
difusor is seen at each of them, and reads what was signed from ``Post.firmados``.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.clock import SimulatedClock
from pregon.base.durable import Disk
from pregon.base.errors import PregonError
from pregon.instituto.autorizaciones import load
from pregon.instituto.build import ContestSource, build_cut
from pregon.instituto.compuerta import ENCABEZADO_ORIGEN
from pregon.instituto.entrega.corrida import Corrida
from pregon.instituto.workspace import open_workspace
from pregon.paquete.manifest import Autorizacion
from pregon.simulacro.plan import read_plan
from pregon.simulacro.result import SignedCut
from pregon.transport.local import deliver
from pregon.trust.vigencia import timestamp_expiry

if TYPE_CHECKING:
    from pregon.simulacro.plan import PlannedCut

_logger = logging.getLogger(__name__)

OPERADOR = "simulacro"
REPLICA = "Réplica de archivos ya publicados"
"""Why a simulacro lets the source's header differ, where nobody gave authorisations."""
_LOOK_S = 0.05
"""Real seconds between looks at the clock and at the leader's permission."""


@dataclass(frozen=True)
class Post:
    """The files through which the leader and the institute's process speak."""

    folder: Path

    @property
    def plan(self) -> Path:
        return self.folder / "plan.json"

    @property
    def reloj(self) -> Path:
        return self.folder / "reloj.json"

    @property
    def instituto(self) -> Path:
        return self.folder / "instituto"

    @property
    def entradas(self) -> Path:
        """JSON list of the inboxes that the institute delivers into."""
        return self.folder / "entradas.json"

    @property
    def autorizaciones(self) -> Path:
        """The file of ``--autorizaciones``, copied here; absent where none was given."""
        return self.folder / "autorizaciones.json"

    @property
    def permiso(self) -> Path:
        """The highest cut number that may be signed."""
        return self.folder / "permiso"

    @property
    def firmados(self) -> Path:
        """JSON list of the cuts signed so far."""
        return self.folder / "firmados.json"

    def permitted(self) -> int:
        """The highest cut number allowed now; -1 for none."""
        try:
            return int(self.permiso.read_bytes())
        except FileNotFoundError:
            return -1

    def signed(self) -> tuple[SignedCut, ...]:
        """The cuts signed so far, oldest first."""
        try:
            rows = json.loads(self.firmados.read_bytes())
        except FileNotFoundError:
            return ()
        return tuple(
            SignedCut(
                numero=row["numero"],
                hora_corte=datetime.fromisoformat(row["hora_corte"]),
                firmado=datetime.fromisoformat(row["firmado"]),
                manifiesto_sha256=row["manifiesto_sha256"],
            )
            for row in rows
        )


class Institute:
    """The institute of one simulacro."""

    def __init__(self, post: Post, disk: Disk) -> None:
        self._post = post
        self._disk = disk
        self._clock = SimulatedClock.load(post.reloj)
        self._workspace = open_workspace(post.instituto, clock=self._clock, disk=disk)
        self._inboxes = tuple(Path(path) for path in json.loads(post.entradas.read_bytes()))
        self._given = load(post.autorizaciones) if post.autorizaciones.exists() else None
        # What an institute that was lost had signed: it goes on from there.
        self._signed: list[SignedCut] = list(post.signed())
        self._next_stamp = self._clock.now()

    def run(self) -> None:
        """Publish every planned cut, each at its hour and once permitted."""
        done = {cut.numero for cut in self._signed}
        for cut in read_plan(self._post.plan.read_bytes()):
            if cut.numero in done:
                continue
            while self._clock.now() < cut.sale or self._post.permitted() < cut.numero:
                self._stamp_if_due()
                self._clock.sleep(_LOOK_S * self._pace())
            self._publish(cut)
        endless = self._workspace.convocatoria.permanencia_hasta is None
        while True:
            if endless:  # Without an end of permanence the closing cut has no date beyond the usual (MOR-gap).
                self._stamp_if_due()
            self._clock.sleep(_LOOK_S * self._pace())

    def _pace(self) -> float:
        return SimulatedClock.load(self._post.reloj).rate

    def _publish(self, cut: PlannedCut) -> None:
        built = build_cut(
            self._workspace,
            [ContestSource(None, f.actas, f.candidaturas, f.leeme) for f in cut.fuentes],
            hora=cut.hora,
            corte=cut.numero,
            ultimo=cut.ultimo,
            operador=OPERADOR,
            autorizaciones=self._authorised(cut),
        )
        now = datetime.now(UTC)
        self._signed.append(SignedCut(cut.numero, cut.hora, now, built.manifiesto_sha256))
        self._next_stamp = self._clock.now() + self._workspace.intervalo
        self._deliver()
        self._disk.write(self._post.firmados, json.dumps([row.to_json() for row in self._signed]).encode())

    def _authorised(self, cut: PlannedCut) -> tuple[Autorizacion, ...]:
        """Those of the file given; with none, a header that differs goes out: the files were published already."""
        if self._given is not None:
            return self._given
        return (Autorizacion(ENCABEZADO_ORIGEN, REPLICA, OPERADOR, cut.hora),)

    def _stamp_if_due(self) -> None:
        if self._clock.now() < self._next_stamp:
            return
        now = self._clock.now()
        with self._workspace.held() as repository:
            expires = timestamp_expiry(now + self._workspace.intervalo, self._workspace.intervalo)
            repository.resign_timestamp(now=now, expires=expires)
        self._next_stamp = self._clock.now() + self._workspace.intervalo
        self._deliver()

    def _deliver(self) -> None:
        for inbox in self._inboxes:
            try:
                deliver(self._workspace.repositorio, inbox, self._disk)
            except PregonError as error:
                # One difusor's inbox must not delay the others; the night's table shows who stayed behind.
                _logger.warning("entrega a %s: %s", inbox, error.que_paso)
        if not any(one.empuja for one in self._workspace.settings.destino):
            return
        for line in Corrida(self._workspace, os.environ).run():
            if line.error is not None:
                _logger.warning("entrega a %s/%s: %s", line.difusor, line.nodo, line.error.que_paso)


def main() -> None:
    """Run the institute of the simulacro in the folder given on the command line."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        Institute(Post(Path(sys.argv[1])), Disk()).run()
    except PregonError as error:
        # Whoever leads the night shows a person the last words of this process: what happened, and no lines of code.
        sys.stderr.write(f"Error {error.codigo}: {error.que_paso}\n{error.intacto}\n{error.que_hacer}\n")
        raise SystemExit(error.salida) from error


if __name__ == "__main__":
    main()
