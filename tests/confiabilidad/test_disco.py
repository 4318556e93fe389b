"""A disk that is full, fails or cannot be written, at any write: what is public stays, and goes on when it is back."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pregon.base.durable import Disk
from pregon.base.errors import DiscoError, PregonError
from pregon.difusor.night import open_receiver
from tests.confiabilidad.noche import Noche, copia
from tests.red.bancos import disco_chico
from tests.red.blancos import Carpeta
from tests.red.fallas import Arnes, Falla
from tests.red.llamadas import ESCRIBEN, negado, orden_con_falla

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.trust.keys import KeyRing

SEMILLA = 20270606
DE_MUESTRA = 3
"""Real runs with a call that fails, in the default suite; ``make aguante`` fails every call at every number."""
PASOS_DE_MUESTRA = 30
ERRORES = ("ENOSPC", "EIO", "EROFS")
CHICO = 1 << 20


class DiscoLleno(Disk):
    """A disk whose durable steps find no room from number ``desde`` on, until ``vuelve``; counts them."""

    def __init__(self, desde: int | None = None) -> None:
        self.pasos = 0
        self._from = desde

    def vuelve(self) -> None:
        self._from = None

    @contextmanager
    def step(self, name: str, path: Path) -> Iterator[None]:
        self.pasos += 1
        if self._from is not None and self.pasos > self._from and name != "remove_tree":
            raise DiscoError(f"{name} {path}: sin espacio", intacto="-", que_hacer="-")
        yield


def one_public_and_one_waiting(folder: Path, ring: KeyRing) -> Noche:
    noche = Noche(folder / "noche", ring)
    noche.corte()
    noche.escena.receiver().run_once()
    noche.corte()
    return noche


def full_from(noche: Noche, folder: Path, number: int) -> list[str]:
    """One start and one pass of a disk that is full from its n-th step on; then there is room, in the same process."""
    workspace = copia(noche.workspace, folder)
    clock = noche.escena.clock
    disk = DiscoLleno(number)
    where = f"desde el paso {number}"
    wrong = []
    receiver = None
    try:
        receiver = open_receiver(workspace, clock=clock, state=workspace.open_state(clock), disk=disk)
        receiver.run_once()
    except PregonError as exc:
        if exc.codigo != "DISCO":
            wrong.append(f"{where}: {exc.codigo}")
    wrong += [f"{where}, lleno: {one}" for one in noche.juez.en_disco(workspace.folder)]
    disk.vuelve()
    if receiver is None:  # It could not even start: systemd starts it again.
        receiver = open_receiver(workspace, clock=clock, state=workspace.open_state(clock), disk=disk)
    receiver.run_once()
    wrong += [f"{where}, después: {one}" for one in noche.juez.en_disco(workspace.folder)]
    if noche.juez.publico(workspace.folder) != 2:
        wrong.append(f"{where}: no se publicó el 2")
    return wrong


def steps_of_one_pass(noche: Noche, folder: Path) -> int:
    workspace = copia(noche.workspace, folder)
    clock = noche.escena.clock
    disk = DiscoLleno()
    open_receiver(workspace, clock=clock, state=workspace.open_state(clock), disk=disk).run_once()
    assert noche.juez.publico(workspace.folder) == 2
    return disk.pasos


def test_disk_full_from_a_step_on_and_room_again(memoria: Path, ring: KeyRing) -> None:
    noche = one_public_and_one_waiting(memoria, ring)
    total = steps_of_one_pass(noche, memoria / "cuenta")
    assert total > 100
    chosen = sorted(random.Random(SEMILLA).sample(range(total), PASOS_DE_MUESTRA))
    assert [one for number in chosen for one in full_from(noche, memoria / "caso", number)] == []


@pytest.mark.aguante
def test_disk_full_from_every_step_on(memoria: Path, ring: KeyRing) -> None:
    noche = one_public_and_one_waiting(memoria, ring)
    total = steps_of_one_pass(noche, memoria / "cuenta")
    assert [one for number in range(total) for one in full_from(noche, memoria / "caso", number)] == []


def calls_of_one_run(noche: Noche, folder: Path) -> Counter[str]:
    """How often the main thread of a whole run makes each of the calls that write."""
    workspace = copia(noche.workspace, folder)
    trace = folder.with_suffix(".traza")
    calls = ",".join(ESCRIBEN)
    before = ("strace", "-qq", "--seccomp-bpf", "-e", "signal=none", "-e", f"trace={calls}", "-o", str(trace))
    assert noche.una_vez(*before, folder=workspace.folder) == 0
    return Counter(line.partition("(")[0] for line in trace.read_text(errors="replace").splitlines() if "(" in line)


def call_fails(noche: Noche, folder: Path, call: str, number: int, error: str, *, siempre: bool) -> list[str]:
    """A real run in which that call fails (from then on, or once), and then another where nothing does."""
    workspace = copia(noche.workspace, folder)
    where = f"{error} en {call} {number}"
    trace = folder.with_suffix(".traza")
    before = orden_con_falla([], trace, llamada=call, error=error, desde=number, hasta=None if siempre else number)
    status = noche.una_vez(*before, folder=workspace.folder)
    wrong = [f"{where}, {status}: {one}" for one in noche.juez.en_disco(workspace.folder)]
    if "(INJECTED)" not in trace.read_text(errors="replace"):
        wrong.append(f"{where}: no llegó a ocurrir")
    status = noche.una_vez(folder=workspace.folder)
    wrong += [f"{where}, después {status}: {one}" for one in noche.juez.en_disco(workspace.folder)]
    if (status, noche.juez.publico(workspace.folder)) != (0, 2):
        wrong.append(f"{where}: {status}, no se publicó el 2")
    return wrong


def cases(noche: Noche, folder: Path) -> list[tuple[str, int, str, bool]]:
    counted = calls_of_one_run(noche, folder)
    assert counted["fdatasync"] > 20
    return [
        (call, number, error, forever)
        for call in sorted(counted)
        for number in range(1, counted[call] + 1)
        for error in ERRORES
        for forever in (False, True)
    ]


def test_call_of_a_real_run_fails(memoria: Path, ring: KeyRing) -> None:
    noche = one_public_and_one_waiting(memoria, ring)
    chosen = random.Random(SEMILLA).sample(cases(noche, memoria / "cuenta"), DE_MUESTRA)
    wrong = [
        one
        for call, number, error, siempre in chosen
        for one in call_fails(noche, memoria / "caso", call, number, error, siempre=siempre)
    ]
    assert wrong == []


@pytest.mark.aguante
def test_every_call_of_a_real_run_fails(memoria: Path, ring: KeyRing) -> None:
    noche = one_public_and_one_waiting(memoria, ring)
    chosen = random.Random(SEMILLA).sample(cases(noche, memoria / "cuenta"), 400)
    wrong = [
        one
        for call, number, error, siempre in chosen
        for one in call_fails(noche, memoria / "caso", call, number, error, siempre=siempre)
    ]
    assert wrong == []


def test_disk_fills_up_and_goes_read_only_while_the_night_runs(noche: Noche) -> None:
    """One small disk under real processes: full, then read-only, each while a cut arrives; a reader asks all along."""
    noche.corte()
    assert noche.una_vez() == 0
    noche.juez.espera = False
    noche.corte()
    arnes = Arnes(noche.folder / "fallas.jsonl", {"disco": Carpeta(noche.carpeta)})
    with disco_chico(noche.carpeta, 200 << 20), noche.sirviendo() as (url, server):
        with noche.operando() as process, noche.juez.leyendo(url) as reading:
            noche.espera_corte(2, process)
            with arnes.aplica(Falla("llena", "disco", 0.0, 1.0, 0.5)):
                noche.corte()
                noche.deja_pasar(process)
                assert (noche.publico(), noche.sana(url, corte=2)) == (2, [])
            noche.espera_corte(3, process)
            assert noche.sana(url, corte=3) == []
            with negado(process.pid, "EROFS", noche.folder / "negado.txt"):
                noche.corte()
                noche.deja_pasar(process)
                assert (noche.publico(), noche.sana(url, corte=3)) == (3, [])
            noche.espera_corte(4, process)
            assert noche.sana(url, corte=4) == []
        assert (noche.folder / "negado.txt").read_text(errors="replace").count("EROFS") > 10
        assert server.returncode() is None
        assert (reading.fallas, reading.sin_respuesta) == ([], 0)
        assert reading.respuestas > 100


@pytest.mark.parametrize(
    "folder", [".", "objetos", *(pytest.param(name, marks=pytest.mark.aguante) for name in ("cortes", "historico"))]
)
def test_permission_lost_and_given_back(noche: Noche, folder: str) -> None:
    """Somebody takes the difusor's permission on a folder, and gives it back: in between nothing changes."""
    path = noche.carpeta / folder
    noche.corte()
    with noche.operando("setpriv", "--bounding-set=-dac_override,-dac_read_search") as process:
        noche.espera_corte(1, process)
        noche.juez.espera = False
        mode = path.stat().st_mode & 0o7777
        path.chmod(0o500)
        try:
            noche.corte()
            noche.deja_pasar(process, pasadas=4)
            assert (noche.publico(), noche.sana()) == (1, [])
        finally:
            path.chmod(mode)
        noche.espera_corte(2, process)
        assert noche.sana() == []
