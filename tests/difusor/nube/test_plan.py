"""What a target must hold, in which order, with which headers, and what an edge must forget: all of it pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError
from pregon.base.settings import parse_toml
from pregon.difusor.inicia import settings_text
from pregon.difusor.nube import inventario
from pregon.difusor.nube.cabeceras import MUDABLE_MAX_S, Reglas, del_borde, mudable, tipo_de
from pregon.difusor.nube.inventario import Hay, Inventario
from pregon.difusor.nube.plan import Fase, fase_de, mutable_paths, ours, plan_of
from pregon.difusor.release import Plan
from pregon.difusor.servidor.sitio import INMUTABLE, TIPOS, security_headers, site_of
from pregon.difusor.settings import DifusorSettings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.difusor.conftest import Escena

OFICIAL = Reglas(inmutable=True, intervalo_s=1200)
RUTAS = (
    "corte.json",
    "index.html",
    "manifiesto.json",
    "gub/index.html",
    "gub/distrito/07/index.html",
    "datos/0042/gub/entidad.json",
    "datos/0041/gub/seccion/0001.json",
    "assets/portal.0a1b2c3d4e5f6071.js",
    "assets/estilo.css",
    "base-de-datos/20270606_2000_PREP_GUB_CAMP.zip",
    "resumen.txt",
    "SHA256SUMS",
)
PLAN = Plan(42, {ruta: f"{n:064x}" for n, ruta in enumerate(RUTAS)})
TAMANOS = dict.fromkeys(PLAN.rutas.values(), 4000)


def test_goes_up_so_that_nothing_names_what_is_not_there_yet() -> None:
    order = [one.ruta for one in plan_of(PLAN, TAMANOS, OFICIAL)]
    assert sorted(order) == sorted(RUTAS)
    at = {ruta: n for n, ruta in enumerate(order)}
    assert order[-3:] == ["manifiesto.json", "index.html", "corte.json"]
    immutable = [at[ruta] for ruta in RUTAS if fase_de(ruta) is Fase.INMUTABLE]
    assert len(immutable) == 3
    assert max(immutable) < min(at[ruta] for ruta in RUTAS if fase_de(ruta) is not Fase.INMUTABLE)
    assert at["base-de-datos/20270606_2000_PREP_GUB_CAMP.zip"] < at["gub/distrito/07/index.html"]
    assert at["gub/distrito/07/index.html"] < at["gub/index.html"] < at["index.html"]


def test_every_object_carries_the_headers_of_our_servers() -> None:
    made = {one.ruta: one for one in plan_of(PLAN, TAMANOS, OFICIAL, prefijo="mex/2027/")}
    changing = "public, max-age=0, s-maxage=1200"
    assert made["index.html"].cabeceras == ("text/html; charset=utf-8", changing, "gzip")
    assert made["datos/0042/gub/entidad.json"].cabeceras == ("application/json", INMUTABLE, "gzip")
    assert made["assets/portal.0a1b2c3d4e5f6071.js"].cabeceras == ("text/javascript; charset=utf-8", INMUTABLE, "gzip")
    assert made["assets/estilo.css"].cache == changing  # its name does not change with its content
    assert made["base-de-datos/20270606_2000_PREP_GUB_CAMP.zip"].cabeceras == ("application/zip", changing, None)
    assert made["SHA256SUMS"].tipo == "application/octet-stream"
    assert {one.clave for one in made.values()} == {f"mex/2027/{ruta}" for ruta in RUTAS}
    for tipo, suffixes in TIPOS.items():
        assert {tipo_de(f"a.b/c.{suffix.upper()}") for suffix in suffixes} == {tipo}


def test_in_a_simulacro_numbers_come_again_and_nothing_is_kept_for_ever() -> None:
    """As ``Site.inmutable``: the order does not change, the headers do."""
    official = plan_of(PLAN, TAMANOS, OFICIAL)
    simulacro = plan_of(PLAN, TAMANOS, Reglas(inmutable=False, intervalo_s=1200))
    assert [one.ruta for one in simulacro] == [one.ruta for one in official]
    assert {one.cache for one in simulacro} == {"public, max-age=0, s-maxage=1200"}


def test_an_edge_keeps_what_changes_for_an_interval_and_at_most_an_hour() -> None:
    assert mudable(300) == "public, max-age=0, s-maxage=300"
    assert mudable(86_400) == f"public, max-age=0, s-maxage={MUDABLE_MAX_S}"
    for one in plan_of(PLAN, TAMANOS, OFICIAL):
        # Varnish and CloudFront keep nothing with the first; with the second an edge may not answer when we fail.
        assert "no-cache" not in one.cache
        assert "must-revalidate" not in one.cache
    assert ours("index.html", "0" * 64, 900, OFICIAL).cache == "public, max-age=0, s-maxage=60"


def test_only_text_worth_it_is_stored_compressed_and_none_where_asked() -> None:
    small = dict.fromkeys(PLAN.rutas.values(), 100)
    huge = dict.fromkeys(PLAN.rutas.values(), 64 << 20)
    plain = Reglas(inmutable=True, intervalo_s=1200, gzip=False)
    for tamanos, rules in ((small, OFICIAL), (huge, OFICIAL), (TAMANOS, plain)):
        assert {one.codificacion for one in plan_of(PLAN, tamanos, rules)} == {None}


def test_the_private_prefix_is_never_published() -> None:
    inside = Plan(1, {"index.html": "0" * 64, "historico/0001/manifiesto.json": "1" * 64})
    assert [one.ruta for one in plan_of(inside, {"0" * 64: 1, "1" * 64: 1}, OFICIAL)] == ["index.html"]


def test_an_edge_forgets_what_changed_at_each_of_its_addresses() -> None:
    before = {"index.html": "a", "gub/index.html": "b", "corte.json": "c", "viejo.html": "d", "igual.txt": "e"}
    after = {"index.html": "A", "gub/index.html": "B", "corte.json": "C", "nuevo.html": "D", "igual.txt": "e"}
    changed = ("/", "/index.html", "/gub/", "/gub/index.html", "/corte.json", "/nuevo.html", "/viejo.html")
    assert sorted(mutable_paths(before, after)) == sorted(changed)
    assert mutable_paths(after, after) == ()


NAMES = st.sampled_from(("index.html", "a/index.html", "a/b/index.html", "corte.json", "x.txt", "xindex.html"))
TREES = st.dictionaries(NAMES, st.sampled_from("abc"))


@given(TREES, TREES)
def test_an_edge_forgets_nothing_else(before: dict[str, str], after: dict[str, str]) -> None:
    told = mutable_paths(before, after)
    assert len(told) == len(set(told))
    for ruta in {**before, **after}:
        changed = before.get(ruta) != after.get(ruta)
        assert (f"/{ruta}" in told) is changed
        if ruta.rsplit("/", 1)[-1] == "index.html":
            assert ("/" + ruta.removesuffix("index.html") in told) is changed
    assert all(path.startswith("/") for path in told)


def test_the_edge_adds_what_a_web_server_of_ours_would(escena: Escena) -> None:
    site = site_of(escena.workspace, 0)
    secure = dict(del_borde(site, "https://prep.ejemplo.mx/"))
    assert secure == {**dict(security_headers(site)), "Strict-Transport-Security": "max-age=31536000"}
    assert dict(del_borde(site, "http://127.0.0.1/")) == dict(security_headers(site))


# Settings.

NUBE = """
convocatoria = "x.toml"
id = "diario-uno"
[[nube]]
nombre = "uno"
url = "s3://urna/mex"
publica = "https://prep.ejemplo.mx"
clave_acceso = "AKIA"
secreto = "env:S3"
"""


def settings(text: str) -> DifusorSettings:
    return parse_toml(text.encode(), DifusorSettings, where="difusor.toml")


def test_a_target_is_a_place_and_what_shows_it() -> None:
    (target,) = settings(NUBE).nube
    assert (target.nombre, target.prefijo, target.publica) == ("uno", "mex/", "https://prep.ejemplo.mx/")
    assert (target.codificacion, target.historial, target.purga.tipo) == ("gzip", False, "ninguna")
    assert settings(NUBE.replace("s3://urna/mex", "s3://urna")).nube[0].prefijo == ""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("s3://urna/mex", "sftp://a@b/c", "llave"),
        ("s3://urna/mex", "https://urna/mex", "debe ser s3://deposito"),
        ("https://prep.ejemplo.mx", "http://prep.ejemplo.mx", "debe comenzar con https://"),
        ("https://prep.ejemplo.mx", "https://prep.ejemplo.mx/?a=1", "no lleva cuenta"),
        ('"uno"', '"Uno"', "nube[0].nombre"),
        ('secreto = "env:S3"', 'secreto = "abc"', "secreto"),
        ('secreto = "env:S3"', 'certificado = "a"\nclave_certificado = "b"', "certificado de cliente"),
        ('secreto = "env:S3"', 'codificacion = "br"', "codificacion"),
    ],
)
def test_settings_that_cannot_be_say_which(old: str, new: str, told: str) -> None:
    assert old in NUBE
    with pytest.raises(AjustesError) as caught:
        settings(NUBE.replace(old, new))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("nombre", "url", "told"),
    [
        ("uno", "s3://otra/mex", "se llaman «uno»"),
        ("dos", "s3://urna/mex", "mismo lugar"),
        ("dos", "s3://urna/mex/2027", "mismo lugar"),
        ("dos", "s3://urna", "mismo lugar"),
        ("dos", "s3://urna/mex-2027", None),
        ("dos", "s3://otra/mex", None),
    ],
)
def test_two_targets_never_share_a_place(nombre: str, url: str, told: str | None) -> None:
    text = f'{NUBE}[[nube]]\nnombre = "{nombre}"\nurl = "{url}"\n'
    if told is None:
        assert [one.nombre for one in settings(text).nube] == ["uno", "dos"]
        return
    with pytest.raises(AjustesError) as caught:
        settings(text)
    assert told in str(caught.value)


# The memory of a target.


def kept() -> Inventario:
    made = Inventario("s3://urna/mex", a_medias=False, muestra="0042", por_purgar={"/gub/"})
    for one in plan_of(PLAN, TAMANOS, OFICIAL):
        made.anota(one, 900, "e" * 32)
    return made


def test_what_is_remembered_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "nube" / "uno.json"
    kept().guarda(path, Disk())
    read = inventario.abre(path, "s3://urna/mex")
    assert (read.objetos, read.a_medias, read.muestra, read.por_purgar) == (
        kept().objetos,
        False,
        "0042",
        {"/gub/"},
    )
    assert not read.nuevo
    assert read.falta(plan_of(PLAN, TAMANOS, OFICIAL)) == []
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("spoil", ["cortado", "vacio", "otro", "indice", "formato"])
def test_a_memory_that_is_not_understood_is_none(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "uno.json"
    kept().guarda(path, Disk())
    raw = path.read_bytes()
    data: dict[str, Any] = json.loads(raw)
    data["cabeceras"] = []
    spoilt = {
        "cortado": raw[: len(raw) // 2],
        "vacio": b"",
        "otro": raw.replace(b"s3://urna/mex", b"s3://otra/mex"),
        "indice": json.dumps(data).encode(),
        "formato": raw.replace(b"pregon/nube/1", b"pregon/nube/9"),
    }
    path.write_bytes(spoilt[spoil])
    read = inventario.abre(path, "s3://urna/mex")
    assert (read.objetos, read.nuevo, read.a_medias) == ({}, True, True)
    assert len(read.falta(plan_of(PLAN, TAMANOS, OFICIAL))) == len(RUTAS)


def test_the_same_content_with_other_headers_is_missing() -> None:
    made = kept()
    one = made.objetos["index.html"]
    made.objetos["index.html"] = Hay(one.sha256, (one.cabeceras[0], one.cabeceras[1], None), one.bytes, one.etag)
    assert [each.ruta for each in made.falta(plan_of(PLAN, TAMANOS, OFICIAL))] == ["index.html"]


def test_what_inicia_writes_commented_is_right_when_it_is_not() -> None:
    text = settings_text(convocatoria="gro-2021", ambiente="oficial", ident="diario-uno", origen="entrada")
    head, mark, tail = text.partition("# [[nube]]")
    assert settings(text).nube == ()
    (target,) = settings(head + (mark + tail).replace("# ", "")).nube
    assert (target.nombre, target.historial, target.purga.tipo) == ("principal", True, "cloudfront")
    assert target.frase is not None
