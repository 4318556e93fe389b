"""Signed notices as this difusor obeys them: a suspension, an attack, a delay, a reinstatement; and whatever is wrong.

Real repositories, signed here; the receiver on a real disk; in one test the real web server.
"""

from __future__ import annotations

import json
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tuf.api.metadata import Metadata, TargetFile

from pregon.base.durable import Disk
from pregon.difusor import pages, pointer
from pregon.difusor.decide import Estado
from pregon.difusor.report import estado
from tests.difusor.test_refusals import flip
from tests.trust.conftest import FIN, INICIO, INTERVALO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from pregon.difusor.receive import Outcome, Receiver
    from pregon.trust.aviso import Tipo
    from tests.difusor.conftest import Escena, EscenaFactory


class WatchedDisk(Disk):
    """Every name that the pointer ever had; at ``fails_at`` it cannot be moved, as when the process dies there."""

    def __init__(self, fails_at: str | None = None) -> None:
        self.names: list[str] = []
        self._fails_at = fails_at

    def write(self, path: Path, data: bytes | Iterable[bytes], **options: Any) -> None:
        if path.name == "puntero":
            assert isinstance(data, bytes)
            name = data.decode().strip()
            if name == self._fails_at:
                raise KeyboardInterrupt
            self.names.append(name)
        super().write(path, data, **options)


def shown(escena: Escena) -> str | None:
    name = pointer.read(escena.workspace)
    assert pointer.link_agrees(escena.workspace)
    return name


def words(escena: Escena) -> str:
    return (escena.workspace.cortes / "aviso" / "index.html").read_text()


def told(escena: Escena) -> dict[str, Any]:
    return estado(escena.workspace, escena.libro, escena.clock.now())


def codes(escena: Escena) -> list[str]:
    return [warning["codigo"] for warning in told(escena)["avisos"]]


def events(escena: Escena, kind: str) -> list[dict[str, Any]]:
    return [event.dato for event in escena.state().events() if event.tipo == kind]


def delays(escena: Escena) -> list[dict[str, Any]]:
    document = json.loads((escena.workspace.servidor / pages.AVISOS).read_bytes())
    assert document["formato"] == "pregon/avisos/1"
    found: list[dict[str, Any]] = document["vigentes"]
    return found


def published(escena: Escena) -> Receiver:
    """Cut 1 is public."""
    escena.cut(1)
    receiver = escena.receiver()
    assert receiver.run_once().decision.corte == 1
    return receiver


def suspended(outcome: Outcome) -> bool:
    return (outcome.decision.estado, outcome.decision.corte) == (Estado.SUSPENDIDO, None)


def cut_link(escena: Escena) -> None:
    escena.repository.folder.rename(escena.folder / "lejos")


def mend_link(escena: Escena) -> None:
    (escena.folder / "lejos").rename(escena.repository.folder)


# Each kind.


@pytest.mark.parametrize(
    ("tipo", "titulo"),
    [
        ("suspension", "Este sitio no muestra resultados por el momento"),
        ("ataque", "Este sitio ya no es un difusor oficial de los resultados"),
    ],
)
def test_order_takes_the_portal_away_and_says_why(escena: Escena, tipo: Tipo, titulo: str) -> None:
    receiver = published(escena)
    end = escena.clock.now() + INTERVALO
    notice = escena.aviso(tipo, texto='<script>alert("x")</script> & más', hasta=end)
    outcome = receiver.run_once()
    assert (suspended(outcome), outcome.cambio, outcome.error) == (True, True, None)
    assert shown(escena) == "aviso"
    page = words(escena)
    assert f"<h1>{titulo}</h1>" in page
    assert "<script" not in page
    assert "«&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; más»" in page
    assert "6 de junio de 2027 a las 20:20" in page
    assert "otro difusor oficial" in page
    report = told(escena)
    assert (report["estado"], report["corte"], report["desde"]) == ("suspendido", None, escena.clock.now().isoformat())
    assert tipo.upper() in codes(escena)
    evidence = escena.workspace.avisos / "000001.json"
    assert evidence.read_bytes() == notice.to_bytes()
    assert (evidence.stat().st_mode & 0o777, escena.workspace.avisos.stat().st_mode & 0o777) == (0o600, 0o700)
    # Its own end is what the institute expects, not an order (MEX-I-13).
    escena.clock.instant = end + INTERVALO
    outcome = receiver.run_once()
    assert (suspended(outcome), outcome.cambio) == (True, False)
    assert len(events(escena, "interrumpido")) == len(events(escena, "aviso")) == 1


