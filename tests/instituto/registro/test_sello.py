"""Confidential data at rest: what opens a seal, what does not, and a change of key stopped at every step (INE-V-b)."""

from __future__ import annotations

import base64
import json
import traceback
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, DanadoError, EntradaError, UsoError, VersionError
from pregon.base.state import StateDatabase
from pregon.instituto.registro import rotacion, sello
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.sello import Clave, Llavero
from pregon.instituto.registro.soporte import Soporte
from tests.instituto.registro.fichas import ANA, ficha, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.instituto.registro.fichas import Casa

WHERE = "gro-2021|difusor|1|diario-uno"
AI = b"%PDF-1.4 " + b"trazo " * 400


def ring(*numbers: int) -> Llavero:
    return Llavero(tuple(Clave(bytes([number]) * sello.KEY_BYTES) for number in numbers))


def test_what_is_sealed_opens_and_says_nothing() -> None:
    value = {"telefono": "747 555 0142", "ñ": [1, None]}
    first, second = ring(1).sella(value, WHERE), ring(1).sella(value, WHERE)
    assert ring(1).abre(first, WHERE) == value == ring(2, 1).abre(second, WHERE)
    assert first["nonce"] != second["nonce"]
    assert first["cifrado"] != second["cifrado"]
    assert "747" not in json.dumps(first)
    sizes = {len(base64.b64decode(ring(1).sella("x" * n, WHERE)["cifrado"])) for n in range(200)}
    assert sizes == {sello.PADDING + 16}  # the tag of GCM: a longer secret of this size does not show


def test_a_seal_with_any_byte_changed_or_moved_elsewhere_does_not_open() -> None:
    sealed = ring(1).sella({"a": "747 555 0142"}, WHERE)
    for key in ("nonce", "cifrado"):
        data = base64.b64decode(sealed[key])
        for place in range(0, len(data), 7):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            with pytest.raises(DanadoError):
                ring(1).abre({**sealed, key: base64.b64encode(changed).decode()}, WHERE)
    for broken in ({**sealed, "cifrado": "*"}, {**sealed, "nonce": ""}, {"clave": sealed["clave"]}):
        with pytest.raises(DanadoError):
            ring(1).abre(broken, WHERE)
    for elsewhere in ("gro-2021|difusor|2|diario-uno", "gro-2021|difusor|1|radio-2", "gro-2021|soporte|1|diario-uno"):
        with pytest.raises(DanadoError):
            ring(1).abre(sealed, elsewhere)


def test_another_key_does_not_open_it_and_the_refusal_names_the_one_that_does() -> None:
    sealed = ring(1).sella("x", WHERE)
    with pytest.raises(EntradaError, match=ring(1).claves[0].nombre):
        ring(2, 3).abre(sealed, WHERE)


def test_a_key_file_is_read_only_whole_and_of_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "llaves" / "registro.clave"
    with pytest.raises(EntradaError, match="No está la clave"):
        sello.de_archivo(path)
    sello.escribe(path, ring(1, 2).claves, disk=Disk())
    assert path.stat().st_mode & 0o777 == 0o600
    assert sello.de_archivo(path) == ring(1, 2)
    path.chmod(0o640)
    with pytest.raises(AjustesError, match="Otros usuarios"):
        sello.de_archivo(path)
    good = ring(1).claves[0].linea()
    for text in (
        "",
        "\n",
        good[:-6],
        good.replace("pregon-registro-1", "pregon-registro-9"),
        good.replace(" ", "  x "),
        "hola",
    ):
        with pytest.raises(AjustesError) as caught:
            sello.de_texto(text, "aquí")
        assert base64.urlsafe_b64encode(b"\1" * 16).decode()[:12] not in str(caught.value.as_dict())
    assert sello.de_texto(f"{good.strip()},{ring(2).claves[0].linea()}", "x") == ring(1, 2)
    assert "AQEB" not in repr(ring(1))


def everything(house: Casa) -> tuple[Any, ...]:
    """All that is sealed, opened."""
    support = Soporte(house.espacio, registro=house.registro)
    return (
        house.registro.ficha("diario-uno"),
        house.registro.logo_original("diario-uno"),
        support.todos(con_textos=True),
    )


def furnished(house: Casa) -> Casa:
    """A form, an original logo and a case of support: a seal of each series."""
    from pregon.convocatoria.solicitud import logo

    house.alta()
    house.registro.pone_logo("diario-uno", AI, logo.admite(AI, ("ai",)), ANA)
    Soporte(house.espacio, registro=house.registro).abre(
        "diario-uno", "INTEGRIDAD", asunto="No abre", quien="Lucía Quiñones", operador="Ana"
    )
    return house


def test_the_sealed_original_of_a_logo_comes_out_for_whoever_has_the_key(gro: Casa, tmp_path: Path) -> None:
    """INE-I-f-2 admits ``.ai``: the institute that keeps it must be able to give it to who draws its list."""
    furnished(gro)
    out = tmp_path / "logo.ai"
    done = run("difusor", "ficha", gro.folder, "diario-uno", "--logo-original", out)
    assert done.exit_code == 0, done.output
    assert out.read_bytes() == AI
    assert out.stat().st_mode & 0o777 == 0o600
    gro.alta("radio-2")
    none = run("difusor", "ficha", gro.folder, "radio-2", "--logo-original", tmp_path / "nada")
    assert none.exit_code == 66
    assert not (tmp_path / "nada").exists()


class Corte(BaseException):
    """The power goes off; a ``BaseException`` so that nothing of ours takes it for its own."""


