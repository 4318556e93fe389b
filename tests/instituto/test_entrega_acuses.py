"""Acuses received: forged, foreign, replayed, moved, left out, changed where they are kept. What stays is as it was."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.dsse import Envelope
from typer.testing import CliRunner

from pregon.base.errors import (
    AjustesError,
    AmbienteError,
    CadenaError,
    ConvocatoriaError,
    FirmaError,
    FormatoError,
    PregonError,
)
from pregon.base.jsonio import canonical_json
from pregon.cli.instituto import app
from pregon.instituto.entrega import recoleccion
from pregon.instituto.entrega.recibidos import MAX_RECHAZOS, Recibidos, at_cut
from pregon.instituto.settings import to_toml
from pregon.transport.buzon import FolderAcuses
from pregon.trust import keys
from pregon.trust.acuse import FORMATO, load_public_key, read_acuse, verify_chain
from pregon.trust.keys import KeyRing, generate, ring_names
from tests.instituto.conftest import tree_digest
from tests.instituto.entregas import Campo

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.entrega.destinos import Destino
    from tests.instituto.entregas import Nodo


@pytest.fixture(scope="module")
def noche(tmp_path_factory: pytest.TempPathFactory) -> Campo:
    """Two cuts that one difusor of two nodes, and another, received and published."""
    campo = Campo.make(tmp_path_factory.mktemp("noche"), KeyRing(tuple(generate(name) for name in ring_names())))
    nodes = [campo.nodo("diario-uno", "norte"), campo.nodo("diario-uno", "sur"), campo.nodo("diario-dos")]
    for number in (1, 2):
        campo.corte(number)
        campo.entrega()
        for node in nodes:
            assert node.recibe() == number
    return campo


@pytest.fixture
def campo(noche: Campo) -> Campo:
    """That night, and an institute that has received nothing yet."""
    shutil.rmtree(noche.escena.folder / "acuses", ignore_errors=True)
    for path in noche.escena.folder.glob("estado.sqlite*"):
        path.unlink()
    return noche


def registered(campo: Campo, name: str = "diario-uno/norte") -> tuple[Recibidos, Destino, Nodo]:
    received = Recibidos(campo.espacio())
    destino = received.destino(*name.split("/"))
    assert destino is not None
    return received, destino, campo.nodos[name]


def bodies(node: Nodo) -> list[bytes]:
    return [path.read_bytes() for path in node.acuses]


def signed(node: Nodo, **changes: Any) -> bytes:
    """An acuse that the node's own key signed: its first one, with other values."""
    payload = json.loads(Envelope.from_dict(json.loads(bodies(node)[0])).payload) | changes
    envelope = Envelope(canonical_json(payload), changes.pop("formato", FORMATO), {})
    envelope.sign(keys.load(node.espacio.llave).signer)
    return canonical_json(envelope.to_dict())


def cortes(campo: Campo) -> dict[int, str]:
    return {cut.corte: cut.manifiesto.sha256 for cut in campo.escena.repository.cuts()}


def kept(campo: Campo) -> dict[str, str]:
    folder = campo.escena.folder / "acuses"
    return {name: digest for name, digest in tree_digest(folder).items() if name.endswith(".json")}


def test_what_is_kept_is_byte_by_byte_what_the_node_signed(campo: Campo) -> None:
    lines = recoleccion.collect_all(campo.espacio(), {})
    assert {(line.nuevos, line.error) for line in lines} == {(6, None)}
    for name, node in campo.nodos.items():
        mine = {path.name: path.read_bytes() for path in (campo.escena.folder / "acuses" / name).glob("*.json")}
        assert mine == {path.name: path.read_bytes() for path in node.acuses}
    before = kept(campo)
    assert {line.nuevos for line in recoleccion.collect_all(campo.espacio(), {})} == {0}
    assert kept(campo) == before
    assert len(campo.events("acuse")) == 18
    report = recoleccion.status(campo.espacio())
    assert {row["difusor"]: (row["corte"], row["al_corte"]) for row in report["difusores"]} == {
        "diario-uno": (2, True),
        "diario-dos": (2, True),
    }
    [north, _] = report["difusores"][0]["nodos"]
    assert (north["publicado"], north["visible"], north["acuses"], north["problema"]) == (2, None, 6, None)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"nodo": "sur"}, FirmaError),
        ({"difusor": "diario-dos"}, FirmaError),
        ({"convocatoria": "otra-2027"}, ConvocatoriaError),
        ({"ambiente": "simulacro"}, AmbienteError),
        ({"anterior": "0" * 64}, CadenaError),
        ({"formato": "pregon/aviso/1"}, FormatoError),
        ({"evento": "inventado"}, FormatoError),
        ({"corte": "1"}, FormatoError),
        ({"corte": True}, FormatoError),
        ({"corte": 10_000}, FormatoError),
        ({"corte": None}, FormatoError),
        ({"manifiesto_sha256": "../../x"}, FormatoError),
        ({"hora": "2027-06-06T20:00:00"}, FormatoError),
        ({"hora": "ayer"}, FormatoError),
    ],
)
def test_what_the_key_signed_for_something_else_is_refused(
    campo: Campo, change: dict[str, Any], error: type[PregonError]
) -> None:
    received, destino, node = registered(campo)
    first, *_ = bodies(node)
    assert received.admit(destino, first)
    before = kept(campo)
    with pytest.raises(error):
        received.admit(destino, signed(node, **{"anterior": read_acuse(first, key(node)).sha256, **change}))
    assert kept(campo) == before
    assert received.admit(destino, bodies(node)[1]), "the chain goes on"