def test_order_for_another_changes_nothing(escena: Escena) -> None:
    receiver = published(escena)
    before = escena.public()
    escena.aviso("suspension", ("radio-2", "diario-un"))
    escena.aviso("ataque", ("diario-uno-dos",))
    outcome = receiver.run_once()
    assert (outcome.decision.estado, outcome.cambio) == (Estado.PUBLICADO, False)
    assert escena.public() == before
    assert escena.libro.suspendido is False
    assert (escena.workspace.avisos / "000002.json").is_file()  # kept all the same


def test_order_that_begins_later_waits_for_its_hour_by_clock_or_witness(escena: Escena) -> None:
    receiver = published(escena)
    escena.aviso("suspension", desde=escena.clock.now() + INTERVALO)
    assert receiver.run_once().decision.corte == 1
    escena.clock.instant += INTERVALO
    assert suspended(receiver.run_once())


def test_slow_clock_does_not_put_an_order_off(escena: Escena) -> None:
    receiver = published(escena)
    real = escena.clock.now()
    escena.aviso("suspension", desde=real)
    escena.clock.instant = real - INTERVALO / 2  # a clock that went back; the witness knows better
    assert suspended(receiver.run_once())


def test_attack_goes_before_a_suspension_and_one_reinstatement_ends_both(escena: Escena) -> None:
    receiver = published(escena)
    escena.aviso("ataque", texto="Sitio intervenido.")
    escena.aviso("suspension", texto="Además.")
    receiver.run_once()
    assert "Sitio intervenido." in words(escena)
    escena.aviso("reinstalacion")
    assert receiver.run_once().decision.corte == 1
    assert shown(escena) == "0001"
    escena.aviso("suspension", texto="Otra vez.")
    assert suspended(receiver.run_once())
    assert "Otra vez." in words(escena)


# Order against cuts.


def test_suspension_that_comes_with_a_cut_never_lets_it_be_public(escena: Escena) -> None:
    published(escena)
    escena.cut(2)
    escena.aviso("suspension")
    disk = WatchedDisk()
    outcome = escena.receiver(disk).run_once()
    assert (suspended(outcome), outcome.novedad) == (True, 2)
    assert disk.names == ["aviso"]
    assert [cut.corte for cut in escena.libro.cortes()] == [1, 2]
    escena.cut(3)
    assert escena.receiver(disk).run_once().novedad == 3  # they go on being received
    assert disk.names == ["aviso"]


@pytest.mark.parametrize("what", ["manifiesto.json", "*.zip"])
def test_suspension_is_obeyed_although_the_cut_beside_it_is_refused(escena: Escena, what: str) -> None:
    receiver = published(escena)
    escena.cut(2)
    flip(next(escena.repository.cut_folder(2).glob(what)))
    escena.aviso("suspension")
    outcome = receiver.run_once()
    assert suspended(outcome)
    assert outcome.error is not None
    assert outcome.error.codigo == "HASH"


def test_suspension_before_the_start_keeps_espera(escena: Escena) -> None:
    escena.sign(0)
    escena.aviso("suspension")
    receiver = escena.receiver()
    outcome = receiver.run_once()
    assert (outcome.decision.estado, shown(escena)) == (Estado.ESPERA, "espera")
    escena.cut(1)
    assert suspended(receiver.run_once())
    assert shown(escena) == "aviso"


# The way back.


