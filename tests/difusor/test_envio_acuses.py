"""Acuses on their way to the institute: posted to its real receiver, or copied where it collects them."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import SystemClock
from pregon.base.durable import PARCIAL, Disk
from pregon.base.errors import AjustesError
from pregon.difusor import pointer
from pregon.difusor.acuse import Acuses, create_key
from pregon.difusor.remesa import ESPERA_MAX_S, PASADA_S
from pregon.difusor.workspace import AJUSTES, open_workspace
from pregon.instituto.entrega.buzon import Buzon, Cupo
from pregon.instituto.entrega.recibidos import Recibidos
from pregon.transport.buzon import FolderAcuses
from pregon.trust.acuse import load_public_key, read_acuse, verify_chain
from tests.instituto.entregas import Campo, Nodo
from tests.red.enlace import Enlace
from tests.red.servidores.enmarcha import HOST
from tests.red.servidores.nginx import Autoridad

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.difusor.conftest import Escena

NODO = "diario-uno/principal"


@dataclass
class Receptor:
    """The institute's receiver behind a link, and what it keeps of our node."""

    campo: Campo
    enlace: Enlace
    certificado: tuple[Path, Path]
    ajustes: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.enlace.puerto}"

    @property
    def carpeta(self) -> Path:
        return self.campo.escena.folder / "acuses" / NODO

    @property
    def kept(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self.carpeta.glob("*.json"))] if self.carpeta.is_dir() else []


@contextlib.contextmanager
def attended(campo: Campo, certificado: tuple[Path, Path], *, key: Path | None = None) -> Iterator[Buzon]:
    row = campo.nodos[NODO].tabla | ({} if key is None else {"clave_acuses": str(key)})
    clock = SystemClock()
    service = Buzon(
        Recibidos(campo.espacio(row)), clock, direccion=HOST, puerto=0,
        certificado=certificado[0], clave=certificado[1], cupo=Cupo(clock),
    )  # fmt: skip
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        yield service
    finally:
        service.stop()
        thread.join(10)
        assert not thread.is_alive()


def settings(escena: Escena, lines: str) -> None:
    path = escena.workspace.folder / AJUSTES
    path.write_text(path.read_text().partition("[acuses]")[0] + f"[acuses]\n{lines}\n")
    escena.workspace = open_workspace(escena.workspace.folder)


@pytest.fixture
def campo(escena: Escena) -> Campo:
    made = Campo(escena)
    made.nodos[NODO] = Nodo(escena.workspace, made)
    return made


@pytest.fixture
def receptor(campo: Campo, tmp_path: Path) -> Iterator[Receptor]:
    authority = Autoridad(tmp_path / "autoridad")
    pair = authority.firma("receptor")
    with attended(campo, pair) as service, Enlace(HOST, service.puerto) as link:
        made = Receptor(campo, link, pair)
        settings(campo.escena, f'envia = "{made.url}"\nca = "{authority.ca}"')
        yield made


def ours(escena: Escena) -> list[bytes]:
    return [path.read_bytes() for path in Acuses(escena.workspace, escena.disk).files()]


def told(escena: Escena, kind: str = "acuse_sin_entregar") -> list[dict[str, Any]]:
    return [event.dato for event in escena.state().events() if event.tipo == kind]


def later(escena: Escena) -> None:
    """After any wait."""
    escena.clock.instant += timedelta(seconds=ESPERA_MAX_S + 1)


def test_each_acuse_arrives_once_in_order_and_byte_by_byte(receptor: Receptor, escena: Escena) -> None:
    receiver = escena.receiver()
    for corte in (1, 2):
        escena.cut(corte)
        assert receiver.run_once().novedad == corte
        assert receptor.kept == ours(escena)
    assert len(ours(escena)) == 6
    assert escena.libro.acuses_enviados == 6
    receiver.close()
    # Another process begins after the last one taken: nothing travels where there is nothing to say.
    travelled = receptor.enlace.subidos
    again = escena.receiver()
    again.run_once()
    again.close()
    assert receptor.enlace.subidos == travelled
    assert told(escena) == []


