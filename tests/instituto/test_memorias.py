"""The counts of the night from end to end: the key given under seal, counted with, delivered, added up, destroyed."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.base.errors import (
    AmbienteError,
    ConvocatoriaError,
    DanadoError,
    EntradaError,
    EscrituraError,
    FirmaError,
    FormatoError,
    HashError,
    PregonError,
    RetrocesoError,
    UsoError,
)
from pregon.bitacoras import entrega
from pregon.bitacoras.bosquejos import Bosquejo
from pregon.cli.memoria import app as memoria
from pregon.difusor import conteo
from pregon.difusor.historia.respaldo import respalda
from pregon.difusor.workspace import open_workspace as open_difusor
from pregon.instituto.memorias import claves, crudas, recibo, union
from pregon.instituto.workspace import RAIZ
from pregon.trust import keys, noche
from pregon.trust.sellado import MAGIA, TROZO, Cifrador, descifra
from tests.bitacoras.medir import FIREFOX
from tests.instituto.entregas import Campo

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.difusor.workspace import Workspace as Difusor
    from pregon.instituto.workspace import Workspace

pytestmark = pytest.mark.xdist_group("memorias")

PIDE = '[memoria]\nbitacoras_desde = 2027-06-06\nbitacoras_hasta = 2027-06-07\nsecciones = ["bitacoras"]\n'
DIAS = {4: "04", 6: "06", 7: "07", 8: "08"}
PERSONAS = 400


def _line(n: int, day: int, path: str = "/gub/") -> str:
    # 18:00 UTC is midday of the same day in México.
    return (
        f"100.{n >> 8}.{n & 255}.9 - - [{DIAS[day]}/Jun/2027:18:{n % 60:02d}:00 +0000]"
        f' "GET {path} HTTP/1.1" 200 1000 "-" "{FIREFOX}"\n'
    )


@dataclasses.dataclass
class Noche:
    """An institute with two nodes that received a cut, and the logs of each: half of their people are the same."""

    campo: Campo
    espacio: Workspace

    def difusor(self, name: str) -> Difusor:
        return open_difusor(self.campo.nodos[name].espacio.folder)

    def instala(self, name: str) -> str:
        paper = claves.folder(self.espacio) / "papeles" / f"{name.replace('/', '-')}.json"
        return conteo.install(self.difusor(name), paper, clock=SystemClock(), disk=Disk())

    def eventos(self, name: str) -> list[str]:
        return [one.tipo for one in self.difusor(name).open_state(SystemClock()).events(limit=1000)]

    def ordena(self, *words: str, ok: bool = True) -> Any:
        result = CliRunner().invoke(memoria, [*words, "--json"])
        assert (result.exit_code == 0) is ok, result.output
        return json.loads(result.stdout if ok else result.stderr)


@pytest.fixture(scope="module")
def molde(tmp_path_factory: pytest.TempPathFactory) -> Noche:
    """Made once; each test gets a copy of its folder."""
    folder = tmp_path_factory.mktemp("memorias")
    ring = keys.KeyRing(tuple(keys.generate(name) for name in keys.ring_names()))
    campo = Campo.make(folder, ring, extra=PIDE)
    for name in ("diario-uno", "radio-dos"):
        campo.nodo(name)
    campo.corte(0)
    for each in campo.nodos.values():
        shutil.copytree(campo.escena.repository.folder, each.entrada, dirs_exist_ok=True)
        assert each.recibe() == 0
    espacio = campo.espacio()
    espacio.llaves.mkdir()
    for key in ring.keys:
        keys.save(key, espacio.llaves)
    tables = "".join(
        "[[destino]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in one.tabla.items())
        for one in campo.nodos.values()
    )
    (espacio.folder / "instituto.toml").write_text(f'convocatoria = "perfil.toml"\n{tables}')
    (espacio.folder / RAIZ).write_bytes(campo.escena.repository.root_bytes())
    for place, each in enumerate(campo.nodos.values()):
        people = range(place * PERSONAS // 2, place * PERSONAS // 2 + PERSONAS)
        lines = [_line(n, random.Random(n).choice([6, 7])) for n in people]
        lines += [_line(9_000, 4), _line(9_001, 8), "esto no es un renglón de bitácora\n"]
        (each.espacio.folder / "acceso.log").write_text("".join(lines))
        toml = each.espacio.folder / "difusor.toml"
        toml.write_text(toml.read_text() + '[[bitacora]]\nsitio = "prep"\narchivos = ["acceso.log"]\n')
    return Noche(campo, espacio)


@pytest.fixture(scope="module")
def entregada(molde: Noche) -> Noche:
    """Both counted and delivered; nothing taken yet."""
    claves.give_out(molde.espacio)
    for name in molde.campo.nodos:
        molde.instala(name)
    molde.ordena("entrega", str(molde.difusor("diario-uno/principal").folder), "--con-bitacoras")
    # One as a real process: what people type.
    done = subprocess.run(
        [sys.executable, "-m", "pregon", "memoria", "entrega", str(molde.difusor("radio-dos/principal").folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "repita con --con-bitacoras" in done.stdout
    return molde


@pytest.fixture
def limpio(entregada: Noche) -> Noche:
    """The same, with nothing taken at the institute."""
    shutil.rmtree(claves.folder(entregada.espacio) / "entregas", ignore_errors=True)
    return entregada


def _delivery(night: Noche, name: str) -> bytes:
    return conteo.out(night.difusor(name), "conteo", "json").read_bytes()


def _huellas(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("estado.sqlite")
    }


def test_the_institute_adds_up_and_says_who_is_missing(limpio: Noche) -> None:
    esperados = [one.nombre for one in limpio.espacio.settings.destino]
    told: dict[str, Any] = {}
    for taken, name in enumerate(esperados, start=1):
        assert recibo.admit(limpio.espacio, _delivery(limpio, name)).nueva
        assert not recibo.admit(limpio.espacio, _delivery(limpio, name)).nueva
        found = recibo.delivered(limpio.espacio)
        told = union.add_up(found, esperados, convocatoria="c", ambiente="oficial", now=SystemClock().now())
        assert told["faltan"] == esperados[taken:]
    (one,) = told["medidas"]
    assert (one["sitio"], one["ventana"], one["difusores"]) == ("prep", "eleccion", 2)
    assert one["hits"] == one["visitas"] == 2 * PERSONAS
    rows = {(row["clase"], row["cual"]): row for row in one["visitantes"]}
    exact = PERSONAS + PERSONAS // 2
    assert set(rows) == {("ventana", ""), ("dia", "2027-06-06"), ("dia", "2027-06-07"), ("contienda", "gub")}
    assert abs(rows["ventana", ""]["estimado"] - exact) <= 0.02 * exact
    assert abs(rows["contienda", "gub"]["estimado"] - exact) <= 0.02 * exact
    assert abs(rows["ventana", ""]["sumados"] - 2 * PERSONAS) <= 0.02 * 2 * PERSONAS
    assert [event["nodo"] for event in limpio.campo.events("memoria")] == ["principal", "principal"]


def test_the_commands_of_the_institute(limpio: Noche, tmp_path: Path) -> None:
    from pregon.cli.instituto.memorias import app

    folder, run = str(limpio.espacio.folder), CliRunner()
    files = [conteo.out(limpio.difusor(name), "conteo", "json") for name in limpio.campo.nodos]
    bad = tmp_path / "malo.json"
    bad.write_bytes(b"{}")
    given = run.invoke(app, [folder, "clave", "--json"])
    assert given.exit_code == 0, given.output
    assert [row["nodo"] for row in json.loads(given.stdout)["papeles"]] == list(limpio.campo.nodos)
    for name in limpio.campo.nodos:  # A second paper of the same key changes nothing.
        assert limpio.instala(name) == json.loads(given.stdout)["noche"]
    taken = run.invoke(app, [folder, "recibe", str(bad), str(files[0]), "--json"])
    assert taken.exit_code == FormatoError.salida
    assert [row.get("nodo") for row in json.loads(taken.stdout)["entregas"]] == [None, "diario-uno/principal"]
    told = run.invoke(app, [folder])
    assert told.exit_code == 0
    assert "Faltan 1: radio-dos/principal." in told.stdout
    assert "visitantes   " in told.stdout
    assert run.invoke(app, [folder, "recibe", *map(str, files)]).exit_code == 0
    done = subprocess.run(
        [sys.executable, "-m", "pregon", "instituto", "memorias", folder, "--json"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["faltan"] == []
    target = tmp_path / "x.zip"
    hidden = conteo.out(limpio.difusor("diario-uno/principal"), "bitacoras", "zip.cifrado")
    opened = run.invoke(app, [folder, "abre", "diario-uno/principal", str(hidden), "--en", str(target)])
    assert opened.exit_code == 0, opened.output
    assert zipfile.is_zipfile(target)
    assert (
        run.invoke(app, [folder, "abre", "nadie/x", str(hidden), "--en", str(target)]).exit_code == EntradaError.salida
    )


def test_nothing_that_is_delivered_tells_of_an_address_or_its_hash(limpio: Noche) -> None:
    secret = noche.de_archivo(claves.folder(limpio.espacio) / "noche.clave").secreto
    texts = {f"100.{n >> 8}.{n & 255}.9" for n in range(PERSONAS * 2)}
    inner, outer = (hmac_hex(secret, part) for part in (b"interna", b"externa"))
    for name in limpio.campo.nodos:
        raw = _delivery(limpio, name)
        payload = base64.b64decode(json.loads(raw)["payload"])
        found = entrega.read(raw, keys.load(limpio.difusor(name).llave).public)
        every = b"".join([raw, payload, *(one.bosquejo.registros for one in found.contados)])
        assert re.search(rb"(?<![0-9.])[0-9]{1,3}([.][0-9]{1,3}){3}(?![0-9.])", payload) is None
        numbers = set(re.findall(rb"[0-9]{6,}", payload))
        digests = set(re.findall(rb"[0-9a-f]{12,}", payload))
        for text in texts:
            mark = hashlib.sha256(
                (outer + hashlib.sha256((inner + f"{text}\n{FIREFOX}").encode()).hexdigest()).encode()
            ).hexdigest()[:15]
            assert str(int(mark, 16)).encode() not in numbers
            assert mark.encode() not in every
            assert int(mark, 16).to_bytes(8, "big") not in every
            assert not any(mark.encode()[:12] in one for one in digests)
            assert hashlib.sha256(text.encode()).hexdigest().encode() not in every
        assert noche.ClaveNoche(secret).linea().split()[2] not in every
        assert secret not in every


def hmac_hex(secret: bytes, part: bytes) -> str:
    import hmac

    return hmac.digest(secret, part, "sha256").hex()


def _resigned(night: Noche, name: str, *, other: keys.NamedKey | None = None, **changes: Any) -> bytes:
    """A delivery with some words changed, signed by the node's own key, or by another."""
    from securesystemslib.dsse import Envelope

    from pregon.base.jsonio import canonical_json

    payload = json.loads(base64.b64decode(json.loads(_delivery(night, name))["payload"]))
    envelope = Envelope(canonical_json({**payload, **changes}), entrega.TIPO, {})
    envelope.sign((other or keys.load(night.difusor(name).llave)).signer)
    return canonical_json(envelope.to_dict())


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("forged", FirmaError),
        ("another node's key", FirmaError),
        ("unknown node", FirmaError),
        ("another call", ConvocatoriaError),
        ("another institute", ConvocatoriaError),
        ("another ambiente", AmbienteError),
        ("another night", ConvocatoriaError),
        ("older", RetrocesoError),
        ("negative", FormatoError),
        ("same measure twice", FormatoError),
        ("other spelling", FormatoError),
        ("cut short", FormatoError),
    ],
)
def test_what_is_refused_changes_nothing(fault: str, error: type[PregonError], limpio: Noche) -> None:
    one, two = "diario-uno/principal", "radio-dos/principal"
    recibo.admit(limpio.espacio, _delivery(limpio, one))
    payload = json.loads(base64.b64decode(json.loads(_delivery(limpio, one))["payload"]))
    before = entrega.read(_delivery(limpio, one), keys.load(limpio.difusor(one).llave).public).generado
    data = {
        "forged": lambda: _resigned(limpio, one, other=keys.generate("x")),
        "another node's key": lambda: _resigned(limpio, one, other=keys.load(limpio.difusor(two).llave)),
        "unknown node": lambda: _resigned(limpio, one, difusor="nadie"),
        "another call": lambda: _resigned(limpio, one, convocatoria="gro-2021"),
        "another institute": lambda: _resigned(limpio, one, instituto="ine"),
        "another ambiente": lambda: _resigned(limpio, one, ambiente="simulacro"),
        "another night": lambda: _resigned(limpio, one, noche="0" * 16),
        "older": lambda: _resigned(limpio, one, generado=(before - timedelta(seconds=1)).isoformat()),
        "negative": lambda: _resigned(limpio, one, medidas=[{**payload["medidas"][0], "hits": -1}]),
        "same measure twice": lambda: _resigned(limpio, one, medidas=payload["medidas"] * 2),
        "other spelling": lambda: _delivery(limpio, one) + b"\n",
        "cut short": lambda: _delivery(limpio, one)[:-40],
    }[fault]()
    folder = claves.folder(limpio.espacio)
    kept = _huellas(folder)
    with pytest.raises(error):
        recibo.admit(limpio.espacio, data)
    assert _huellas(folder) == kept
    assert limpio.campo.events("memoria_rechazada")[-1]["codigo"] == error.codigo
    assert list(recibo.delivered(limpio.espacio)) == [one]