def test_reinstatement_returns_with_the_newest_cut(escena: Escena) -> None:
    receiver = published(escena)
    escena.aviso("suspension")
    receiver.run_once()
    escena.cut(2)
    receiver.run_once()
    escena.cut(3)
    escena.aviso("reinstalacion")
    outcome = receiver.run_once()
    assert (outcome.decision.corte, outcome.novedad, shown(escena)) == (3, 3, "0003")
    assert (told(escena)["estado"], codes(escena)) == ("publicado", [])
    assert events(escena, "reanudado") == [{"causa": "suspension", "n": 1}]
    assert escena.public()["index.html"] == escena.manifest_hashes(3)["index.html"]


def test_a_reinstated_cut_is_public_since_it_came_back(escena: Escena) -> None:
    receiver = published(escena)
    first = told(escena)["desde"]
    escena.aviso("suspension")
    receiver.run_once()
    escena.clock.instant += INTERVALO / 4
    escena.aviso("reinstalacion")
    assert receiver.run_once().decision.corte == 1
    report = told(escena)
    assert (report["estado"], report["desde"]) == ("publicado", escena.clock.now().isoformat())
    assert report["desde"] != first
    assert len(events(escena, "publicado")) == 1  # The first acuse stays what it was.


def test_without_the_whole_newest_cut_a_reinstated_difusor_stays_away(escena: Escena) -> None:
    receiver = published(escena)
    escena.aviso("suspension")
    receiver.run_once()
    escena.cut(2)
    archive = next(escena.repository.cut_folder(2).glob("*.zip"))
    whole = {path: path.read_bytes() for path in escena.repository.cut_folder(2).glob("*.zip")}
    for path in whole:
        flip(path)
    escena.aviso("reinstalacion")
    for _ in range(2):
        assert suspended(receiver.run_once())
    assert suspended(escena.receiver().run_once())
    assert (shown(escena), archive.is_file()) == ("aviso", True)
    for path, data in whole.items():
        path.write_bytes(data)
    assert receiver.run_once().decision.corte == 2
    assert shown(escena) == "0002"


def test_reinstatement_with_a_lower_number_lifts_nothing(escena: Escena) -> None:
    receiver = published(escena)
    escena.aviso("reinstalacion")
    escena.aviso("suspension")
    assert suspended(receiver.run_once())
    escena.aviso("reinstalacion", ("radio-2",))
    assert suspended(receiver.run_once())


# Starts and deaths.


def test_restart_in_each_state_finds_it_again(escena: Escena) -> None:
    published(escena)
    escena.aviso("suspension")
    escena.receiver().run_once()
    cut_link(escena)
    disk = WatchedDisk()
    outcome = escena.receiver(disk).run_once()
    assert (suspended(outcome), disk.names, shown(escena)) == (True, [], "aviso")
    mend_link(escena)
    escena.aviso("reinstalacion")
    escena.receiver().run_once()
    cut_link(escena)
    disk = WatchedDisk()
    assert escena.receiver(disk).run_once().decision.corte == 1
    assert disk.names == []


def test_death_between_the_notice_and_the_pointer_ends_suspended(escena: Escena) -> None:
    published(escena)
    escena.aviso("suspension")
    with pytest.raises(KeyboardInterrupt):
        escena.receiver(WatchedDisk("aviso")).run_once()
    assert shown(escena) == "0001"
    cut_link(escena)
    escena.receiver()  # the start itself, before any look
    assert shown(escena) == "aviso"
    assert "Mantenimiento." in words(escena)


def test_death_between_the_pointer_and_the_memory_of_the_return_starts_away_and_looks_again(escena: Escena) -> None:
    receiver = published(escena)
    escena.aviso("suspension")
    receiver.run_once()
    escena.aviso("reinstalacion")
    with pytest.raises(KeyboardInterrupt):
        escena.receiver(WatchedDisk("0001")).run_once()
    assert escena.libro.suspendido
    assert escena.receiver().run_once().decision.corte == 1
    assert shown(escena) == "0001"


class Death(BaseException):
    """The process dies here."""