def test_without_receiver_everything_is_published_and_kept_and_arrives_when_it_is_back(
    receptor: Receptor, escena: Escena
) -> None:
    receptor.enlace.cierra()
    receiver = escena.receiver()
    for corte in (1, 2):
        escena.cut(corte)
        assert receiver.run_once().novedad == corte
        assert pointer.read(escena.workspace) == f"{corte:04d}"
        later(escena)
    receiver.run_once()
    assert (receptor.kept, escena.libro.acuses_enviados) == ([], 0)
    assert [fact["codigo"] for fact in told(escena)] == ["RED"], "told once"
    receptor.enlace.abre()
    receiver.run_once()
    assert receptor.kept == [], "it waits before it tries again"
    later(escena)
    receiver.run_once()
    assert receptor.kept == ours(escena)
    receiver.close()
    # It answered well meanwhile: the same trouble again is news.
    receptor.enlace.cierra()
    escena.cut(3)
    receiver = escena.receiver()
    receiver.run_once()
    receiver.close()
    assert [fact["codigo"] for fact in told(escena)] == ["RED", "RED"]


def test_answer_lost_on_the_way_is_asked_again_and_nothing_is_twice(receptor: Receptor, escena: Escena) -> None:
    """Cut when it was taken there and the answer had not come: they say «200», and the chain goes on."""
    escena.cut(1)
    receiver = escena.receiver()
    assert receiver.run_once().novedad == 1
    escena.libro.enviar_acuse(1)
    receiver.run_once()
    receiver.close()
    assert receptor.kept == ours(escena)
    assert escena.libro.acuses_enviados == 3


def test_receiver_restored_from_an_old_copy_gets_what_it_lacks(receptor: Receptor, escena: Escena) -> None:
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    max(receptor.carpeta.glob("*.json")).unlink()
    escena.cut(2)
    assert receiver.run_once().novedad == 2
    assert receptor.kept == ours(escena)
    shutil.rmtree(receptor.carpeta)
    escena.cut(3)
    receiver.run_once()
    receiver.close()
    assert receptor.kept == ours(escena)
    assert told(escena) == []


def test_refused_acuse_is_told_once_kept_and_sent_when_they_register_us(
    campo: Campo, escena: Escena, tmp_path: Path
) -> None:
    authority = Autoridad(tmp_path / "autoridad")
    pair = authority.firma("receptor")
    (tmp_path / "otra").mkdir()
    create_key(tmp_path / "otra" / "otra.pem", Disk())
    with attended(campo, pair, key=tmp_path / "otra" / "otra.pub.pem") as service, Enlace(HOST, service.puerto) as link:
        settings(escena, f'envia = "https://{HOST}:{link.puerto}/"\nca = "{authority.ca}"')
        receiver = escena.receiver()
        escena.cut(1)
        assert receiver.run_once().novedad == 1
        before = link.subidos
        receiver.run_once()
        assert link.subidos == before, "not asked again at every pass"
        later(escena)
        receiver.run_once()
        assert link.subidos > before
        receiver.close()
    [fact] = told(escena)
    assert (fact["codigo"], fact["acuse"]) == ("403", "000001-0001-recibido.json")
    assert "llave" in fact["que_paso"]
    assert escena.libro.acuses_enviados == 0
    assert pointer.read(escena.workspace) == "0001"
    assert not list((escena.folder / "acuses").rglob("*.json"))
    # They register the right key: everything arrives, from the first.
    with attended(campo, pair) as service:
        settings(escena, f'envia = "https://{HOST}:{service.puerto}"\nca = "{authority.ca}"')
        receiver = escena.receiver()
        receiver.run_once()
        receiver.close()
    kept = sorted((escena.folder / "acuses" / NODO).glob("*.json"))
    assert [path.read_bytes() for path in kept] == ours(escena)


def test_another_chain_under_our_name_is_told_and_nothing_is_skipped(receptor: Receptor, escena: Escena) -> None:
    """The node was installed anew with the same key: theirs stand after one that we do not have."""
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    kept = receptor.kept
    for path in escena.workspace.acuses.iterdir():
        path.unlink()
    escena.libro.enviar_acuse(0)
    escena.cut(2)
    assert receiver.run_once().novedad == 2
    receiver.close()
    assert receptor.kept == kept
    assert [fact["codigo"] for fact in told(escena)] == ["409"]
    assert escena.libro.acuses_enviados == 0


