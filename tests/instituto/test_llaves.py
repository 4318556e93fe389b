"""The ceremony and what may be needed of the keys afterwards, on real folders; a real difusor judges each act."""

from __future__ import annotations

import json
import shutil
import stat
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.base.errors import PregonError
from pregon.base.hashing import sha256_bytes
from pregon.instituto import workspace
from pregon.instituto.ceremonia import llaves, medios, relevo
from pregon.instituto.ceremonia.acto import PENDIENTE
from pregon.instituto.ceremonia.mesa import Mesa
from pregon.trust import keys
from tests.instituto.ceremonias import MEDIOS, Personas, Sala, cheap_phrases, do
from tests.red import vivero
from tests.red.blancos import MUERTO
from tests.trust.conftest import INICIO, INTERVALO, FolderReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.trust.cliente import TrustClient

ROOT = Path(__file__).resolve().parents[2]
EN_LINEA = ("cortes", "avisos", "snapshot", "timestamp")


@pytest.fixture(scope="module", autouse=True)
def cheap() -> Iterator[None]:
    with cheap_phrases():
        yield


@pytest.fixture(scope="module")
def fundada(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ceremony done once, with two cuts; each test works on a copy."""
    sala = Sala(tmp_path_factory.mktemp("ceremonia"), ManualClock(INICIO - timedelta(days=30), simulado=False))
    sala.genera()
    sala.cut(1)
    sala.cut(2)
    return sala.carpeta


@pytest.fixture
def sala(fundada: Path, tmp_path: Path) -> Sala:
    copy = tmp_path / "sala"
    shutil.copytree(fundada, copy)
    return Sala(copy, ManualClock(INICIO + 2 * INTERVALO, simulado=False))


def sees(client: TrustClient, sala: Sala, corte: int) -> None:
    verified = client.check(sala.source()).verified
    assert verified is not None
    assert verified.manifest.corte == corte
    client.accept(verified)


def private_keys(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()}


# The ceremony.


def test_each_key_is_where_it_should_be_and_nowhere_else(sala: Sala) -> None:
    assert private_keys(sala.espacio) == {f"{rol}-1.pem" for rol in EN_LINEA}
    assert {name: private_keys(sala.carpeta / name) for name in MEDIOS} == {
        "ana": {"raiz-1.pem"},
        "luis": {"raiz-2.pem"},
        "eva": {"raiz-3.pem"},
        "reserva": {f"{rol}-2.pem" for rol in EN_LINEA},
    }
    for path in sala.carpeta.rglob("*.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (b"ENCRYPTED" in path.read_bytes()) is (path.parent.name != "llaves")
        assert b"Ambiente: oficial" in path.read_bytes()
    inventory = llaves.show(sala.open())
    assert inventory.avisos == ()
    assert {llave.nombre: Path(llave.lugar or "").name for llave in inventory.llaves} == {
        "raiz-1": "ana",
        "raiz-2": "luis",
        "raiz-3": "eva",
        **{f"{rol}-1": "equipo" for rol in EN_LINEA},
        **{f"{rol}-2": "reserva" for rol in EN_LINEA},
    }
    assert inventory.raiz_sha256 == sha256_bytes((sala.espacio / "root.json").read_bytes())
    assert {papel.nombre: (papel.umbral, len(papel.llaves)) for papel in inventory.papeles} == {
        "root": (2, 3), "targets": (2, 3), **dict.fromkeys(EN_LINEA, (1, 2)),
    }  # fmt: skip
    sees(sala.difusor("d"), sala, 2)


def test_the_act_is_recorded_with_who_why_and_the_shared_disk(sala: Sala) -> None:
    (event,) = (event for event in sala.open().state().events() if event.tipo == "llaves")
    assert (event.dato["acto"], event.dato["operador"], event.dato["motivo"]) == ("genera", "Ana", "inicio")
    assert event.dato["mismo_disco"] is True
    assert {nueva["nombre"] for nueva in event.dato["nuevas"]} == set(keys.ring_names())
    assert all(len(nueva["llave"]) == 64 for nueva in event.dato["nuevas"])


def _same_disk(sala: Sala) -> Any:
    return sala.mesa(*MEDIOS[:3], permitir=False)


def _two_media(sala: Sala) -> Any:
    return sala.mesa("ana", "luis")


def _one_twice(sala: Sala) -> Any:
    return sala.mesa("ana", "luis", "ana")


def _readable(sala: Sala) -> Any:
    sala.medio("eva").chmod(0o755)
    return sala.mesa(*MEDIOS[:3])


def _not_there(sala: Sala) -> Any:
    mesa = sala.mesa(*MEDIOS[:3])
    sala.medio("eva").rmdir()
    return mesa


def _a_link(sala: Sala) -> Any:
    mesa = sala.mesa(*MEDIOS[:3])
    sala.medio("eva").rmdir()
    sala.medio("eva").parent.joinpath("eva").symlink_to(sala.medio("otra"))
    return mesa


def _used(sala: Sala) -> Any:
    keys.save(keys.generate("raiz-3"), sala.medio("eva"), passphrase=b"de otra ceremonia")
    return sala.mesa(*MEDIOS[:3])


def _short_phrase(sala: Sala) -> Any:
    sala.personas.otras["eva"] = b"corta"
    return sala.mesa(*MEDIOS[:3])


@pytest.mark.parametrize(
    ("fault", "codigo"),
    [
        (_same_disk, "AJUSTES"),
        (_two_media, "USO"),
        (_one_twice, "USO"),
        (_readable, "AJUSTES"),
        (_not_there, "ENTRADA"),
        (_used, "AJUSTES"),
        (_short_phrase, "USO"),
    ],
)
def test_ceremony_that_is_not_in_order_writes_nothing(tmp_path: Path, fault: Any, codigo: str) -> None:
    sala = Sala(tmp_path, ManualClock(INICIO, simulado=False))
    sala.profile()
    mesa = fault(sala)
    before = sala.moment()
    with pytest.raises(PregonError) as refusal:
        sala.genera(mesa)
    assert refusal.value.codigo == codigo
    assert sala.moment() == before
    assert not sala.espacio.exists()


def test_second_ceremony_in_one_place_and_over_an_inicia_is_refused(sala: Sala, tmp_path: Path) -> None:
    before = sala.moment()
    with pytest.raises(PregonError) as refusal:
        sala.genera(sala.mesa("x", "y", "z"))
    assert refusal.value.codigo == "AJUSTES"
    assert sala.moment() == before
    other = Sala(tmp_path / "otra", ManualClock(INICIO, simulado=False))
    other.carpeta.mkdir()
    (other.espacio / "llaves").mkdir(parents=True)
    keys.save(keys.generate("cortes-1"), other.espacio / "llaves")
    other.profile()
    mesa = other.mesa(*MEDIOS[:3])
    before = other.moment()
    with pytest.raises(PregonError) as refusal:
        other.genera(mesa)
    assert refusal.value.codigo == "AJUSTES"
    assert other.moment() == before


# Acts.


def test_stolen_machine_the_reserves_take_over_and_new_reserves_are_made(sala: Sala) -> None:
    knew = sala.difusor("sabia")
    sees(knew, sala, 2)
    thief = sala.carpeta / "ladron"
    shutil.copytree(sala.espacio, thief / "espacio")
    stolen = {llave.nombre: llave.keyid for llave in llaves.show(sala.open()).llaves if llave.en_equipo}
    done = sala.acto("revoca", equipo=True, causa="robo", mesa=sala.mesa("ana", "luis", "reserva"))
    assert set(done.retiradas) == {f"{rol}-1" for rol in EN_LINEA}
    assert private_keys(sala.espacio) == {f"{rol}-2.pem" for rol in EN_LINEA}
    assert private_keys(sala.medio("reserva")) == {f"{rol}-{n}.pem" for rol in EN_LINEA for n in (2, 3)}
    assert done.raiz_version == 2
    assert (sala.espacio / "root.json").read_bytes() == (sala.repositorio / "metadata/2.root.json").read_bytes()
    assert not (sala.espacio / "llaves" / PENDIENTE).exists()
    event = sala.open().state().events()[-1]
    assert event.dato["causa"] == "robo"
    assert set(event.dato["retira"]) == set(stolen.values())
    sala.cut(3)
    sees(knew, sala, 3)
    sees(sala.difusor("nuevo"), sala, 3)
    robbed = Sala(thief, sala.clock)
    robbed.institute().cut(3, incluye_especiales=True)
    state, memory = private_keys(sala.carpeta / "sabia"), knew.memory
    with pytest.raises(PregonError) as refusal:
        knew.check(FolderReader(robbed.repositorio))
    assert refusal.value.codigo == "FIRMA"
    assert (private_keys(sala.carpeta / "sabia"), knew.memory) == (state, memory)


@pytest.mark.parametrize("rol", EN_LINEA)
def test_planned_rotation_makes_a_new_key_and_leaves_the_reserve(sala: Sala, rol: str) -> None:
    knew = sala.difusor("sabia")
    sees(knew, sala, 2)
    done = sala.acto("rota", rol=rol, mesa=sala.mesa("ana", "eva"))
    assert done.retiradas == (f"{rol}-1",)
    assert private_keys(sala.espacio) == {f"{other}-1.pem" for other in EN_LINEA if other != rol} | {f"{rol}-3.pem"}
    assert {llave.nombre for llave in llaves.show(sala.open()).of(rol)} == {f"{rol}-2", f"{rol}-3"}
    sala.cut(3)
    sees(knew, sala, 3)
    # The reserve is still good: it takes over the new key as well.
    sala.acto("revoca", f"{rol}-3", mesa=sala.mesa("ana", "luis", "reserva"))
    sala.cut(4)
    sees(knew, sala, 4)


def test_lost_reserve_is_replaced_on_a_new_medium(sala: Sala) -> None:
    knew = sala.difusor("sabia")
    sees(knew, sala, 2)
    lost = tuple(f"{rol}-2" for rol in EN_LINEA)
    done = sala.acto("revoca", *lost, causa="perdida", mesa=sala.mesa("ana", "eva", nuevos=("caja-nueva",)))
    assert done.retiradas == ()
    assert private_keys(sala.medio("caja-nueva")) == {f"{rol}-3.pem" for rol in EN_LINEA}
    assert private_keys(sala.espacio) == {f"{rol}-1.pem" for rol in EN_LINEA}
    assert done.avisos == ()
    sala.cut(3)
    sees(knew, sala, 3)


def test_lost_reserve_without_a_medium_for_the_new_one_says_what_is_missing(sala: Sala) -> None:
    done = sala.acto("revoca", "cortes-2", causa="perdida", mesa=sala.mesa("ana", "eva"))
    assert done.avisos == ("«cortes» no tiene llave de reserva.",)


@pytest.mark.parametrize("presentes", [("luis", "eva"), ("ana", "eva")])
def test_stolen_root_key_leaves_and_two_of_the_others_go_on(sala: Sala, presentes: tuple[str, ...]) -> None:
    knew = sala.difusor("sabia")
    sees(knew, sala, 2)
    done = sala.acto("revoca", "raiz-1", causa="robo", mesa=sala.mesa(*presentes, nuevos=("nuevo",)))
    assert [(nueva.nombre, Path(nueva.lugar).name) for nueva in done.nuevas] == [("raiz-4", "nuevo")]
    assert private_keys(sala.espacio) == {f"{rol}-1.pem" for rol in EN_LINEA}
    sala.cut(3)
    sees(knew, sala, 3)
    # The medium that was taken no longer counts: with it and one good one there is no threshold.
    before = sala.moment()
    with pytest.raises(PregonError) as refusal:
        sala.acto("rota", rol="cortes", mesa=sala.mesa("ana", "luis"))
    assert refusal.value.codigo == "ENTRADA"
    assert sala.moment() == before
    sala.acto("rota", rol="cortes", mesa=sala.mesa("nuevo", "luis"))
    sala.cut(4)
    sees(knew, sala, 4)


def test_two_root_keys_are_never_on_one_medium(sala: Sala) -> None:
    before = sala.moment()
    with pytest.raises(PregonError) as refusal:
        sala.acto("rota", "raiz-1", rol="raiz", mesa=sala.mesa("luis", "eva", nuevos=("luis",)))
    assert refusal.value.codigo == "AJUSTES"
    assert sala.moment() == before


def test_dates_are_renewed_by_two_holders(sala: Sala) -> None:
    sala.clock.instant += timedelta(days=200)
    done = sala.acto("renueva", mesa=sala.mesa("luis", "eva"))
    assert done.raiz_version == 2
    dates = {papel.nombre: papel.vence for papel in llaves.show(sala.open()).papeles}
    assert dates["root"] == dates["targets"] == sala.clock.instant + timedelta(days=400)


# Refusals.


def _one_medium(sala: Sala) -> None:
    sala.acto("rota", rol="cortes", mesa=sala.mesa("ana"))


def _reserve_for_root(sala: Sala) -> None:
    sala.acto("rota", rol="cortes", mesa=sala.mesa("ana", "reserva"))


def _wrong_phrase(sala: Sala) -> None:
    sala.personas.otras["luis"] = b"la frase larga de nadie"
    sala.acto("rota", rol="cortes", mesa=sala.mesa("ana", "luis"))


def _unknown_key(sala: Sala) -> None:
    sala.acto("revoca", "cortes-9", mesa=sala.mesa("ana", "luis"))


def _another_role(sala: Sala) -> None:
    sala.acto("rota", "avisos-1", rol="cortes", mesa=sala.mesa("ana", "luis"))


def _no_reason(sala: Sala) -> None:
    sala.acto("revoca", "cortes-1", motivo=" ", mesa=sala.mesa("ana", "luis"))


def _no_operator(sala: Sala) -> None:
    sala.acto("revoca", "cortes-1", operador="", mesa=sala.mesa("ana", "luis"))


def _no_key_named(sala: Sala) -> None:
    sala.acto("revoca", mesa=sala.mesa("ana", "luis"))


def _no_new_medium(sala: Sala) -> None:
    sala.acto("revoca", "raiz-1", mesa=sala.mesa("luis", "eva"))


def _same_disk_as_the_workspace(sala: Sala) -> None:
    sala.acto("rota", rol="cortes", mesa=sala.mesa("ana", "luis", permitir=False))


def _into_the_workspace(sala: Sala) -> None:
    mesa = sala.mesa("ana", "luis")
    sala.acto(
        "revoca",
        "cortes-2",
        mesa=Mesa(mesa.medios, mesa.frases, (sala.espacio / "llaves",), permitir_mismo_disco=True),
    )


def _empty_medium(sala: Sala) -> None:
    sala.acto("rota", rol="cortes", mesa=sala.mesa("ana", "vacio"))


def _readable_medium(sala: Sala) -> None:
    sala.medio("luis").chmod(0o750)
    sala.acto("rota", rol="cortes", mesa=sala.mesa("ana", "luis"))


REFUSALS = [
    (_one_medium, "ENTRADA"),
    (_reserve_for_root, "ENTRADA"),
    (_wrong_phrase, "AJUSTES"),
    (_unknown_key, "ENTRADA"),
    (_another_role, "USO"),
    (_no_reason, "USO"),
    (_no_operator, "USO"),
    (_no_key_named, "USO"),
    (_no_new_medium, "USO"),
    (_same_disk_as_the_workspace, "AJUSTES"),
    (_into_the_workspace, "USO"),
    (_empty_medium, "ENTRADA"),
    (_readable_medium, "AJUSTES"),
]


@pytest.mark.parametrize(("fault", "codigo"), REFUSALS)
def test_refused_act_leaves_keys_media_and_repository_byte_by_byte(sala: Sala, fault: Any, codigo: str) -> None:
    events = len(sala.open().state().events())
    before = sala.moment()
    with pytest.raises(PregonError) as refusal:
        fault(sala)
    assert refusal.value.codigo == codigo
    assert sala.moment() == before
    assert len(sala.open().state().events()) == events


def test_medium_of_the_simulacro_is_refused_in_the_official_tree_and_the_reverse(sala: Sala, tmp_path: Path) -> None:
    ensayo = Sala(tmp_path / "ensayo", ManualClock(INICIO, simulado=False), "simulacro")
    ensayo.carpeta.mkdir()
    ensayo.genera()
    for here, there in ((sala, ensayo), (ensayo, sala)):
        mesa = Mesa((here.medio("ana"), there.medio("luis")), Personas(), (), permitir_mismo_disco=True)
        before = here.moment(), there.moment()
        with pytest.raises(PregonError) as refusal:
            here.acto("rota", rol="cortes", mesa=mesa)
        assert refusal.value.codigo == "AMBIENTE"
        assert (here.moment(), there.moment()) == before
    # An online key that somebody copied across stops the machine before it signs.
    shutil.copy(ensayo.espacio / "llaves" / "cortes-1.pem", sala.espacio / "llaves" / "cortes-9.pem")
    with pytest.raises(PregonError) as refusal:
        sala.cut(3)
    assert refusal.value.codigo == "AMBIENTE"
    (sala.espacio / "llaves" / "cortes-9.pem").unlink()
    sala.cut(3)


def test_repository_put_in_place_of_the_real_one_is_not_signed_by_the_media(sala: Sala, tmp_path: Path) -> None:
    """Whoever holds the machine cannot have his own root extended: each medium remembers the root it knows."""
    false = Sala(tmp_path / "falsa", ManualClock(INICIO, simulado=False))
    false.carpeta.mkdir()
    false.genera()
    shutil.rmtree(sala.repositorio)
    shutil.copytree(false.repositorio, sala.repositorio)
    before = sala.moment()
    with pytest.raises(PregonError) as refusal:
        sala.acto("renueva", mesa=sala.mesa("ana", "luis"))
    assert refusal.value.codigo == "FIRMA"
    assert sala.moment() == before


# Elsewhere, in two steps.


def test_request_signed_on_two_other_machines_comes_into_force(sala: Sala, tmp_path: Path) -> None:
    knew = sala.difusor("sabia")
    sees(knew, sala, 2)
    request = tmp_path / "solicitud.json"
    asked = sala.acto("revoca", "raiz-1", causa="robo", mesa=sala.mesa(nuevos=("nuevo",)), pide=request)
    assert asked.solicitud == request
    assert asked.raiz_version == 1
    assert asked.solicitud_sha256 == sha256_bytes(request.read_bytes())
    sees(sala.difusor("entretanto"), sala, 2)
    sala.cut(3)  # the night goes on while the request travels
    read = llaves.read_request(request)
    assert read.pendiente.digest == asked.solicitud_sha256
    assert {(change.papel, len(change.entran), len(change.salen)) for change in read.diferencias} == {
        ("root", 1, 1), ("targets", 1, 1),
    }  # fmt: skip
    signatures = []
    for name in ("luis", "eva"):
        signatures.append(tmp_path / f"{name}.json")
        signed = llaves.sign_request(read, sala.medio(name), sala.personas, signatures[-1], Disk())
        assert signed == ({"luis": "raiz-2", "eva": "raiz-3"}[name],)
    before = sala.moment()
    with pytest.raises(PregonError) as refusal:
        relevo.import_signatures(sala.open(), signatures[:1])
    assert refusal.value.codigo == "ENTRADA"
    assert sala.moment() == before
    done = relevo.import_signatures(sala.open(), signatures)
    assert done.raiz_version == 2
    sala.cut(4)
    sees(knew, sala, 4)
    with pytest.raises(PregonError) as refusal:
        relevo.import_signatures(sala.open(), signatures)
    assert refusal.value.codigo == "ENTRADA"


def _altered_root(data: dict[str, Any]) -> None:
    data["propuesta"]["root"]["roles"]["root"]["threshold"] = 1


def _of_another_root(data: dict[str, Any]) -> None:
    root = json.loads(data["propuesta"]["actual"]["root"])
    root["signed"]["version"] = 7
    data["propuesta"]["actual"]["root"] = json.dumps(root)


def _no_proposal(data: dict[str, Any]) -> None:
    data["propuesta"] = None


def _not_metadata(data: dict[str, Any]) -> None:
    data["propuesta"]["root"] = {"_type": "root"}


@pytest.mark.parametrize(
    ("fault", "where"),
    [(_altered_root, "importa"), (_of_another_root, "firma"), (_no_proposal, "lee"), (_not_metadata, "lee")],
)
def test_request_changed_on_the_way_is_of_no_use(sala: Sala, tmp_path: Path, fault: Any, where: str) -> None:
    request = tmp_path / "solicitud.json"
    sala.acto("renueva", mesa=sala.mesa(), pide=request)
    data = json.loads(request.read_bytes())
    fault(data)
    request.write_text(json.dumps(data))
    before = sala.moment()
    reached = "lee"
    with pytest.raises(PregonError) as refusal:  # noqa: PT012 # which of the three refuses is what is asked
        read = llaves.read_request(request)
        reached = "firma"
        llaves.sign_request(read, sala.medio("ana"), sala.personas, tmp_path / "ana.json", Disk())
        reached = "importa"
        # The holder did not compare the digest: the institute's machine still knows what it asked.
        relevo.import_signatures(sala.open(), [tmp_path / "ana.json"])
    assert reached == where
    assert refusal.value.codigo in ("AJUSTES", "FIRMA")
    assert sala.moment() == before


def test_unfinished_act_is_cancelled_and_leaves_no_key_behind_on_the_machine(sala: Sala, tmp_path: Path) -> None:
    before = sala.moment()
    sala.acto("rota", rol="cortes", mesa=sala.mesa(), pide=tmp_path / "solicitud.json")
    with pytest.raises(PregonError) as refusal:
        sala.acto("rota", rol="avisos", mesa=sala.mesa("ana", "luis"))
    assert refusal.value.codigo == "AJUSTES"
    assert "cancela" in refusal.value.que_hacer
    acto, left = relevo.cancel(sala.open(), operador="Ana", motivo="se aplaza")
    assert (acto.orden, left) == (("rota", "cortes"), ())
    assert sala.moment() == before
    assert sala.open().state().events()[-1].dato["acto"] == "cancela"
    with pytest.raises(PregonError) as refusal:
        relevo.cancel(sala.open(), operador="Ana", motivo="otra vez")
    assert refusal.value.codigo == "ENTRADA"


# Checking media.


def test_each_medium_is_tried_and_what_is_wrong_is_said(sala: Sala) -> None:
    sala.personas.otras["eva"] = b"no es esta frase"
    sala.acto("revoca", "raiz-1", mesa=sala.mesa("ana", "luis", nuevos=("nuevo",)))
    before = sala.moment()
    found = llaves.check_media(
        sala.open(),
        [sala.medio(name) for name in ("luis", "nuevo", "reserva", "eva", "ana")],
        sala.personas,
        operador="A",
    )
    assert {one.medio.name: one.bien for one in found} == {
        "luis": True, "nuevo": True, "reserva": True, "eva": False, "ana": False,
    }  # fmt: skip
    assert {one.medio.name: one.raiz for one in found}["luis"] is True
    assert "frase" in (found[3].problema or "") or "abrir" in (found[3].problema or "")
    assert [valid for _, _, valid in found[4].llaves] == [False]
    assert sala.moment() == before
    assert sala.open().state().events()[-1].dato["acto"] == "comprueba"


def test_no_passphrase_and_no_private_key_reaches_the_workspace(sala: Sala, tmp_path: Path) -> None:
    do(sala, "robada")
    do(sala, "raiz")
    sala.acto("renueva", mesa=sala.mesa("luis", "eva"), pide=tmp_path / "solicitud.json")
    data = b"".join(path.read_bytes() for path in sala.espacio.rglob("*") if path.is_file())
    data += (tmp_path / "solicitud.json").read_bytes()
    assert b"la frase larga" not in data
    assert b"ENCRYPTED PRIVATE KEY" not in data
    assert {path.stem for path in (sala.espacio / "llaves").glob("*.pem")} == {f"{rol}-2" for rol in EN_LINEA}


def test_workspace_of_inicia_rotates_too(tmp_path: Path) -> None:
    """A rehearsal whose keys are all plain files: its own folder serves as the medium."""
    sala = Sala(tmp_path, ManualClock(INICIO, simulado=False), "simulacro")
    space = workspace.create(sala.espacio, sala.profile(), ambiente="simulacro", clock=sala.clock)
    knew = sala.difusor("sabia")
    sala.cut(1)
    sees(knew, sala, 1)
    mesa = Mesa((space.llaves,), Personas(), (), permitir_mismo_disco=True)
    done = sala.acto("revoca", "cortes-1", mesa=mesa)
    assert done.retiradas == ("cortes-1",)
    sala.cut(2)
    sees(knew, sala, 2)


# Stopped half way.


def _run(sala: Sala, acto: str, at: int, when: str, output: Path) -> int:
    output.unlink(missing_ok=True)
    words = (sala.carpeta, acto, sala.clock.instant.isoformat(), at, when)
    return vivero.compartido().corre("tests.instituto.ceremonias", *words, salida=output, limite=60)


def _copy(fundada: Path, target: Path, *media: str) -> Sala:
    shutil.copytree(fundada, target)
    sala = Sala(target, ManualClock(INICIO + 2 * INTERVALO, simulado=False))
    for name in media:
        sala.medio(name)
    return sala


def telling(output: Path) -> list[int]:
    """The steps of an act from its mark on; of several keys, or roots for media, in a row, the first and the last."""
    lines = [line.split(" ", 2) for line in output.read_text().splitlines() if line[0].isdigit()]
    steps = [(int(n), f"{name} {Path(path).suffix}", Path(path)) for n, name, path in lines if name != "make_folder"]
    start = next(n for n, (_, _, path) in enumerate(steps) if path.name == PENDIENTE)
    found = []
    for n in range(start, len(steps)):
        at, kind, path = steps[n]
        around = [steps[m][1:] for m in (n - 1, n + 1) if start <= m < len(steps)]
        row = path.suffix == ".pem" or path.parent.name in MEDIOS
        if not row or sum(other == kind and p.name[-4:] == path.name[-4:] for other, p in around) < 2:
            found.append(at)
    return found


def some(steps: list[int], *, todos: bool) -> list[int]:
    """Every step, or one a third of the way, one at two thirds and the last."""
    return steps if todos else [steps[len(steps) // 3], steps[2 * len(steps) // 3], steps[-1]]


WHOLE = pytest.param(True, marks=pytest.mark.aguante, id="todos")
"""Killed at every step there is: minutes, so `make aguante`."""
SOME = pytest.param(False, id="algunos")


@pytest.mark.parametrize("todos", [SOME, WHOLE])
@pytest.mark.parametrize("acto", ["robada", "raiz", "rota"])
def test_killed_at_any_step_the_repository_verifies_and_the_command_finishes(
    fundada: Path, tmp_path: Path, acto: str, *, todos: bool
) -> None:
    whole = _copy(fundada, tmp_path / "entera")
    output = tmp_path / "pasos.txt"
    assert _run(whole, acto, -1, "antes", output) == 0
    expected = llaves.show(whole.open())
    for at in some(telling(output), todos=todos):
        sala = _copy(fundada, tmp_path / f"{acto}-{at}")
        knew = sala.difusor("sabia")
        sees(knew, sala, 2)
        assert _run(sala, acto, at, "despues", output) == MUERTO
        assert knew.check(sala.source()).verified is None
        sees(sala.difusor("nuevo"), sala, 2)
        if (sala.espacio / "llaves" / PENDIENTE).exists():  # only the very last step leaves nothing to finish
            do(sala, acto)
        after = llaves.show(sala.open())
        assert {llave.nombre: llave.en_equipo for llave in after.llaves} == {
            llave.nombre: llave.en_equipo for llave in expected.llaves
        }
        assert not (sala.espacio / "llaves" / PENDIENTE).exists()
        assert len([e for e in sala.open().state().events() if e.tipo == "llaves" and e.dato["acto"] != "genera"]) == 1
        sala.cut(3)
        sees(knew, sala, 3)
        shutil.rmtree(sala.carpeta)


@pytest.mark.parametrize("todos", [SOME, WHOLE])
def test_ceremony_killed_at_any_step_is_finished_by_the_same_command(tmp_path: Path, *, todos: bool) -> None:
    clock = ManualClock(INICIO, simulado=False)
    output = tmp_path / "pasos.txt"
    whole = Sala(tmp_path / "entera", clock)
    whole.carpeta.mkdir()
    whole.mesa(*MEDIOS)
    assert _run(whole, "genera", -1, "antes", output) == 0
    for at in some(telling(output), todos=todos):
        sala = Sala(tmp_path / f"genera-{at}", clock)
        sala.carpeta.mkdir()
        sala.mesa(*MEDIOS)
        assert _run(sala, "genera", at, "despues", output) == MUERTO
        if not (sala.espacio / "instituto.toml").exists() or (sala.espacio / "llaves" / PENDIENTE).exists():
            sala.genera()
        assert llaves.show(sala.open()).avisos == ()
        events = [event.dato["acto"] for event in sala.open().state().events() if event.tipo == "llaves"]
        assert events == ["genera"]
        sala.cut(1)
        sees(sala.difusor("d"), sala, 1)
        sala.acto("renueva", mesa=sala.mesa("ana", "eva"))
        shutil.rmtree(sala.carpeta)


class FullDisk(Disk):
    """No space for one file."""

    def __init__(self, name: str) -> None:
        self._name = name

    def write(self, path: Path, data: Any, *, mode: int = 0o644) -> None:
        if path.name == self._name:
            from pregon.base.durable import disk_failure

            disk_failure(OSError(28, "No space left on device"), path)
        super().write(path, data, mode=mode)


@pytest.mark.parametrize("name", ["raiz-4.pem", PENDIENTE])
def test_full_medium_takes_the_act_back(sala: Sala, name: str) -> None:
    sala.medio("nuevo")
    sala.disk = FullDisk(name)
    before = sala.moment()
    with pytest.raises(PregonError) as refusal:
        do(sala, "raiz")
    assert refusal.value.codigo == "DISCO"
    assert sala.moment() == before
    sala.disk = Disk()
    do(sala, "raiz")


def test_full_disk_while_adopting_is_finished_later(sala: Sala) -> None:
    knew = sala.difusor("sabia")
    sees(knew, sala, 2)
    sala.disk = FullDisk("2.root.json")
    with pytest.raises(PregonError) as refusal:
        do(sala, "raiz")
    assert refusal.value.codigo == "DISCO"
    assert knew.check(sala.source()).verified is None
    sala.disk = Disk()
    with pytest.raises(PregonError) as refusal:
        relevo.cancel(sala.open(), operador="Ana", motivo="no")
    assert refusal.value.codigo == "AJUSTES"
    asked = len(sala.personas.preguntas)
    do(sala, "raiz")
    assert len(sala.personas.preguntas) == asked  # the signatures were kept: no medium is needed again
    sala.cut(3)
    sees(knew, sala, 3)
    assert medios.pinned_root(sala.medio("luis")) is not None