def key(node: Nodo) -> Any:
    return load_public_key(node.espacio.llave.with_suffix(".pub.pem"))


def forgeries(node: Nodo, other: Nodo) -> dict[str, bytes]:
    body = bodies(node)[0]
    envelope = json.loads(body)
    foreign = json.loads(bodies(other)[0])
    return {
        "vacío": b"",
        "no es JSON": b"{",
        "otra cosa": b"[]",
        "sin firmas": canonical_json({**envelope, "signatures": []}),
        "firma de otro": canonical_json({**envelope, "signatures": foreign["signatures"]}),
        "dos firmas": canonical_json({**envelope, "signatures": envelope["signatures"] + foreign["signatures"]}),
        "contenido de otro": canonical_json({**envelope, "payload": foreign["payload"]}),
        "escrito de otra forma": json.dumps(envelope).encode(),
        "con algo de más": canonical_json({**envelope, "nota": 1}),
        "hondo": b"[" * 60_000,
        "largo": canonical_json({**envelope, "payload": envelope["payload"] + "A" * 70_000}),
        "no es texto": b"\xff\xfe" * 100,
        "de otro nodo": bodies(other)[0],
    }


def test_forged_ones_are_refused_and_cost_one_line_of_the_journal(campo: Campo) -> None:
    received, destino, node = registered(campo)
    for name, data in forgeries(node, campo.nodos["diario-uno/sur"]).items():
        with pytest.raises((FirmaError, FormatoError)):
            received.admit(destino, data)
        assert kept(campo) == {}, name
    assert len(campo.events("acuse_rechazado")) == 1, "anybody can send those"
    # They change nothing of what is known, and the next good one is taken.
    for data in bodies(node):
        assert received.admit(destino, data)
    assert received.situation(destino, cortes(campo)).tiene == 2
    with pytest.raises(FirmaError):
        received.admit(destino, bodies(campo.nodos["diario-dos/principal"])[0])
    assert received.situation(destino, cortes(campo)).tiene == 2


def test_no_byte_of_an_acuse_can_be_changed_added_or_taken_away(campo: Campo) -> None:
    node = campo.nodos["diario-uno/norte"]
    body, public = bodies(node)[0], key(node)
    assert read_acuse(body, public).corte == 1
    for n in range(len(body)):
        for changed in (body[:n] + bytes([body[n] ^ 0x01]) + body[n + 1 :], body[:n] + body[n + 1 :]):
            with pytest.raises((FormatoError, FirmaError)):
                read_acuse(changed, public)
    for more in (body + b"\n", b" " + body, body + body, body.replace(b"\n", b"\r\n")):
        with pytest.raises(FormatoError):
            read_acuse(more, public)


def test_replayed_moved_and_left_out(campo: Campo) -> None:
    received, destino, node = registered(campo)
    data = bodies(node)
    assert [received.admit(destino, one) for one in data[:3]] == [True] * 3
    before = kept(campo)
    assert [received.admit(destino, one) for one in data[:3]] == [False] * 3, "shown again: nothing happens"
    for skipped in (data[4], data[5]):
        with pytest.raises(CadenaError):
            received.admit(destino, skipped)
    assert kept(campo) == before
    assert [received.admit(destino, one) for one in data[3:]] == [True] * 3
    acuses = [read_acuse(one, key(node)) for one in data]
    emisor = acuses[0].emisor
    last = acuses[-1].sha256
    assert verify_chain(acuses, emisor) == last
    for broken in ([*acuses, acuses[2]], [*acuses[:2], *acuses[3:]], [acuses[1], acuses[0], *acuses[2:]], acuses[1:]):
        with pytest.raises(CadenaError):
            verify_chain(broken, emisor)
    assert verify_chain(acuses[4:], emisor, antes=acuses[3].sha256) == last


def test_node_that_begins_another_chain_is_sure_to_get_the_whole_until_a_person_looks(campo: Campo) -> None:
    """Its disk was lost, or somebody has its key: either way, what we knew of it is no longer sure."""
    received, destino, node = registered(campo)
    for one in bodies(node):
        received.admit(destino, one)
    before = kept(campo)
    assert received.situation(destino, cortes(campo)).tiene == 2
    with pytest.raises(CadenaError):
        received.admit(destino, signed(node, anterior=None, hora="2027-06-07T09:00:00+00:00"))
    known = received.situation(destino, cortes(campo))
    assert (known.tiene, known.rechazo) == (None, "CADENA")
    assert kept(campo) == before
    assert campo.entrega(None, "diario-uno")["diario-uno/norte"].forma == "completo"


