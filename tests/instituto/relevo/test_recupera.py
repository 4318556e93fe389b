"""The institute's machine is lost: its repository comes back from a real difusor, and the night goes on for all."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.base.errors import PregonError
from pregon.base.state import StateDatabase
from pregon.difusor.inicia import create
from pregon.difusor.night import open_receiver
from pregon.difusor.servidor.proceso import serving as sirve
from pregon.instituto import avisos
from pregon.instituto.relevo import recupera as recuperacion
from pregon.instituto.relevo.recupera import SALTO, Recuperado, recupera
from pregon.instituto.workspace import RAIZ, open_workspace
from pregon.transport.local import FolderSource, deliver
from pregon.trust.cliente import TrustClient
from pregon.trust.firmas import FIRMAS, pack, unpack
from pregon.trust.verified import Memory
from tests.instituto.conftest import INICIO, Night, tree_digest
from tests.instituto.navegador import serving
from tests.instituto.relevo.conftest import Difusor, corta, hora

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.difusor.workspace import Workspace as DifusorWorkspace
    from pregon.instituto.workspace import Workspace


@dataclass
class Casa:
    """An institute, and a difusor that publishes what it reads from ``origen``."""

    night: Night
    space: Workspace
    origen: Path
    difusor: DifusorWorkspace

    def recibe(self) -> int | None:
        """The difusor looks once; the cut that it shows. What it refuses is raised."""
        disk, clock = Disk(), self.night.clock
        state = StateDatabase(self.difusor.estado, clock)
        receiver = open_receiver(self.difusor, clock=clock, state=state, disk=disk)
        outcome = receiver.run_once()
        receiver.close()
        if outcome.error is not None:
            raise outcome.error
        number = self.difusor.puntero.read_text().strip()
        return int(number) if number.isdecimal() else None

    def entrega(self) -> None:
        """What the institute has goes to where the difusor reads it."""
        deliver(self.space.repositorio, self.origen, Disk())

    def pierde(self) -> Workspace:
        """The machine is lost: its settings and keys were elsewhere too, and nothing else was."""
        folder = self.night.folder / "nueva"
        shutil.copytree(
            self.space.folder, folder, ignore=shutil.ignore_patterns("repositorio", "apuntes", "estado.sqlite*", RAIZ)
        )
        shutil.rmtree(self.space.folder)
        self.space = open_workspace(folder, clock=self.night.clock)
        return self.space


@pytest.fixture
def casa(tmp_path: Path) -> Casa:
    night = Night(tmp_path, ManualClock(INICIO - timedelta(hours=4), simulado=False))
    space = night.create()
    origen = tmp_path / "origen"
    origen.mkdir()
    toml = "\n".join(
        (
            f'convocatoria = "{night.folder / "perfil.toml"}"',
            'ambiente = "oficial"',
            'id = "diario-uno"',
            f'origen = "{origen}"',
            "[reloj]",
            'fuente = "ninguna"',
            "[servidor]",
            "puerto = 0\n",
        )
    )
    root = (space.folder / RAIZ).read_bytes()
    return Casa(night, space, origen, create(tmp_path / "difusor", toml, root=root, disk=Disk()))


def noche(casa: Casa, cuts: int, *, de_verdad: bool = False) -> None:
    """That many cuts, each delivered and shown; ``de_verdad``: made of actas."""
    for cut in range(cuts):
        if de_verdad:
            casa.night.cut(casa.space, hora(cut), votes=str(40 + cut))
        else:
            corta(casa.space, cut, str(40 + cut))
        casa.entrega()
        assert casa.recibe() == cut + 1


def raiz(casa: Casa) -> bytes:
    return casa.difusor.raiz.read_bytes()


def vuelve(casa: Casa, *desde: str) -> Recuperado:
    return recupera(casa.space, desde, raiz(casa), operador="Ana")


def test_the_folder_of_one_difusor_gives_the_repository_back(casa: Casa) -> None:
    noche(casa, 2, de_verdad=True)
    avisos.announce_delay(casa.space, avisos.Orden("se retrasa", "Ana"), texto="El corte se retrasa.")
    casa.entrega()
    casa.recibe()
    # Another timestamp, which nobody got: its version must not be signed again.
    with casa.space.signing() as repository:
        repository.resign_timestamp(now=casa.night.clock.now(), expires=hora(20))
    before = tree_digest(casa.space.repositorio)
    space = casa.pierde()
    done = vuelve(casa, str(casa.difusor.folder))
    assert (done.corte, done.cortes, done.avisos, done.rehecho) == (2, 2, 1, True)
    after = tree_digest(space.repositorio)
    manifests = [ruta for ruta in before if ruta.endswith("manifiesto.json") or "avisos/0" in ruta]
    assert {ruta: after[ruta] for ruta in manifests} == {ruta: before[ruta] for ruta in manifests}
    whole = next(ruta for ruta in before if ruta.startswith("targets/cortes/0002/") and ruta.endswith("CAMP.zip"))
    assert after[whole] == before[whole]  # packed again from what the portal shows, byte by byte
    assert casa.night.cut(space, hora(2), votes="47").corte == 3
    casa.entrega()
    assert casa.recibe() == 3
    with space.signing() as repository:
        assert [cut.corte for cut in repository.cuts()] == [1, 2, 3]
        assert repository.next_notice() == 2
    event = [event for event in space.state().events() if event.tipo == recuperacion.EVENTO]
    assert [(one.dato["corte"], one.dato["operador"]) for one in event] == [(2, "Ana")]


def test_the_public_address_of_one_difusor_gives_the_repository_back(casa: Casa) -> None:
    """By HTTP alone, from its real server; the night goes on for it and for one that had not got the last cut."""
    noche(casa, 2, de_verdad=True)
    late = Difusor(
        TrustClient(
            casa.night.folder / "lento", root=raiz(casa), identity=casa.space.identity, clock=casa.night.clock,
            memory=Memory(),
        )
    )  # fmt: skip
    assert late.mira(casa.origen) == 2
    casa.night.cut(casa.space, hora(2), votes="42")
    avisos.announce_delay(casa.space, avisos.Orden("se retrasa", "Ana"), texto="El corte se retrasa.")
    casa.entrega()
    assert casa.recibe() == 3
    before = tree_digest(casa.space.repositorio)
    space = casa.pierde()
    with sirve([casa.difusor], disk=Disk(), clock=casa.night.clock, port=0) as server:
        done = vuelve(casa, server.urls[0])
    assert (done.corte, done.cortes, done.avisos, done.rehecho, done.rechazados) == (3, 3, 1, True, ())
    after = tree_digest(space.repositorio)
    whole = [
        ruta
        for ruta in before
        if ruta.startswith(("targets/cortes/0003/", "targets/avisos/")) and not ruta.endswith(".cambios.zip")
    ]
    assert len(whole) == 3
    assert {ruta: after.get(ruta) for ruta in whole} == {ruta: before[ruta] for ruta in whole}
    assert casa.night.cut(space, hora(3), votes="49").corte == 4
    casa.entrega()
    assert casa.recibe() == 4
    assert late.mira(casa.origen) == 4
    with space.signing() as repository:
        assert [cut.corte for cut in repository.cuts()] == [1, 2, 3, 4]
        assert repository.next_notice() == 2


def test_a_portal_that_shows_a_later_cut_than_the_signatures_is_a_number_already_used(casa: Casa) -> None:
    noche(casa, 1)
    old = casa.night.folder / "viejo"
    shutil.copytree(casa.space.repositorio, old)
    corta(casa.space, 1, "55")
    casa.entrega()
    casa.recibe()
    space = casa.pierde()
    with serving(casa.difusor.cortes / "0002") as url:
        with pytest.raises(PregonError, match="0002") as refusal:
            vuelve(casa, str(old), url)
        assert refusal.value.codigo == "ENTRADA"
        assert not space.repositorio.exists()
        assert vuelve(casa, str(old), url, str(casa.difusor.folder)).corte == 2


def test_signatures_of_a_portal_are_not_believed(casa: Casa) -> None:
    noche(casa, 2)
    space = casa.pierde()
    path = casa.difusor.servidor / FIRMAS
    documents = unpack(path.read_bytes())
    name = next(ruta for ruta in documents if ruta.endswith(".cortes.json"))
    for wrong in (
        pack({**documents, name: documents[name].replace(b'"corte":2', b'"corte":3')}),
        pack({ruta: data for ruta, data in documents.items() if ruta != name}),
        b"{}",
    ):
        path.write_bytes(wrong)
        shown = casa.night.folder / "portal"
        shutil.copytree(casa.difusor.cortes / "0002", shown, dirs_exist_ok=True)
        shutil.copy(path, shown)
        with serving(shown) as url, pytest.raises(PregonError) as refusal:
            vuelve(casa, url)
        assert refusal.value.codigo == "ENTRADA"
        assert not space.repositorio.exists()


def test_what_was_sent_and_the_public_address_give_it_back_together(casa: Casa) -> None:
    noche(casa, 3)
    for archive in casa.origen.glob("targets/cortes/*/*.zip"):
        if not archive.name.endswith(".cambios.zip"):
            archive.unlink()  # what a push leaves where changes were enough
    space = casa.pierde()
    with serving(casa.difusor.cortes / "0003") as url:
        with pytest.raises(PregonError) as refusal:
            vuelve(casa, url)
        assert refusal.value.codigo == "ENTRADA"
        with pytest.raises(PregonError) as refusal:
            vuelve(casa, str(casa.origen))
        assert refusal.value.codigo == "ENTRADA"
        assert not space.repositorio.exists()
        done = vuelve(casa, str(casa.origen), url)
    assert (done.corte, done.rehecho, [name for name, _ in done.rechazados]) == (3, True, [url])
    assert [ruta for ruta in done.faltan if not ruta.endswith(".zip")] == []
    assert corta(space, 3, "48") == 4
    casa.entrega()
    assert casa.recibe() == 4


def test_a_difusor_that_is_behind_and_a_new_one_take_what_is_signed_next(casa: Casa) -> None:
    noche(casa, 1)
    root, late = raiz(casa), TrustClient(
        casa.night.folder / "lento", root=raiz(casa), identity=casa.space.identity, clock=casa.night.clock,
        memory=Memory(),
    )  # fmt: skip
    slow = Difusor(late)
    assert slow.mira(casa.origen) == 1
    for cut in (1, 2):
        corta(casa.space, cut, str(50 + cut))
        casa.entrega()
        casa.recibe()
    space = casa.pierde()
    vuelve(casa, str(casa.difusor.folder))
    assert slow.mira(space.repositorio) == 3
    corta(space, 3, "60")
    assert slow.mira(space.repositorio) == 4
    new = TrustClient(
        casa.night.folder / "nuevo", root=root, identity=space.identity, clock=casa.night.clock, memory=Memory()
    )
    verified = new.check(FolderSource(space.repositorio)).verified
    assert verified is not None
    assert verified.manifest.corte == 4


def test_the_latest_of_several_places_goes_on_and_versions_leave_all_behind(casa: Casa) -> None:
    noche(casa, 1)
    old = casa.night.folder / "viejo"
    shutil.copytree(casa.space.repositorio, old)
    corta(casa.space, 1, "55")
    casa.entrega()
    casa.recibe()
    with casa.space.signing() as repository:
        newest = repository._load("timestamp").signed.version
    space = casa.pierde()
    done = vuelve(casa, str(old), str(casa.difusor.folder))
    assert (done.corte, done.origen) == (2, str(casa.difusor.folder))
    with space.signing() as repository:
        assert repository._load("timestamp").signed.version == newest + 1 + SALTO
    assert (space.folder / RAIZ).read_bytes() == raiz(casa)


def test_signatures_that_expired_hours_ago_serve_to_recover(casa: Casa) -> None:
    noche(casa, 1)
    casa.pierde()
    casa.night.clock.instant = hora(1) + timedelta(hours=9)
    assert vuelve(casa, str(casa.difusor.folder)).corte == 1


def test_a_place_that_was_altered_gives_nothing(casa: Casa) -> None:
    noche(casa, 2)
    space = casa.pierde()
    before = tree_digest(space.folder)
    page = casa.difusor.cortes / "0002" / "index.html"
    content = page.read_bytes()
    page.unlink()
    page.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for archive in casa.difusor.historico.glob("0002/*.zip"):
        archive.write_bytes(b"x" * archive.stat().st_size)
    with pytest.raises(PregonError, match=r"index\.html"):
        vuelve(casa, str(casa.difusor.folder))
    path = casa.difusor.confianza / "tuf" / "cortes.json"
    path.write_bytes(path.read_bytes().replace(b'"corte":2', b'"corte":3'))
    with pytest.raises(PregonError) as refusal:
        vuelve(casa, str(casa.difusor.folder))
    assert "HASH" in refusal.value.codigo or refusal.value.codigo == "ENTRADA"
    kept = {ruta: sha for ruta, sha in tree_digest(space.folder).items() if not ruta.startswith(("trabajo", "repos"))}
    assert {ruta: sha for ruta, sha in kept.items() if ruta in before} == before
    assert not space.repositorio.exists()


@pytest.mark.parametrize(
    ("address", "codigo"),
    [
        ("https://ana:clave-secreta@127.0.0.1:9/", "USO"),
        ("http://ana:clave-secreta@127.0.0.1:9/", "USO"),
        ("ftp://127.0.0.1/x", "USO"),
        ("sftp://cuenta@127.0.0.1/x", "USO"),
        ("/no/existe", "ENTRADA"),
    ],
)
def test_an_address_that_nobody_reads_is_told_without_its_password(casa: Casa, address: str, codigo: str) -> None:
    noche(casa, 1)
    space = casa.pierde()
    with pytest.raises(PregonError) as refusal:
        vuelve(casa, str(casa.difusor.folder), address)
    assert refusal.value.codigo == codigo
    assert "clave-secreta" not in str(refusal.value.as_dict())
    assert not space.repositorio.exists()


def test_two_histories_are_refused(casa: Casa) -> None:
    noche(casa, 1)
    other = casa.night.folder / "otra"
    shutil.copytree(casa.space.folder, other)
    corta(casa.space, 1, "55")
    corta(open_workspace(other, clock=casa.night.clock), 1, "56")
    casa.entrega()
    casa.recibe()
    space = casa.pierde()
    with pytest.raises(PregonError) as refusal:
        vuelve(casa, str(casa.difusor.folder), str(other / "repositorio"))
    assert refusal.value.codigo == "EQUIVOCO"
    assert not space.repositorio.exists()


def test_a_repository_that_is_there_is_not_replaced(casa: Casa) -> None:
    noche(casa, 1)
    before = tree_digest(casa.space.repositorio)
    with pytest.raises(PregonError) as refusal:
        vuelve(casa, str(casa.difusor.folder))
    assert refusal.value.codigo == "AJUSTES"
    assert tree_digest(casa.space.repositorio) == before


def test_another_root_recovers_nothing(casa: Casa, tmp_path: Path) -> None:
    noche(casa, 1)
    stranger = Night(tmp_path / "ajena", ManualClock(INICIO - timedelta(hours=4), simulado=False))
    stranger.folder.mkdir()
    other = stranger.create()
    space = casa.pierde()
    with pytest.raises(PregonError) as refusal:
        recupera(space, (str(casa.difusor.folder),), (other.folder / RAIZ).read_bytes(), operador="Ana")
    assert refusal.value.codigo == "ENTRADA"
    assert not space.repositorio.exists()
