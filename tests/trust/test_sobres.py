"""Envelopes (DSSE) that a stranger sends, and acuses that a node signed and no node writes: refused, in our words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from pregon.base.errors import FormatoError
from pregon.base.jsonio import canonical_json
from pregon.trust.acuse import FORMATO, read_acuse
from pregon.trust.sobre import read_paper

SIGNER = CryptoSigner.generate_ecdsa()
ACUSE: dict[str, Any] = {
    "convocatoria": "demo-2027",
    "ambiente": "oficial",
    "difusor": "diario-uno",
    "nodo": "principal",
    "corte": 2,
    "manifiesto_sha256": "a" * 64,
    "evento": "publicado",
    "codigo": None,
    "hora": "2027-06-07T02:41:00.250000+00:00",
    "segundos": 1.5,
    "anterior": None,
}


def enveloped(payload: bytes) -> dict[str, Any]:
    envelope = Envelope(payload, FORMATO, {})
    envelope.sign(SIGNER)
    found: dict[str, Any] = envelope.to_dict()
    return found


@pytest.mark.parametrize("tipo", [None, True, 1, 1.5, [], ["x"], {}, "pregon/otro/1", "\x1b[2J"], ids=repr)
def test_envelope_of_another_type_or_of_none_is_no_acuse_and_no_paper(tipo: object) -> None:
    """The port where acuses arrive is open to anybody, and the type is read before any signature."""
    data = canonical_json({**enveloped(canonical_json(ACUSE)), "payloadType": tipo})
    with pytest.raises(FormatoError) as acuse:
        read_acuse(data, SIGNER.public_key)
    with pytest.raises(FormatoError) as paper:
        read_paper(data, "pregon/expediente/1", [SIGNER.public_key])
    assert acuse.value.que_paso.isprintable()
    assert paper.value.que_paso.isprintable()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("segundos", 10**400),
        ("segundos", float("nan")),
        ("segundos", float("inf")),
        ("hora", "0001-01-01T00:00:00+14:00"),
        ("hora", "2027-W23-1T02:40:00+00:00"),
        ("codigo", "HASH\x1b[2J"),
        ("codigo", "\ud800"),
        ("difusor", "diario\nuno"),
        ("nodo", "\u202eprincipal"),
    ],
    ids=["too-large", "nan", "infinite", "no-date-in-utc", "by-weeks", "escape", "half", "line", "bidi"],
)
def test_acuse_that_no_node_writes_is_refused_although_its_key_signed_it(key: str, value: object) -> None:
    good = canonical_json(enveloped(canonical_json(ACUSE)))
    assert read_acuse(good, SIGNER.public_key).segundos == 1.5
    bad = canonical_json(enveloped(json.dumps({**ACUSE, key: value}).encode()))
    with pytest.raises(FormatoError):
        read_acuse(bad, SIGNER.public_key)