def test_cut_that_is_not_ours_and_a_changed_file_prove_nothing(campo: Campo) -> None:
    received, destino, node = registered(campo)
    for one in bodies(node):
        received.admit(destino, one)
    assert received.situation(destino, {**cortes(campo), 2: "0" * 64}).tiene is None
    folder = campo.escena.folder / "acuses" / "diario-uno" / "norte"
    [verified] = folder.glob("*-0002-verificado.json")
    before = verified.read_bytes()
    verified.write_bytes(before.replace(b"a", b"b", 1))
    with pytest.raises((FirmaError, FormatoError)):
        received.situation(destino, cortes(campo))
    assert campo.entrega(None, "diario-uno")["diario-uno/norte"].codigo == "ENTREGADO"
    report = recoleccion.status(campo.espacio())
    [row] = [row for row in report["difusores"] if row["difusor"] == "diario-uno"]
    assert (row["corte"], row["nodos"][0]["problema"] in ("FIRMA", "FORMATO")) == (None, True)
    verified.unlink()
    with pytest.raises(CadenaError):
        received.check(destino)
    assert received.check(registered(campo, "diario-dos/principal")[1]) == 0


def test_collection_passes_over_strange_things_and_tires_of_refusals(campo: Campo, tmp_path: Path) -> None:
    received, destino, node = registered(campo)
    folder = tmp_path / "acuses"
    shutil.copytree(node.espacio.acuses, folder)
    (folder / "leeme.txt").write_text("x")
    (folder / "000000-0001-recibido.json").write_bytes(b"x" * 70_000)
    (folder / "000000-0002-recibido.json").symlink_to("/etc/passwd")
    with pytest.raises(PregonError):
        list(FolderAcuses(folder).collect(()))  # A link where an acuse should be is an attack, not an acuse.
    (folder / "000000-0002-recibido.json").unlink()
    (folder / "000000-0003-recibido.json").write_bytes(bodies(campo.nodos["diario-dos/principal"])[0])
    taken = received.collect(destino, FolderAcuses(folder))
    assert taken.nuevos == 6
    assert isinstance(taken.rechazo, FirmaError)
    assert len(kept(campo)) == 6
    other, again = registered(campo, "diario-uno/sur")[1], tmp_path / "ajenos"
    again.mkdir()
    for number in range(MAX_RECHAZOS + 5):
        (again / f"{number:06d}-0001-recibido.json").write_bytes(bodies(node)[0])
    box = FolderAcuses(again).collect(())

    class Box:
        """The same folder; what was not asked for is left in it."""

        def collect(self, known: object) -> Any:
            return box

    assert received.collect(other, Box()).nuevos == 0
    assert len(list(box)) == 5
    assert len(kept(campo)) == 6


def test_difusor_is_where_its_oldest_node_is() -> None:
    """GRO-2.1b."""
    assert at_cut({"norte": 3, "sur": 2}) == 2
    assert at_cut({"norte": 3, "sur": None}) is None
    assert at_cut({"norte": 0}) == 0
    assert at_cut({}) is None


def test_registered_key_must_be_a_public_p256_one(campo: Campo, tmp_path: Path) -> None:
    node = campo.nodos["diario-uno/norte"]
    assert load_public_key(node.espacio.llave.with_suffix(".pub.pem")).keyid == keys.load(node.espacio.llave).keyid
    (tmp_path / "mala.pem").write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    for path in (node.espacio.llave, tmp_path / "mala.pem", tmp_path / "no-existe.pem"):
        with pytest.raises(AjustesError):
            load_public_key(path)


def test_commands_collect_and_tell(campo: Campo) -> None:
    folder, node = campo.escena.folder, campo.nodos["diario-dos/principal"]
    settings = folder / "instituto.toml"
    table = "".join(f'{name} = "{value}"\n' for name, value in node.tabla.items())
    head = to_toml(campo.espacio().settings).decode().replace('"x"', f'"{folder / "perfil.toml"}"')
    settings.write_text(f"{head}[[destino]]\n{table}")
    run = CliRunner()
    result = run.invoke(app, ["acuses", "recoge", str(folder), "--json"])
    assert (result.exit_code, json.loads(result.stdout)["nodos"][0]["nuevos"]) == (0, 6)
    result = run.invoke(app, ["acuses", "estado", str(folder)])
    assert result.exit_code == 0
    assert "Último corte firmado: 0002." in result.stdout
    assert "sí" in result.stdout
    settings.write_text(f"{head}[[destino]]\n{table}".replace(str(node.espacio.acuses), "/no/esta"))
    result = run.invoke(app, ["acuses", "recoge", str(folder)])
    assert result.exit_code == 69
    assert "/no/esta" in result.stderr
    settings.unlink()