def test_a_key_is_for_its_node_alone_and_never_in_sight(limpio: Noche, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = (limpio.difusor(name) for name in limpio.campo.nodos)
    papers = claves.folder(limpio.espacio) / "papeles"
    secret = noche.de_archivo(claves.folder(limpio.espacio) / "noche.clave")
    assert conteo.key_of(one, {}) == conteo.key_of(two, {}) == secret
    for path in (one.folder / "noche" / "clave", claves.folder(limpio.espacio) / "noche.clave"):
        assert path.stat().st_mode & 0o077 == 0
    kept = _huellas(one.folder)
    with pytest.raises(FirmaError):
        conteo.install(one, papers / "radio-dos-principal.json", clock=SystemClock(), disk=Disk())
    said = json.loads((papers / "diario-uno-principal.json").read_bytes())
    said["payload"] = base64.b64encode(base64.b64decode(said["payload"]).replace(b'"oficial"', b'"simulac"')).decode()
    changed = one.folder / "cambiado.json"
    changed.write_text(json.dumps(said, ensure_ascii=False, sort_keys=True, indent=2) + "\n")
    with pytest.raises(FirmaError):
        conteo.install(one, changed, clock=SystemClock(), disk=Disk())
    changed.unlink()
    assert _huellas(one.folder) == kept
    # The paper of one opened with the key of the other: its seal is for nobody else.
    with pytest.raises(DanadoError):
        noche.take(
            (papers / "diario-uno-principal.json").read_bytes(),
            conteo.emisor_of(one),
            "iedemo",
            keys.load(two.llave).signer.private_bytes,
            conteo._signers(one),
        )
    text = secret.linea().split()[2]
    assert text.decode() not in repr(secret) + capsys.readouterr().out
    for folder in (limpio.espacio.folder, one.folder, two.folder):
        for path in folder.rglob("*"):
            if path.is_file() and path.name not in ("clave", "noche.clave"):
                data = path.read_bytes()
                assert text not in data, path
                assert secret.secreto not in data, path


def test_logs_go_encrypted_only_the_days_that_the_call_names(limpio: Noche, tmp_path: Path) -> None:
    name = "diario-uno/principal"
    opened = limpio.difusor(name)
    hidden = conteo.out(opened, "bitacoras", "zip.cifrado")
    data = hidden.read_bytes()
    assert data.startswith(MAGIA)
    assert b"100.0." not in data
    assert hidden.stat().st_mode & 0o077 == 0
    taken = recibo.admit(limpio.espacio, _delivery(limpio, name)).entrega
    assert taken.crudas is not None
    assert taken.crudas.sha256 == hashlib.sha256(data).hexdigest()
    target = tmp_path / "claro.zip"
    crudas.open_logs(limpio.espacio, taken, hidden, target)
    with zipfile.ZipFile(target) as archive:
        (member,) = archive.namelist()
        lines = archive.read(member).decode().splitlines(keepends=True)
    raw = (opened.folder / "acceso.log").read_text().splitlines(keepends=True)
    assert lines == [line for line in raw if "/Jun/2027" in line and line.split("[")[1][:2] in ("06", "07")]
    assert len(lines) == PERSONAS
    assert limpio.eventos(name).count("bitacoras_cifradas") == 1
    assert limpio.campo.events("bitacoras_abiertas")[-1]["difusor"] == "diario-uno"
    with pytest.raises(EscrituraError):
        crudas.open_logs(limpio.espacio, taken, hidden, target)
    other = tmp_path / "otro.cifrado"
    other.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(HashError):
        crudas.open_logs(limpio.espacio, taken, other, tmp_path / "nada.zip")
    assert not (tmp_path / "nada.zip").exists()


@pytest.mark.parametrize("call", ["mor-2024", "mex-2021", "ine-2021"])
def test_where_the_call_does_not_ask_for_logs_none_leave(call: str, limpio: Noche) -> None:
    from pregon.convocatoria.perfiles import load

    opened = dataclasses.replace(limpio.difusor("radio-dos/principal"), convocatoria=load(call))
    kept = _huellas(opened.folder)
    with pytest.raises(UsoError, match="no pide las bitácoras"):
        conteo.asked_days(opened)
    assert _huellas(opened.folder) == kept
    for other in ("gro-2021", "dgo-2024"):
        first, last = conteo.asked_days(dataclasses.replace(opened, convocatoria=load(other)))
        assert first < last


def test_the_command_refuses_logs_before_it_reads_any(limpio: Noche) -> None:
    opened = limpio.difusor("radio-dos/principal")
    profile = limpio.campo.escena.folder / "perfil.toml"
    text = profile.read_text()
    kept = _huellas(opened.folder)
    try:
        profile.write_text(text.replace(PIDE, ""))
        told = limpio.ordena("entrega", str(opened.folder), "--con-bitacoras", ok=False)
    finally:
        profile.write_text(text)
    assert told["codigo"] == "USO"
    assert "no pide" in told["que_paso"]
    assert _huellas(opened.folder) == kept


@pytest.mark.parametrize("size", [0, 1, TROZO - 1, TROZO, TROZO + 1, 3 * TROZO])
def test_a_sealed_stream_opens_whole_or_not_at_all(size: int) -> None:
    key, other = keys.generate("a"), keys.generate("b")
    plain = random.Random(size).randbytes(size)
    file = io.BytesIO()
    writer = Cifrador(file, str(key.public.keyval["public"]), "para uno")
    for begin in range(0, size, 300_000):
        writer.write(plain[begin : begin + 300_000])
    unfinished = file.getvalue()
    writer.close()
    data = file.getvalue()
    private = key.signer.private_bytes
    assert b"".join(descifra(io.BytesIO(data), private, "para uno")) == plain
    head = len(MAGIA) + 2 + int.from_bytes(data[len(MAGIA) : len(MAGIA) + 2], "big")
    piece = TROZO + 16
    wrong = [data[:-1], data + b"x", unfinished, data[:-1] + bytes([data[-1] ^ 1])]
    if size > 2 * TROZO:
        first, second = data[head : head + piece], data[head + piece : head + 2 * piece]
        wrong += [
            data[:head] + second + first + data[head + 2 * piece :],
            data[: head + piece],
            data[: head + 2 * piece],
        ]
    for bad in wrong:
        with pytest.raises(DanadoError):
            b"".join(descifra(io.BytesIO(bad), private, "para uno"))
    with pytest.raises(DanadoError):
        b"".join(descifra(io.BytesIO(data), private, "para otro"))
    with pytest.raises(DanadoError):
        b"".join(descifra(io.BytesIO(data), other.signer.private_bytes, "para uno"))
    with pytest.raises(FormatoError):
        b"".join(descifra(io.BytesIO(b"PK" + data), private, "para uno"))


def test_a_made_up_sketch_breaks_nothing(limpio: Noche) -> None:
    """Registers that no crowd makes: the sum comes out, and its size shows it."""
    made = Bosquejo(bytes([45]) * (1 << 16))
    found = entrega.read(
        _delivery(limpio, "radio-dos/principal"), keys.load(limpio.difusor("radio-dos/principal").llave).public
    )
    false = dataclasses.replace(
        found, contados=tuple(dataclasses.replace(one, bosquejo=made) for one in found.contados)
    )
    told = union.add_up({"x/y": false}, [], convocatoria="c", ambiente="oficial", now=SystemClock().now())
    assert told["medidas"][0]["visitantes"][0]["estimado"] > 1 << 50


def test_without_a_delivery_the_key_is_not_destroyed_by_mistake(limpio: Noche) -> None:
    opened = limpio.difusor("radio-dos/principal")
    delivery = conteo.out(opened, "conteo", "json")
    kept = delivery.rename(delivery.with_suffix(".aparte"))
    assert limpio.ordena("destruye", str(opened.folder), ok=False)["codigo"] == "USO"
    assert (opened.folder / "noche" / "clave").exists()
    kept.rename(delivery)


def test_the_key_is_destroyed_on_both_sides_and_the_sum_still_comes_out(limpio: Noche, tmp_path: Path) -> None:
    """The last one of the module: nothing gives the key back."""
    name = "diario-uno/principal"
    opened = limpio.difusor(name)
    path = opened.folder / "noche" / "clave"
    inode = os.open(path, os.O_RDONLY)  # What was the file, after its name is gone.
    told = limpio.ordena("destruye", str(opened.folder))
    assert told["destruida"] is True
    assert not path.exists()
    assert os.pread(inode, 4096, 0) == bytes(told["bytes"])
    os.close(inode)
    assert limpio.eventos(name)[-1] == "clave_noche_destruida"
    with pytest.raises(EntradaError):
        conteo.key_of(opened, {})
    with pytest.raises(UsoError):
        limpio.instala(name)  # The paper is still there: the key does not come back.
    assert not path.exists()
    assert limpio.ordena("entrega", str(opened.folder), ok=False)["codigo"] == "ENTRADA"
    gone = claves.destroy(limpio.espacio)
    assert claves.known(limpio.espacio) == gone
    assert not (claves.folder(limpio.espacio) / "noche.clave").exists()
    assert limpio.campo.events("clave_noche_destruida")[-1]["noche"] == gone.nombre == told["noche"]
    with pytest.raises(UsoError):
        claves.give_out(limpio.espacio)
    for each in limpio.campo.nodos:
        recibo.admit(limpio.espacio, _delivery(limpio, each))
    assert len(recibo.delivered(limpio.espacio)) == 2
    respalda(limpio.difusor("radio-dos/principal"), tmp_path / "r.tar.gz", disk=Disk(), now=SystemClock().now())
    import tarfile

    with tarfile.open(tmp_path / "r.tar.gz") as tar:
        names = tar.getnames()
    assert "difusor.toml" in names
    assert not any(one.startswith("noche") for one in names)
    conteo.out(limpio.difusor("radio-dos/principal"), "conteo", "json").unlink()
    assert limpio.ordena("destruye", str(limpio.difusor("radio-dos/principal").folder), "--sin-entregar")["destruida"]