def test_a_change_of_key_stopped_at_any_step_leaves_everything_to_be_read(
    gro: Casa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write of the change, to disk or database, in turn is the last one that happens."""
    furnished(gro)
    path = gro.folder / sello.ARCHIVO
    whole, first = everything(gro), path.read_text()
    assert whole[1] == AI
    put_row = StateDatabase.put_row
    stops = 0
    while True:
        left = stops

        def one_less() -> None:
            nonlocal left
            if left == 0:
                raise Corte
            left -= 1

        class Dying(Disk):
            @contextmanager
            def step(self, name: str, path: Path) -> Iterator[None]:
                if name == "write":
                    one_less()
                yield

        def dying(self: StateDatabase, series: str, n: int, value: Any) -> None:
            one_less()
            put_row(self, series, n, value)

        monkeypatch.setattr(StateDatabase, "put_row", dying)
        try:
            rotacion.rota(Registro(replace(gro.espacio, disk=Dying()), entorno={}))
        except Corte:
            stops += 1
            monkeypatch.setattr(StateDatabase, "put_row", put_row)
            assert everything(gro) == whole
            continue
        break
    monkeypatch.setattr(StateDatabase, "put_row", put_row)
    assert stops == 5  # two of the file and three seals: none was missed
    assert everything(gro) == whole
    [line] = path.read_text().splitlines()
    assert line not in first
    path.write_text(first)
    with pytest.raises(EntradaError, match="no está a la mano"):
        gro.registro.ficha("diario-uno")


def test_a_change_of_key_that_waited_for_another_one_loses_no_key(gro: Casa) -> None:
    furnished(gro)
    whole, first = everything(gro), list[str]()

    class Segunda(Registro):
        def turno(self) -> AbstractContextManager[None]:
            if not first:
                first.append(rotacion.rota(gro.registro)[1].nombre)  # somebody else's, while this one waits its turn
            return super().turno()

    key = rotacion.rota(Segunda(gro.espacio, entorno={}))[1]
    assert everything(gro) == whole
    assert [key.nombre] == [one.nombre for one in gro.registro.llavero().claves] != first


def test_the_key_may_come_in_a_variable_and_change_there(gro: Casa) -> None:
    furnished(gro)
    whole, path = everything(gro), gro.folder / sello.ARCHIVO
    old, new = path.read_text().strip(), ring(9).claves[0].linea().strip()
    path.unlink()
    with pytest.raises(EntradaError, match="No está la clave"):
        gro.registro.ficha("diario-uno")
    assert gro.registro.todos()[0].nombre == "Diario Uno"  # what is not confidential needs no key

    gro.entorno[sello.VARIABLE] = old
    assert everything(gro) == whole
    with pytest.raises(AjustesError, match="variable"):
        rotacion.rota(gro.registro)
    with pytest.raises(UsoError, match="Sólo hay una"):
        rotacion.resella(gro.registro)
    gro.entorno[sello.VARIABLE] = f"{new},{old}"
    assert rotacion.resella(gro.registro)[1] == 3
    gro.entorno[sello.VARIABLE] = new
    assert everything(gro) == whole


def test_the_settings_say_where_the_key_is(gro: Casa, tmp_path: Path) -> None:
    form = gro.alta()
    text = (gro.folder / sello.ARCHIVO).read_text()
    settings = gro.folder / "instituto.toml"
    before = settings.read_text()
    apart = tmp_path / "boveda" / "clave"
    sello.escribe(apart, sello.de_texto(text, "x").claves, disk=Disk())
    (gro.folder / sello.ARCHIVO).unlink()
    settings.write_text(before + f'clave_registro = "archivo:{apart}"\n')
    assert gro.registro.ficha("diario-uno") == form
    settings.write_text(before + 'clave_registro = "env:OTRA"\n')
    with pytest.raises(EntradaError, match="OTRA"):
        gro.registro.ficha("diario-uno")
    gro.entorno["OTRA"] = text
    assert gro.registro.ficha("diario-uno") == form


def test_a_form_of_another_version_is_refused_without_repeating_it(gro: Casa) -> None:
    gro.alta()
    [row] = gro.espacio.state().rows("difusor")
    registro = gro.registro
    newer = registro.llavero().sella(
        {"nombre": "Diario Uno", "fax": "747 555 0142"}, registro.contexto("difusor", 1, "diario-uno")
    )
    gro.espacio.state().put_row("difusor", 1, row | {"sello": newer})
    with pytest.raises(VersionError) as caught:
        gro.registro.ficha("diario-uno")
    assert "747" not in "".join(traceback.format_exception(caught.value))


def test_the_first_key_is_never_written_over(gro: Casa) -> None:
    path = gro.folder / sello.ARCHIVO
    before = path.read_bytes()
    with pytest.raises(AjustesError, match="Ya hay"):
        rotacion.crea(gro.registro)
    assert path.read_bytes() == before


def test_who_changes_the_name_or_address_in_the_database_is_found(gro: Casa) -> None:
    """They are in clear; the seal has them too, and another difusor's seal does not open in this row."""
    gro.alta()
    gro.alta("radio-2", nombre="Radio Dos")
    state = gro.espacio.state()
    one, two = state.rows("difusor")
    state.put_row("difusor", 1, one | {"url": "https://falso.example"})
    with pytest.raises(DanadoError, match="no son los que se sellaron"):
        gro.registro.ficha("diario-uno")
    state.put_row("difusor", 1, one | {"sello": two["sello"]})
    with pytest.raises(DanadoError):
        gro.registro.ficha("diario-uno")
    assert gro.registro.ficha("radio-2") == ficha(
        gro.espacio.convocatoria, nombre="Radio Dos", url="https://radio-2.example/prep"
    )
