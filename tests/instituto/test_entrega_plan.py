"""What is sent to whom: never more than the whole archive, and always all that is needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.base.errors import EntradaError
from pregon.instituto.entrega.plan import Plan, plan
from pregon.trust.oferta import TIMESTAMP, Oferta
from pregon.trust.verified import CutRef, TargetRef
from tests.trust.conftest import INICIO

METADATA = ("metadata/1.root.json", "metadata/7.snapshot.json")


def ref(ruta: str, size: int) -> TargetRef:
    return TargetRef(ruta, size, "0" * 64)


def cut(number: int, *, manifest: int = 10, whole: int | None = 1000, changes: int | None = 100) -> CutRef:
    folder = f"cortes/{number:04d}"
    archives = [ref(f"{folder}/a.zip", whole)] if whole is not None else []
    archives += [ref(f"{folder}/a.cambios.zip", changes)] if changes is not None else []
    return CutRef(
        number, INICIO + timedelta(minutes=number), ref(f"{folder}/manifiesto.json", manifest), tuple(archives)
    )


def offer(*cuts: CutRef) -> Oferta:
    return Oferta(9, METADATA, cuts, (ref("avisos/000001.json", 5),))


cuts = st.lists(
    st.tuples(
        st.integers(1, 500),
        st.integers(1, 100_000),
        st.none() | st.integers(1, 100_000),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=8,
)


@st.composite
def offers(draw: st.DrawFn) -> Oferta:
    """Signed cuts of any weights; some numbers are left out, some cuts have no archive of changes."""
    number, found = -1, []
    for manifest, whole, changes, step in draw(cuts):
        number += step
        found.append(cut(number, manifest=manifest, whole=whole, changes=changes))
    return offer(*found)


def paths(made: Plan) -> list[str]:
    return [ruta for step in made.pasos for ruta in step]


@given(oferta=offers(), has=st.none() | st.integers(0, 30), keeps=st.sampled_from(("recibido", "completo")))
def test_plan_is_enough_and_never_weighs_more_than_the_whole(oferta: Oferta, has: int | None, keeps: str) -> None:
    made = plan(oferta, tiene=has, historial="completo" if keeps == "completo" else "recibido")
    newest = oferta.cortes[-1]
    folder = f"targets/cortes/{newest.corte:04d}"
    before = set(made.pasos[0])
    sizes = {f"targets/{one.ruta}": one.bytes for c in oferta.cortes for one in (c.manifiesto, *c.archives)}
    whole = sizes[f"{folder}/a.zip"] + newest.manifiesto.bytes
    assert made.corte == newest.corte
    assert made.bytes == sum(sizes.get(ruta, 5) for ruta in before)
    assert made.bytes <= whole + 5
    assert f"{folder}/manifiesto.json" in before
    # The order of design §2, whatever is sent: targets, metadata, the timestamp alone, and what may wait.
    assert made.pasos[1:3] == (METADATA, (TIMESTAMP,))
    assert len(paths(made)) == len(set(paths(made)))
    known = {c.corte for c in oferta.cortes}
    if has == newest.corte:
        assert made.forma == "nada"
        assert before == {f"{folder}/manifiesto.json", "targets/avisos/000001.json"}
    elif f"{folder}/a.zip" in before:
        assert (made.forma, made.base) == ("completo", None)
        later = [c for c in oferta.cortes if has is not None and c.corte > has]
        chain = [ref_ for c in later for ref_ in (c.manifiesto, *c.archives[1:])]
        possible = has in known and all(len(c.archives) == 2 for c in later)
        assert not possible or sum(one.bytes for one in chain) >= whole
    else:
        assert made.forma == "cambios"
        assert made.base == has
        assert has in known, "a chain stands on a cut that the node verified"
        for c in oferta.cortes:
            needed = {f"targets/cortes/{c.corte:04d}/{name}" for name in ("manifiesto.json", "a.cambios.zip")}
            assert needed <= before if c.corte > has else not needed & before
    if keeps == "completo":
        assert f"{folder}/a.zip" in paths(made)
        assert (made.despues > 0) == (f"{folder}/a.zip" not in before)
    else:
        assert len(made.pasos) == 3


@given(oferta=offers(), has=st.none() | st.integers(0, 30))
def test_store_gets_every_file_and_whoever_asks_gets_the_whole(oferta: Oferta, has: int | None) -> None:
    everything = {f"targets/{one.ruta}" for c in oferta.cortes for one in (c.manifiesto, *c.archives)}
    made = plan(oferta, tiene=has, todo=True)
    assert everything < set(made.pasos[0])
    assert made.forma == "todo"
    assert plan(oferta, tiene=has, completo=True).forma == "completo"


def test_chain_of_one_or_more_cuts_and_what_breaks_it() -> None:
    night = [cut(n) for n in range(1, 5)]
    assert plan(offer(*night), tiene=3).bytes == 110 + 5
    assert plan(offer(*night), tiene=1).bytes == 330 + 5
    assert plan(offer(*night), tiene=1).base == 1
    broken = [*night[:2], replace(night[2], archives=night[2].archives[:1]), night[3]]
    assert plan(offer(*broken), tiene=1).forma == "completo"
    assert plan(offer(*broken), tiene=3).forma == "cambios"
    # Nobody knows what it has; it says that it has a cut that is not ours: the whole.
    assert {plan(offer(*night), tiene=has).forma for has in (None, 0, 9)} == {"completo"}


def test_before_the_first_cut_the_metadata_go_all_the_same() -> None:
    made = plan(offer(), tiene=None)
    assert made.pasos == (("targets/avisos/000001.json",), METADATA, (TIMESTAMP,))
    assert (made.corte, made.forma) == (None, "nada")


def test_cut_without_a_whole_archive_goes_only_to_who_can_rebuild_it() -> None:
    night = [cut(1), cut(2, whole=None)]
    assert plan(offer(*night), tiene=1).forma == "cambios"
    with pytest.raises(EntradaError):
        plan(offer(*night), tiene=None)
