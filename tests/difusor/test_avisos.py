"""A forged aviso changes nothing: it is refused, and never stops a result (genuine ones: ``test_avisos_firmados``)."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from tuf.api.metadata import Metadata, MetaFile, TargetFile

from pregon.difusor.decide import Estado
from pregon.difusor.novedades import signed_news
from pregon.difusor.publish import Publisher
from pregon.transport.local import FolderSource
from pregon.trust.keys import generate
from tests.difusor.test_refusals import everything_public, flip
from tests.trust.conftest import FIN, INTERVALO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pregon.trust.verified import Novelty
    from tests.difusor.conftest import Escena

SUSPENSION = b'{"formato": "pregon/aviso/1", "n": 2, "tipo": "suspension", "difusores": ["diario-uno"]}'


def notice(escena: Escena, data: bytes) -> None:
    """A genuine aviso of the institute."""
    now = escena.clock.instant
    escena.repository.publish_notice(data, now=now, expira=FIN, siguiente=now + INTERVALO, intervalo=INTERVALO)


def forge(escena: Escena, signer: str | None, *, version: int = 1) -> None:
    """A suspension in a list of avisos that ``signer`` signs (None: nobody), under a snapshot that is good.

    The most that a thief can do who has the keys of snapshot and timestamp and not that of avisos.
    """
    repository = escena.repository
    avisos: Metadata[Any] = repository._load("avisos")
    snapshot: Metadata[Any] = repository._load("snapshot")
    avisos.signed.targets["avisos/000002.json"] = TargetFile.from_data("avisos/000002.json", SUSPENSION, ["sha256"])
    avisos.signed.version += version
    avisos.signatures.clear()
    if signer is not None:
        known = {key.nombre: key for key in escena.ring.keys}
        avisos.sign((known.get(signer) or generate(signer)).signer)
    metadata = repository.folder / "metadata"
    data = avisos.to_bytes()
    (metadata / f"{avisos.signed.version}.avisos.json").write_bytes(data)
    (repository.folder / "targets/avisos/000002.json").write_bytes(SUSPENSION)
    snapshot.signed.meta["avisos.json"] = MetaFile.from_data(avisos.signed.version, data, ["sha256"])
    snapshot.signed.version += 1
    snapshot.signatures.clear()
    snapshot.sign(escena.ring.named("snapshot-1").signer)
    raw = snapshot.to_bytes()
    (metadata / f"{snapshot.signed.version}.snapshot.json").write_bytes(raw)
    repository._write_timestamp(
        MetaFile.from_data(snapshot.signed.version, raw, ["sha256"]),
        now=escena.clock.instant,
        expires=escena.clock.instant + 2 * INTERVALO,
    )


def looked(escena: Escena) -> Novelty:
    publisher = Publisher(escena.workspace, escena.libro, escena.disk)
    return signed_news(publisher, FolderSource(escena.repository.folder), escena.clock).check()


def altered_list(escena: Escena) -> None:
    notice(escena, SUSPENSION)
    flip(max((escena.repository.folder / "metadata").glob("*.avisos.json"), key=_version))


def _version(path: Path) -> int:
    return int(path.name.split(".")[0])


FORGERIES: dict[str, tuple[Callable[[Escena], object], str]] = {
    "signed by a stranger": (lambda escena: forge(escena, "ajena"), "FIRMA"),
    "signed by nobody": (lambda escena: forge(escena, None), "FIRMA"),
    "signed by the key of cortes": (lambda escena: forge(escena, "cortes-1"), "FIRMA"),
    "changed on its way": (altered_list, "HASH"),
}


@pytest.mark.parametrize(("do", "codigo"), FORGERIES.values(), ids=list(FORGERIES))
def test_forged_aviso_is_refused_and_nothing_public_changes(
    escena: Escena, do: Callable[[Escena], object], codigo: str
) -> None:
    notice(escena, b'{"n": 1}')
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    before = everything_public(escena)
    do(escena)
    novelty = looked(escena)
    assert novelty.avisos == ()
    assert novelty.avisos_error is not None
    assert novelty.avisos_error.codigo == codigo
    outcome = receiver.run_once()
    assert outcome.decision.estado is not Estado.SUSPENDIDO
    assert (outcome.error, outcome.cambio, outcome.decision.corte) == (None, False, 1)
    assert everything_public(escena) == before
    assert escena.libro.suspendido is False


def test_older_list_of_avisos_is_refused_by_who_saw_the_newer(escena: Escena) -> None:
    """So that a reinstatement cannot be undone by showing the suspension again."""
    notice(escena, b'{"n": 1}')
    escena.cut(1)
    escena.receiver().run_once()
    before = everything_public(escena)
    forge(escena, "avisos-1", version=-1)
    outcome = escena.receiver().run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "RETROCESO"
    assert everything_public(escena) == before


def test_older_repository_with_an_older_aviso_is_refused(escena: Escena, tmp_path: Path) -> None:
    notice(escena, SUSPENSION)
    escena.cut(1)
    shutil.copytree(escena.repository.folder, tmp_path / "viejo")
    notice(escena, b'{"n": 2, "tipo": "reinstalacion"}')
    receiver = escena.receiver()
    receiver.run_once()
    before = everything_public(escena)
    shutil.rmtree(escena.repository.folder)
    shutil.copytree(tmp_path / "viejo", escena.repository.folder)
    outcome = receiver.run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "RETROCESO"
    assert everything_public(escena) == before
