"""What tells an acuse that is shown again, or that is somebody else's, from the one it is shown for.

Who reads them is the institute: ``tests/instituto/test_entrega_acuses.py``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.errors import FirmaError
from pregon.base.jsonio import canonical_json
from pregon.difusor.acuse import Acuses
from pregon.trust.acuse import read_acuse
from tests.trust.conftest import OFICIAL, other

if TYPE_CHECKING:
    from pathlib import Path

    from tests.difusor.conftest import Escena, EscenaFactory


def issued(escena: Escena, *cortes: int) -> Acuses:
    for corte in cortes:
        escena.cut(corte)
        escena.receiver().run_once()
    return Acuses(escena.workspace, escena.disk)


def payloads(acuses: Acuses, files: tuple[Path, ...]) -> list[dict[str, Any]]:
    return [read_acuse(path.read_bytes(), acuses.public_key).payload for path in files]


def chained(acuses: Acuses, files: tuple[Path, ...]) -> bool:
    """Whether each names the one before it by its bytes, from the first on."""
    before = None
    for path, payload in zip(files, payloads(acuses, files), strict=True):
        if payload["anterior"] != before:
            return False
        before = hashlib.sha256(path.read_bytes()).hexdigest()
    return True


def test_every_acuse_says_whose_of_what_and_of_which_cut_it_is(escena: Escena) -> None:
    acuses = issued(escena, 1, 2)
    for payload in payloads(acuses, acuses.files()):
        assert (payload["convocatoria"], payload["ambiente"]) == ("demo-2027", "oficial")
        assert (payload["difusor"], payload["nodo"]) == ("diario-uno", "principal")
        assert payload["manifiesto_sha256"] == escena.manifest_hashes(payload["corte"])["manifiesto.json"]
    claims = [json.dumps([p["corte"], p["evento"]]) for p in payloads(acuses, acuses.files())]
    assert len(set(claims)) == len(claims) == 6


def test_acuse_of_another_difusor_is_of_another_key(escena: Escena, escena_factory: EscenaFactory) -> None:
    foreign = issued(escena_factory("ajena"), 1)
    mine = issued(escena, 1)
    [data, *_] = [path.read_bytes() for path in foreign.files()]
    with pytest.raises(FirmaError):
        read_acuse(data, mine.public_key)
    assert read_acuse(data, foreign.public_key).corte == 1


def test_acuse_of_a_simulacro_says_so_under_the_same_key(escena: Escena, escena_factory: EscenaFactory) -> None:
    """A difusor that used one key for both: what is signed tells them apart."""
    simulacro = escena_factory("simulacro", identity=other(OFICIAL, ambiente="simulacro"))
    shutil.copy2(escena.workspace.llave, simulacro.workspace.llave)
    acuses = issued(simulacro, 1)
    key = Acuses(escena.workspace, escena.disk).public_key
    assert {read_acuse(path.read_bytes(), key).emisor.ambiente for path in acuses.files()} == {"simulacro"}


def test_acuse_cannot_be_made_to_speak_of_another_cut(escena: Escena) -> None:
    acuses = issued(escena, 1, 2)
    [first] = [path for path in acuses.files() if path.name.endswith("-0001-publicado.json")]
    assert read_acuse(first.read_bytes(), acuses.public_key).corte == 1
    for change in ({"corte": 2}, {"ambiente": "simulacro"}, {"difusor": "otro"}, {"evento": "visible"}):
        envelope = json.loads(first.read_bytes())
        payload = json.loads(base64.b64decode(envelope["payload"])) | change
        envelope["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
        with pytest.raises(FirmaError):
            read_acuse(canonical_json(envelope), acuses.public_key)


def test_acuse_shown_again_left_out_or_moved_breaks_the_chain(escena: Escena) -> None:
    acuses = issued(escena, 1, 2)
    files = acuses.files()
    assert chained(acuses, files)
    assert not chained(acuses, (*files, files[2])), "shown again"
    assert not chained(acuses, (*files[:2], *files[3:])), "left out"
    assert not chained(acuses, (*files[:2], files[3], files[2], *files[4:])), "moved"
    assert not chained(acuses, files[1:]), "the beginning left out"


def test_restarted_difusor_goes_on_with_its_chain_and_repeats_nothing(escena: Escena) -> None:
    before = issued(escena, 1).files()
    escena.receiver().run_once()
    assert issued(escena).files() == before
    after = issued(escena, 2)
    assert after.files()[: len(before)] == before
    assert chained(after, after.files())