class MortalDisk(WatchedDisk):
    """Dies before its step number ``at``; counts them all."""

    def __init__(self, at: int | None = None) -> None:
        super().__init__()
        self.steps = 0
        self._at = at

    def _step(self, do: Callable[[], None]) -> None:
        if self.steps == self._at:
            raise Death
        self.steps += 1
        do()

    def write(self, path: Path, data: bytes | Iterable[bytes], **options: Any) -> None:
        self._step(partial(super().write, path, data, **options))

    def symlink(self, path: Path, target: str) -> None:
        self._step(partial(super().symlink, path, target))

    def replace(self, source: Path, target: Path) -> None:
        self._step(partial(super().replace, source, target))


def test_death_at_every_step_of_a_suspension_with_a_cut_never_shows_that_cut(escena: Escena) -> None:
    published(escena)
    escena.cut(2)
    escena.aviso("suspension")
    kept = escena.folder / "antes"
    shutil.copytree(escena.workspace.folder, kept, symlinks=True)
    counted = MortalDisk()
    receiver = escena.receiver(counted)
    start = counted.steps  # recovery has kills of its own (test_kill)
    receiver.run_once()
    assert counted.steps - start > 8
    for at in range(start, counted.steps):
        shutil.rmtree(escena.workspace.folder)
        shutil.copytree(kept, escena.workspace.folder, symlinks=True)
        disk = MortalDisk(at)
        with pytest.raises(Death):
            escena.receiver(disk).run_once()
        assert set(disk.names) <= {"aviso"}, at
        cut_link(escena)
        known = (escena.workspace.avisos / "000001.json").is_file()
        again = escena.receiver()
        assert suspended(again.run_once()) == known, at
        assert shown(escena) == ("aviso" if known else "0001"), at
        mend_link(escena)
        assert suspended(again.run_once()), at


def test_memory_lost_while_suspended_is_found_again_in_the_notices_kept(escena: Escena) -> None:
    published(escena)
    escena.aviso("ataque")
    escena.receiver().run_once()
    for path in escena.workspace.folder.glob("estado.sqlite*"):
        path.unlink()
    cut_link(escena)
    assert suspended(escena.receiver().run_once())
    assert shown(escena) == "aviso"
    assert escena.libro.interrupcion is not None
    assert escena.libro.interrupcion.causa == "ataque"


# What is wrong never stops a result.


@pytest.mark.parametrize(
    "data",
    [b"{", b'{"n": 1}', b"\x00" * 100],
    ids=["no JSON", "no notice", "bytes"],
)
def test_notice_that_is_not_understood_is_told_and_stops_nothing(escena: Escena, data: bytes) -> None:
    receiver = published(escena)
    escena.notice(data)
    escena.cut(2)
    assert receiver.run_once().decision.corte == 2
    assert receiver.run_once().error is None
    assert codes(escena) == ["AVISO"]
    assert [event["n"] for event in events(escena, "aviso_ininteligible")] == [1]
    assert (escena.workspace.avisos / "000001.json").read_bytes() == data
    escena.aviso("suspension")
    assert suspended(receiver.run_once())


def test_kind_of_notice_of_a_later_version_is_told_and_stops_nothing(escena: Escena) -> None:
    receiver = published(escena)
    future = {**escena.aviso("retraso").to_json(), "n": 2, "tipo": "mudanza"}
    escena.notice(json.dumps(future).encode())
    assert receiver.run_once().decision.corte == 1
    assert sorted(codes(escena)) == ["AVISO", "RETRASO"]


def test_number_of_the_document_must_be_that_of_its_name(escena: Escena) -> None:
    receiver = published(escena)
    notice = escena.aviso("suspension", ("radio-2",))
    escena.notice(json.dumps({**notice.to_json(), "difusores": ["diario-uno"]}).encode())  # number 1 in number 2
    assert receiver.run_once().decision.corte == 1
    assert codes(escena) == ["AVISO"]


def test_larger_notice_than_any_is_never_read(escena: Escena) -> None:
    receiver = published(escena)
    escena.notice(b" " * (65 << 10))
    assert receiver.run_once().decision.corte == 1
    assert codes(escena) == ["AVISOS"]
    assert list(escena.workspace.avisos.iterdir()) == []


