"""What a difusor delivers of its counts, signed and all, is not believed for it: what is no delivery is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.dsse import Envelope

from pregon.base.errors import FirmaError, FormatoError
from pregon.base.jsonio import canonical_json
from pregon.bitacoras import entrega
from pregon.bitacoras.bosquejos import of_values
from pregon.bitacoras.contado import Contado
from pregon.trust.acuse import Emisor
from pregon.trust.keys import generate

if TYPE_CHECKING:
    from collections.abc import Callable

EMISOR = Emisor("gro-2021", "simulacro", "diario-uno", "principal")
LLAVE = generate("acuses")
MEDIDA: dict[str, Any] = {
    "sitio": "prep", "ventana": "eleccion", "hits": 5, "bytes": 700, "hits_robots": 1, "paginas": None,
    "visitas": None, "visitantes": None, "por_minuto": [], "por_dia": [], "por_corte": [], "por_contienda": [],
    "estados": [{"hits": 5, "bytes": 700}], "tipos": [],
}  # fmt: skip
CRUDAS = entrega.Crudas("diario-uno-principal.crudas", 9, "0" * 64)


def entregada() -> bytes:
    return entrega.sign(
        EMISOR,
        instituto="iepc-gro",
        noche="0123456789abcdef",
        generado=datetime(2021, 6, 8, tzinfo=UTC),
        zona="America/Mexico_City",
        k=10,
        medidas=[MEDIDA],
        contados=[Contado("prep", "eleccion", "ventana", "", of_values([(3, 1)]))],
        crudas=CRUDAS,
        key=LLAVE,
    )


def firmada(cambia: Callable[[dict[str, Any]], object]) -> bytes:
    """The same with something else in it, signed by who may."""
    payload = json.loads(Envelope.from_dict(json.loads(entregada())).payload)
    cambia(payload)
    envelope = Envelope(canonical_json(payload), entrega.TIPO, {})
    envelope.sign(LLAVE.signer)
    return canonical_json(envelope.to_dict())


def test_what_was_signed_is_read_back() -> None:
    found = entrega.read(entregada(), LLAVE.public)
    assert (found.emisor, found.noche, found.k, found.crudas) == (EMISOR, "0123456789abcdef", 10, CRUDAS)
    assert found.medidas == (MEDIDA,)
    assert [one.clave for one in found.contados] == [("prep", "eleccion", "ventana", "")]
    with pytest.raises(FirmaError):
        entrega.read(entregada(), generate("otra").public)


@pytest.mark.parametrize(
    "cambia",
    [
        lambda one: one.update(formato="pregon/conteo/2"),
        lambda one: one.update(noche="../../../etc"),
        lambda one: one.update(generado="2021-06-08T00:00:00"),
        lambda one: one.update(difusor="<b>uno</b>"),
        lambda one: one.update(k=-1),
        lambda one: one.update(medidas={"hits": 1}),
        lambda one: one["medidas"].append(one["medidas"][0]),
        lambda one: one["medidas"][0].update(hits=1.5),
        lambda one: one["medidas"][0].update(bytes=True),
        lambda one: one["medidas"][0].update(estados=[{"hits": 1 << 62, "bytes": 0}]),
        lambda one: one["medidas"][0].pop("por_minuto"),
        lambda one: one["bosquejos"][0].update(clase="siglo"),
        lambda one: one["bosquejos"][0].update(clase=["ventana"]),
        lambda one: one["bosquejos"][0].update(cual="../"),
        lambda one: one["bosquejos"][0].update(bosquejo={}),
        lambda one: one["bosquejos"].append(one["bosquejos"][0]),
        lambda one: one.update(crudas={"archivo": "a", "bytes": 1, "sha256": "no"}),
        lambda one: one.update(crudas={"archivo": "../../llaves/sello", "bytes": 1, "sha256": "0" * 64}),
        lambda one: one.update(crudas={"archivo": "a\x1b[2J", "bytes": 1, "sha256": "0" * 64}),
    ],
)
def test_what_is_none_is_refused_though_who_may_signed_it(cambia: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(FormatoError):
        entrega.read(firmada(cambia), LLAVE.public)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"payload": 5}', entregada() + b"\n"])
def test_what_is_no_envelope_is_refused_before_anything_is_believed(data: bytes) -> None:
    for look in (entrega.claimed, lambda one: entrega.read(one, LLAVE.public)):
        with pytest.raises(FormatoError):
            look(data)
