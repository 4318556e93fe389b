"""From a signed cut to served bytes."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import brotli
import httpx2

from pregon.difusor import pointer
from pregon.difusor.acuse import Acuses
from pregon.trust.acuse import read_acuse
from tests.difusor.conftest import Escena, without_twins
from tests.trust.conftest import INICIO

if TYPE_CHECKING:
    from tests.difusor.conftest import EscenaFactory


def test_three_cuts_are_served_byte_by_byte(escena: Escena) -> None:
    escena.sign(1, hora_corte=INICIO + timedelta(minutes=1))
    receiver = escena.receiver()
    receiver.run_once()
    with escena.served() as (url, _), httpx2.Client(base_url=url, trust_env=False) as client:
        assert client.get("").status_code == 200
        assert "todavía no se publican" in client.get("").text
        assert client.get("index.html").status_code == 404
        escena.clock.instant = INICIO + timedelta(minutes=2)
        escena.repository.resign_timestamp(now=escena.clock.instant, expires=INICIO + timedelta(days=1))
        outcome = receiver.run_once()
        assert (outcome.error, outcome.cambio, outcome.decision.corte) == (None, True, 1)
        for corte in (2, 3):
            escena.cut(corte)
            assert receiver.run_once().novedad == corte
        expected = escena.manifest_hashes(3)
        for ruta, sha256 in expected.items():
            for encoding, decode in (("identity", bytes), ("gzip", gzip.decompress), ("br", brotli.decompress)):
                with client.stream("GET", ruta.removesuffix("index.html"), headers={"accept-encoding": encoding}) as r:
                    body = b"".join(r.iter_raw())
                assert r.status_code == 200, ruta
                assert int(r.headers["content-length"]) == len(body)
                content = decode(body) if r.headers.get("content-encoding") else body
                assert hashlib.sha256(content).hexdigest() == sha256, (ruta, encoding)
        assert client.get("datos/0001/gub/entidad.json").status_code == 200
        assert client.get("", headers={"accept-encoding": "br"}).headers["content-encoding"] == "br"


def test_archive_of_changes_suffices_for_the_second_cut(escena: Escena) -> None:
    receiver = escena.receiver()
    escena.cut(1)
    receiver.run_once()
    escena.cut(2)
    receiver.run_once()
    kept = sorted(path.name for path in (escena.workspace.historico / "0002").iterdir())
    assert [name for name in kept if name.endswith(".zip")] == ["20270607_0240_PREP_GUB_DEMO.cambios.zip"]
    assert without_twins(escena.public()).items() >= escena.manifest_hashes(2).items()


def test_difusor_that_missed_a_cut_takes_the_whole_archive(escena: Escena) -> None:
    receiver = escena.receiver()
    escena.cut(1)
    receiver.run_once()
    escena.cut(2)
    escena.cut(3)
    assert receiver.run_once().novedad == 3
    kept = sorted(path.name for path in (escena.workspace.historico / "0003").iterdir())
    assert [name for name in kept if name.endswith(".zip")] == ["20270607_0300_PREP_GUB_DEMO.zip"]
    assert without_twins(escena.public()).items() >= escena.manifest_hashes(3).items()


def test_whole_archive_is_kept_where_the_profile_says_so(escena_factory: EscenaFactory) -> None:
    escena = escena_factory(extra='historial = {conservar = "completo"}')
    receiver = escena.receiver()
    for corte in (1, 2):
        escena.cut(corte)
        receiver.run_once()
    names = {path.name for path in (escena.workspace.historico / "0002").glob("*.zip")}
    assert names == {"20270607_0240_PREP_GUB_DEMO.cambios.zip", "20270607_0240_PREP_GUB_DEMO.zip"}


def test_old_releases_and_objects_go_and_originals_stay(escena: Escena) -> None:
    receiver = escena.receiver()
    for corte in range(1, 7):
        escena.cut(corte)
        receiver.run_once()
    releases = sorted(path.name for path in escena.workspace.cortes.iterdir())
    assert releases == ["0003", "0004", "0005", "0006", "aviso", "espera"]
    assert sorted(path.name for path in escena.workspace.historico.iterdir()) == [f"{n:04d}" for n in range(1, 7)]
    public = escena.public()
    assert {f"datos/{n:04d}/gub/entidad.json" for n in (3, 4, 5, 6)} <= public.keys()
    assert "datos/0002/gub/entidad.json" not in public
    stored = {path.name for path in escena.workspace.objetos.rglob("*") if path.is_file()}
    assert escena.manifest_hashes(1)["index.html"] not in stored
    assert escena.manifest_hashes(3)["index.html"] in stored


def test_acuses_are_a_signed_chain(escena: Escena) -> None:
    receiver = escena.receiver()
    with escena.served():
        for corte in (1, 2):
            escena.cut(corte)
            receiver.run_once()
    acuses = Acuses(escena.workspace, escena.disk)
    events = []
    before = None
    for path in acuses.files():
        payload = read_acuse(path.read_bytes(), acuses.public_key).payload
        assert payload["anterior"] == before
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        events.append((payload["corte"], payload["evento"]))
        assert payload["manifiesto_sha256"] == escena.manifest_hashes(payload["corte"])["manifiesto.json"]
    each = ("recibido", "verificado", "publicado", "visible")
    assert events == [(corte, event) for corte in (1, 2) for event in each]


def test_nothing_new_is_not_an_error_and_writes_no_acuse(escena: Escena) -> None:
    receiver = escena.receiver()
    escena.cut(1)
    receiver.run_once()
    before = sorted(escena.workspace.acuses.iterdir())
    outcome = receiver.run_once()
    assert (outcome.error, outcome.novedad, outcome.cambio) == (None, None, False)
    assert sorted(escena.workspace.acuses.iterdir()) == before
    assert pointer.read(escena.workspace) == "0001"
    assert json.loads(json.dumps(escena.libro.intento))["resultado"] == "sin_novedad"