def test_notice_that_changes_under_its_number_is_an_alarm_and_the_first_holds(escena: Escena) -> None:
    receiver = published(escena)
    notice = escena.aviso("suspension")
    receiver.run_once()
    other = json.dumps({**notice.to_json(), "tipo": "reinstalacion"}).encode()
    repository = escena.repository
    avisos: Metadata[Any] = repository._load("avisos")
    (repository.folder / "targets/avisos/000001.json").write_bytes(other)
    avisos.signed.targets["avisos/000001.json"] = TargetFile.from_data("avisos/000001.json", other, ["sha256"])
    now = escena.clock.now()
    repository._publish(
        {"avisos": avisos.signed}, now=now, expires=dict.fromkeys(("avisos", "snapshot"), FIN), timestamp_expires=FIN
    )
    for _ in range(2):
        assert suspended(receiver.run_once())
    assert sorted(codes(escena)) == ["AVISO_CAMBIADO", "SUSPENSION"]
    assert len(events(escena, "aviso_cambiado")) == 1
    assert (escena.workspace.avisos / "000001.json").read_bytes() == notice.to_bytes()


def test_notice_that_is_withdrawn_from_the_list_still_holds(escena: Escena) -> None:
    receiver = published(escena)
    escena.aviso("suspension")
    receiver.run_once()
    avisos: Metadata[Any] = escena.repository._load("avisos")
    avisos.signed.targets.clear()
    now = escena.clock.now()
    escena.repository._publish(
        {"avisos": avisos.signed}, now=now, expires=dict.fromkeys(("avisos", "snapshot"), FIN), timestamp_expires=FIN
    )
    assert suspended(receiver.run_once())


def test_notice_that_does_not_come_is_told_and_asked_for_again(escena: Escena) -> None:
    receiver = published(escena)
    escena.aviso("suspension")
    path = escena.repository.folder / "targets/avisos/000001.json"
    data = path.read_bytes()
    path.unlink()
    escena.cut(2)
    for _ in range(2):
        assert receiver.run_once().decision.corte == 2
    assert codes(escena) == ["AVISOS"]
    assert len(events(escena, "avisos_sin_leer")) == 1
    flip_of = bytes([data[0] ^ 1]) + data[1:]
    path.write_bytes(flip_of)
    assert receiver.run_once().decision.corte == 2
    path.write_bytes(data)
    assert suspended(receiver.run_once())
    assert codes(escena) == ["SUSPENSION"]


def test_many_notices_do_not_hold_up_a_cut_and_all_are_read(escena: Escena) -> None:
    receiver = published(escena)
    repository = escena.repository
    avisos: Metadata[Any] = repository._load("avisos")
    for n in range(1, 71):
        data = b"{}" if n < 70 else json.dumps({**escena_notice(escena.clock.now()), "n": n}).encode()
        ruta = f"avisos/{n:06d}.json"
        (repository.folder / "targets" / ruta).write_bytes(data)
        avisos.signed.targets[ruta] = TargetFile.from_data(ruta, data, ["sha256"])
    repository._publish(
        {"avisos": avisos.signed},
        now=escena.clock.now(),
        expires=dict.fromkeys(("avisos", "snapshot"), FIN),
        timestamp_expires=FIN,
    )
    assert receiver.run_once().decision.corte == 1
    assert len(escena.libro.avisos()) == 64
    assert suspended(receiver.run_once())
    assert len(escena.libro.avisos()) == 70


def escena_notice(now: datetime) -> dict[str, Any]:
    return {
        "formato": "pregon/aviso/1",
        "n": 1,
        "tipo": "suspension",
        "difusores": ["diario-uno"],
        "motivo": "m",
        "texto": "t",
        "desde": now.isoformat(timespec="seconds"),
        "hasta": None,
        "corte": None,
    }


# A delay.