def test_receiver_that_says_nothing_delays_no_publication(escena: Escena, tmp_path: Path) -> None:
    authority = Autoridad(tmp_path / "autoridad")
    with socket.create_server((HOST, 0)) as mute:
        settings(escena, f'envia = "https://{HOST}:{mute.getsockname()[1]}"\nca = "{authority.ca}"')
        receiver = escena.receiver()
        escena.cut(1)
        remesa, seen = receiver._remesa, []
        honest = remesa.despacha
        start = time.monotonic()

        def watched(due: object = None) -> None:
            seen.append(pointer.read(escena.workspace))
            honest()

        remesa.despacha = watched  # type: ignore[method-assign]
        outcome = receiver.run_once()
        assert (outcome.novedad, outcome.error, seen) == (1, None, ["0001"])
        assert time.monotonic() - start < 2 * PASADA_S
        remesa.despacha = honest  # type: ignore[method-assign]
        # The passes that follow do not even ask for some seconds, and none asks just before the hour of the start.
        escena.sign(2)
        start = time.monotonic()
        assert receiver.run_once().novedad == 2
        later(escena)
        remesa.despacha(escena.clock.now() + timedelta(seconds=PASADA_S))
        assert time.monotonic() - start < PASADA_S / 2
        receiver.close()
    assert [fact["codigo"] for fact in told(escena)] == ["RED"]


def test_receiver_in_another_authority_gets_nothing(receptor: Receptor, escena: Escena, tmp_path: Path) -> None:
    other = Autoridad(tmp_path / "otra")
    settings(escena, f'envia = "{receptor.url}"\nca = "{other.ca}"')
    escena.cut(1)
    receiver = escena.receiver()
    receiver.run_once()
    receiver.close()
    assert receptor.kept == []
    [fact] = told(escena)
    assert "autoridad" in fact["que_paso"]
    assert pointer.read(escena.workspace) == "0001"


def test_settings_that_cannot_be_used_stop_the_start(escena: Escena) -> None:
    settings(escena, 'envia = "https://127.0.0.1:1"\nca = "no-hay.pem"')
    with pytest.raises(AjustesError, match="certificados"):
        escena.receiver()


def test_copies_are_whole_apart_and_collected_with_their_chain(escena: Escena, tmp_path: Path) -> None:
    copy = tmp_path / "jaula" / "acuses"
    copy.parent.mkdir()
    settings(escena, f'copia = "{copy}"')
    secret = tmp_path / "secreto"
    secret.write_text("secreto")
    receiver = escena.receiver()
    escena.cut(1)
    receiver.run_once()
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == {
        path.name: path.read_bytes() for path in Acuses(escena.workspace, escena.disk).files()
    }
    for path in copy.iterdir():
        assert path.stat().st_nlink == 1, "whoever writes there does not reach ours"
    # What somebody else put there stays, and a link in the way of a copy is not written through.
    (copy / f"000004-0002-recibido.json{PARCIAL}").symlink_to(secret)
    escena.cut(2)
    assert receiver.run_once().novedad == 2
    assert secret.read_text() == "secreto"
    (copy / f"000004-0002-recibido.json{PARCIAL}").unlink(missing_ok=True)
    receiver.run_once()
    key = load_public_key(escena.workspace.llave.with_suffix(".pub.pem"))
    acuses = [read_acuse(data, key) for _, data in FolderAcuses(copy).collect(())]
    assert len(acuses) == 6
    verify_chain(acuses, acuses[0].emisor)


def test_folder_that_cannot_be_written_is_told_once_and_filled_afterwards(escena: Escena, tmp_path: Path) -> None:
    copy = tmp_path / "acuses"
    copy.write_text("un archivo donde iba la carpeta")
    settings(escena, f'copia = "{copy}"')
    receiver = escena.receiver()
    for corte in (1, 2):
        escena.cut(corte)
        assert receiver.run_once().novedad == corte
    assert pointer.read(escena.workspace) == "0002"
    assert len(told(escena, "acuses_sin_copia")) == 1
    copy.unlink()
    receiver.run_once()
    assert len(list(copy.iterdir())) == 6
