"""``firmas.json`` under the three real servers: public while results are; never before, never in their place."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import httpx2
import pytest

from pregon.base.errors import FormatoError
from pregon.difusor.decide import Estado
from pregon.trust.firmas import FIRMAS, pack, unpack
from tests.difusor.servidores import SERVIDORES, sirviendo
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from tests.difusor.conftest import Escena


def signed(escena: Escena) -> dict[str, bytes]:
    """What the institute has that a portal must offer: metadata that the timestamp leads to, and notices."""
    folder = escena.repository.folder
    timestamp = json.loads((folder / "metadata" / "timestamp.json").read_bytes())["signed"]
    snapshot = f"{timestamp['meta']['snapshot.json']['version']}.snapshot.json"
    meta = json.loads((folder / "metadata" / snapshot).read_bytes())["signed"]["meta"]
    names = ["timestamp.json", snapshot, "1.root.json", *(f"{each['version']}.{name}" for name, each in meta.items())]
    found = {f"metadata/{name}": (folder / "metadata" / name).read_bytes() for name in names}
    notices = sorted((folder / "targets" / "avisos").glob("*.json"))
    return {**found, **{f"targets/avisos/{path.name}": path.read_bytes() for path in notices}}


def test_signatures_are_public_while_results_are(escena_abierta: Escena) -> None:
    escena = escena_abierta
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(sirviendo(name, escena.workspace, escena.folder / name)) for name in SERVIDORES]

        def ask() -> list[tuple[int, bytes]]:
            answers = [httpx2.get(url + FIRMAS, trust_env=False) for url in urls]
            return [(answer.status_code, answer.content if answer.status_code == 200 else b"") for answer in answers]

        # A cut is here, verified, a minute before the start.
        escena.sign(1, hora_corte=INICIO)
        receiver = escena.receiver()
        receiver.run_once()
        assert escena.libro.ultimo() is not None
        assert ask() == [(404, b"")] * 3
        assert not (escena.workspace.servidor / FIRMAS).exists()

        escena.clock.instant = INICIO + INTERVALO
        escena.aviso("retraso", ("*",))
        escena.repository.resign_timestamp(now=escena.clock.now(), expires=escena.clock.now() + 9 * INTERVALO)
        assert receiver.run_once().decision.corte == 1
        shown = (escena.workspace.servidor / FIRMAS).read_bytes()
        assert ask() == [(200, shown)] * 3
        assert unpack(shown) == signed(escena)
        before = (escena.workspace.servidor / FIRMAS).stat()
        receiver.run_once()
        assert (escena.workspace.servidor / FIRMAS).stat() == before  # nothing new, nothing written

        (escena.workspace.servidor / FIRMAS).write_text("{}")
        receiver.run_once()
        assert ask() == [(200, shown)] * 3

        escena.aviso("suspension")
        assert receiver.run_once().decision.estado is Estado.SUSPENDIDO
        assert ask() == [(404, b"")] * 3

        escena.aviso("reinstalacion")
        escena.cut(2)
        assert receiver.run_once().decision.corte == 2
        assert [status for status, _ in ask()] == [200] * 3
        assert unpack(ask()[0][1]) == signed(escena)
        receiver.close()


def test_one_that_starts_suspended_takes_them_away(escena: Escena) -> None:
    escena.cut(1)
    escena.receiver().run_once()
    path = escena.workspace.servidor / FIRMAS
    kept = path.read_bytes()
    escena.aviso("suspension")
    escena.receiver().run_once()
    path.write_bytes(kept)  # as who died between the two, or put it back
    assert escena.receiver().run_once().decision.estado is Estado.SUSPENDIDO
    assert not path.exists()


def test_a_disk_that_does_not_take_them_stops_no_result(escena: Escena, caplog: pytest.LogCaptureFixture) -> None:
    escena.cut(1)
    (escena.workspace.servidor / FIRMAS / "algo").mkdir(parents=True)
    receiver = escena.receiver()
    assert receiver.run_once().decision.corte == 1
    receiver.run_once()
    assert [FIRMAS in record.getMessage() for record in caplog.records].count(True) == 1  # told once
    assert escena.public()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"formato":"pregon/firmas/2","documentos":{}}',
        b'{"formato":"pregon/firmas/1"}',
        b'{"formato":"pregon/firmas/1","documentos":{"metadata/timestamp.json":"\xc3\xb1"}}',
        b'{"formato":"pregon/firmas/1","documentos":{"metadata/timestamp.json":7}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes) -> None:
    with pytest.raises(FormatoError):
        unpack(data)


def test_what_is_packed_comes_back_byte_by_byte() -> None:
    documents = {"metadata/timestamp.json": b'{"a":"\xc3\xb1"}\n', "targets/avisos/000001.json": b"\xff\x00"}
    assert unpack(pack(documents)) == documents
    assert pack(documents) == pack(dict(reversed(documents.items())))