def test_delay_keeps_the_cut_and_is_told_until_the_cut_comes(escena: Escena) -> None:
    receiver = published(escena)
    assert delays(escena) == []
    before = escena.public()
    notice = escena.aviso("retraso", ("*",), texto="El corte saldrá tarde.", corte=2)
    escena.aviso("retraso", ("radio-2",), texto="De otro.")
    outcome = receiver.run_once()
    assert (outcome.decision.corte, outcome.cambio) == (1, False)
    assert escena.public() == before
    (line,) = delays(escena)
    assert line == {key: notice.to_json()[key] for key in ("n", "tipo", "texto", "desde", "hasta", "corte")}
    assert codes(escena) == ["RETRASO"]
    escena.cut(2)
    receiver.run_once()
    assert (delays(escena), codes(escena)) == ([], [])


def test_delay_ends_at_its_hour_and_without_a_number_with_the_next_cut(escena: Escena) -> None:
    receiver = published(escena)
    now = escena.clock.now()
    escena.aviso("retraso", ("*",), texto="Uno.", hasta=now + INTERVALO / 2)
    escena.aviso("retraso", ("*",), texto="Dos.")
    receiver.run_once()
    assert [line["texto"] for line in delays(escena)] == ["Uno.", "Dos."]
    escena.clock.instant = now + INTERVALO / 2
    receiver.run_once()
    assert [line["texto"] for line in delays(escena)] == ["Dos."]
    escena.cut(2)
    receiver.run_once()
    assert delays(escena) == []


def test_our_pages_that_somebody_altered_are_put_right_with_what_the_notice_says(escena: Escena) -> None:
    from pregon.difusor.night import open_both

    published(escena)
    escena.aviso("suspension")
    receiver, sweep = open_both(escena.workspace, clock=escena.clock, state=escena.state(), disk=escena.disk)
    receiver.run_once()
    told_now = words(escena)
    assert sweep.step() == 0  # what changed by order is no alteration
    page = escena.workspace.cortes / "aviso" / "index.html"
    page.write_text("todo bien")
    (escena.workspace.servidor / pages.AVISOS).write_text("{}")
    sweep.step()
    assert page.read_text() == told_now
    assert delays(escena) == []


# What a citizen sees.


def test_citizen_sees_the_notice_the_delay_and_the_return(escena: Escena) -> None:
    receiver = published(escena)
    with escena.served() as (url, _), httpx2.Client(base_url=url, trust_env=False) as client:
        assert client.get("avisos.json").json() == {"formato": "pregon/avisos/1", "vigentes": []}
        escena.aviso("retraso", ("*",), texto="Falló la luz en el CATD.")
        receiver.run_once()
        answer = client.get("avisos.json")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        assert answer.json()["vigentes"][0]["texto"] == "Falló la luz en el CATD."
        assert 'data-corte="0001"' in client.get("").text
        escena.cut(2)
        escena.aviso("ataque", texto="Sitio intervenido.")
        receiver.run_once()
        home = client.get("")
        assert (home.status_code, home.headers["cache-control"]) == (200, "no-store")
        assert "Sitio intervenido." in home.text
        assert "data-corte" not in home.text
        for ruta in ("corte.json", "datos/0002/gub/entidad.json", "manifiesto.json"):
            assert client.get(ruta).status_code == 404
        escena.aviso("reinstalacion")
        receiver.run_once()
        assert 'data-corte="0002"' in client.get("").text


def test_notices_of_a_night_need_no_history(escena_factory: EscenaFactory) -> None:
    """A difusor that comes new sees the whole list at once: only what holds at its end counts."""
    escena = escena_factory()
    escena.cut(1)
    escena.aviso("suspension")
    escena.aviso("reinstalacion")
    escena.aviso("ataque", ("radio-2",))
    assert escena.receiver().run_once().decision.corte == 1
    shutil.rmtree(escena.workspace.avisos)  # of a workspace made by an earlier version
    assert escena.receiver().run_once().decision.corte == 1
    assert escena.workspace.avisos.is_dir()
    assert escena.clock.now() > INICIO
