"""What carries the repository to a difusor, and spoils it on the way: the institute's own files stay as they are."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.base.errors import DiscoError
from pregon.simulacro.fallas.diario import Diario
from pregon.simulacro.fallas.mensajero import Mensajero
from pregon.simulacro.fallas.plan import Falla
from pregon.simulacro.fallas.recibe import DiscoLleno, veces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ARCHIVE = "targets/cortes/0002/20210606_2040_PREP_GRO.zip"
CHANGES = "targets/cortes/0002/20210606_2040_PREP_GRO.cambios.zip"
MANIFEST = "targets/cortes/0002/manifiesto.json"
OLD = "targets/cortes/0001/20210606_2020_PREP_GRO.zip"
TIMESTAMP = "metadata/timestamp.json"


def _timestamp(version: int) -> bytes:
    signed = {"_type": "timestamp", "version": version}
    return json.dumps({"signed": signed, "signatures": [{"keyid": "ab" * 32, "sig": "00"}]}).encode()


@pytest.fixture
def instituto(tmp_path: Path) -> Path:
    """A repository of two cuts, as it lies on disk."""
    folder = tmp_path / "repositorio"
    for ruta, data in {
        OLD: os.urandom(5000),
        ARCHIVE: os.urandom(60_000),
        CHANGES: os.urandom(9000),
        MANIFEST: b"{}\n",
        TIMESTAMP: _timestamp(2),
    }.items():
        (folder / ruta).parent.mkdir(parents=True, exist_ok=True)
        (folder / ruta).write_bytes(data)
    return folder


@pytest.fixture
def mensajero(tmp_path: Path, instituto: Path) -> Iterator[Mensajero]:
    made = Mensajero("uno", instituto, tmp_path / "entrada", tmp_path / "taller", semilla=1, disk=Disk())
    yield made
    made.termina()


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < end, "the messenger did not deliver"
        time.sleep(0.02)


def _fault(clase: Any, **more: Any) -> Falla:
    return Falla(n=1, clase=clase, objetivo="uno", corte=2, **more)


def test_without_a_fault_everything_arrives_as_it_is(tmp_path: Path, instituto: Path, mensajero: Mensajero) -> None:
    mensajero.start()
    _until(lambda: (tmp_path / "entrada" / TIMESTAMP).exists())
    assert _content(tmp_path / "entrada") == _content(instituto)


@pytest.mark.parametrize("clase", ["corrompido", "truncado", "llave_ajena"])
def test_what_is_spoiled_is_what_the_fault_says_and_is_put_right_when_it_ends(
    tmp_path: Path, instituto: Path, mensajero: Mensajero, clase: str
) -> None:
    before, entrada = _content(instituto), tmp_path / "entrada"
    mensajero.aplica(_fault(clase))
    mensajero.start()
    _until(lambda: (entrada / TIMESTAMP).exists())
    came = _content(entrada)
    different = {ruta for ruta in before if came[ruta] != before[ruta]}
    assert different == ({TIMESTAMP} if clase == "llave_ajena" else {ARCHIVE, CHANGES})
    if clase == "corrompido":
        assert len(came[ARCHIVE]) == len(before[ARCHIVE])
        assert sum(one != other for one, other in zip(came[ARCHIVE], before[ARCHIVE], strict=True)) == 1
    elif clase == "truncado":
        assert before[ARCHIVE].startswith(came[ARCHIVE])
        assert len(came[ARCHIVE]) == len(before[ARCHIVE]) // 2
    else:
        mine, theirs = json.loads(came[TIMESTAMP]), json.loads(before[TIMESTAMP])
        assert mine["signed"] == theirs["signed"]
        assert mine["signatures"][0]["keyid"] == theirs["signatures"][0]["keyid"]
        assert mine["signatures"][0]["sig"] != theirs["signatures"][0]["sig"]
    assert _content(instituto) == before
    assert mensajero.quita() == 1
    _until(lambda: _content(entrada) == before)


def test_a_cut_link_carries_nothing_and_then_everything(tmp_path: Path, instituto: Path, mensajero: Mensajero) -> None:
    entrada = tmp_path / "entrada"
    mensajero.aplica(_fault("enlace_cortado"))
    mensajero.start()
    time.sleep(0.5)
    assert _content(entrada) == {}
    assert mensajero.quita() == 1
    _until(lambda: _content(entrada) == _content(instituto))


def test_a_lossy_link_breaks_off_and_still_brings_it_whole(
    tmp_path: Path, instituto: Path, mensajero: Mensajero
) -> None:
    mensajero.aplica(_fault("enlace_con_perdidas"))
    mensajero.start()
    _until(lambda: _content(tmp_path / "entrada") == _content(instituto))
    assert mensajero.quita() > 0


def test_a_slow_link_takes_the_time_of_its_bytes(tmp_path: Path, instituto: Path, mensajero: Mensajero) -> None:
    size = sum(map(len, _content(instituto).values()))
    mensajero.aplica(_fault("enlace_lento", bytes_s=size))
    begun = time.monotonic()
    mensajero.start()
    _until(lambda: (tmp_path / "entrada" / TIMESTAMP).exists())
    assert time.monotonic() - begun > 0.5
    assert _content(tmp_path / "entrada") == _content(instituto)


def test_an_old_cut_is_the_repository_as_it_was(tmp_path: Path, instituto: Path, mensajero: Mensajero) -> None:
    fault, entrada = _fault("corte_viejo"), tmp_path / "entrada"
    mensajero.recuerda(fault)
    newer = instituto / TIMESTAMP
    newer.with_suffix(".nuevo").write_bytes(_timestamp(3))
    newer.with_suffix(".nuevo").replace(newer)
    mensajero.start()
    _until(lambda: (entrada / TIMESTAMP).exists())
    assert (entrada / TIMESTAMP).read_bytes() == _timestamp(3)
    mensajero.aplica(fault)
    _until(lambda: (entrada / TIMESTAMP).read_bytes() == _timestamp(2))
    mensajero.quita()
    _until(lambda: (entrada / TIMESTAMP).read_bytes() == _timestamp(3))


def test_a_full_disk_refuses_what_takes_room_and_counts_it(tmp_path: Path) -> None:
    mark, kept = tmp_path / "lleno", tmp_path / "dato"
    disk = DiscoLleno(mark)
    disk.write(kept, b"antes")
    mark.touch()
    steps: list[Callable[[], object]] = [
        lambda: disk.write(kept, b"despues"),
        lambda: disk.create(tmp_path / "otro", b"x"),
        lambda: disk.make_folder(tmp_path / "carpeta"),
        lambda: disk.link(kept, tmp_path / "liga"),
    ]
    for step in steps:
        with pytest.raises(DiscoError):
            step()
    assert kept.read_bytes() == b"antes"
    assert {path.name for path in tmp_path.iterdir()} == {"lleno", "lleno.veces", "dato"}
    assert veces(mark).stat().st_size == 4
    disk.remove_tree(kept)
    assert not kept.exists()
    mark.unlink()
    disk.write(kept, b"despues")
    assert kept.read_bytes() == b"despues"


def test_the_journal_tells_what_began_what_ended_and_what_had_an_effect(tmp_path: Path) -> None:
    first, second, third = (Falla(n=n, clase="truncado", objetivo="uno", corte=n) for n in (1, 2, 3))
    diary = Diario(tmp_path / "fallas.sqlite", SystemClock())
    diary.empieza(first)
    diary.termina(first, efectos=2, detalle="dos")
    diary.empieza(second)
    diary.termina(second, efectos=0, detalle="nada")
    diary.empieza(third)
    found = Diario(tmp_path / "fallas.sqlite", SystemClock()).ocurridas((first, second, third))
    assert [one.aplicada for one in found] == [True, False, False]
    assert [one.hasta is None for one in found] == [False, False, True]
    assert found[0].hasta is not None
    assert found[0].desde <= found[0].hasta
    assert found[0].to_json()["detalle"] == "dos"
    assert Diario(tmp_path / "vacio.sqlite", SystemClock()).ocurridas((first,)) == ()
