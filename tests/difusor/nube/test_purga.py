"""Purging, against a real Varnish, a real nginx, moto's CloudFront and stand-ins of the rest (INE-II-a-i-2)."""

from __future__ import annotations

import contextlib
import gzip
import shutil
import ssl
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from pydantic import ValidationError

from pregon.base.clock import SystemClock
from pregon.base.errors import AjustesError, PurgaError, RedError
from pregon.base.red import free_port
from pregon.base.settings import spanish_problems
from pregon.difusor.nube.purga import abre, llamada
from pregon.difusor.nube.purga.ajustes import AjustesPurga
from pregon.difusor.nube.purga.llamada import espera_pedida
from pregon.difusor.nube.purga.rutas import comodines, limpia, lotes
from pregon.difusor.nube.purga.textos import Origen as DeDonde
from pregon.difusor.nube.purga.textos import nginx_cache, vcl
from tests.red.servidores import cdn
from tests.red.servidores.nginx import NginxCon
from tests.red.servidores.varnish import Varnish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.difusor.nube.purga import Purga

pytestmark = pytest.mark.xdist_group("purga")  # one Varnish and one moto for all

HOST = "127.0.0.1"
PUBLICA = "https://prep.ejemplo.mx/2024/"
SECRETO = "una-palabra-larga-que-nadie-adivina"
RUTAS = ("/", "/gub/", "/corte.json")
CLARAS = ("/", "/index.html", "/gub/", "/gub/index.html", "/corte.json")


def abierta(ajustes: dict[str, Any], carpeta: Path, *, publica: str | None = PUBLICA, **environment: str) -> Purga:
    """The adapter of a table of settings; ``environment`` has its secrets."""
    settings = AjustesPurga.model_validate(ajustes)
    return abre(settings, folder=carpeta, environment=environment, clock=SystemClock(), publica=publica)


# -- paths -----------------------------------------------------------------------------------------------------------


def test_a_path_is_asked_as_browsers_do_and_once() -> None:
    assert limpia(("/", "/gub/index.html", "/gub/", "/corte.json", "/año 1.html", "/a*b")) == (
        *CLARAS[:2],
        "/gub/index.html",
        "/gub/",
        "/corte.json",
        "/a%C3%B1o%201.html",
        "/a%2Ab",
    )


@pytest.mark.parametrize("ruta", ["", "gub/", "//otro.mx/", "/../privado", "/gub/./x", "https://otro.mx/"])
def test_what_is_not_of_the_portal_is_not_purged(ruta: str) -> None:
    with pytest.raises(PurgaError, match="no es una dirección del portal"):
        limpia(("/", ruta))


def test_wildcards_never_cover_what_never_changes() -> None:
    many = tuple(f"/{top}/{n}.html" for top, size in (("gub", 50), ("dip", 30), ("x", 1)) for n in range(size))
    data = tuple(f"/datos/0001/{n}.json" for n in range(70)) + tuple(f"/assets/{n}.js" for n in range(70))
    root = ("/", "/index.html", "/corte.json")
    alone, wild = comodines((*root, *many, *data), pocas=60, maximo=10)
    assert wild == ("/gub/*", "/dip/*")
    assert alone == (*root, "/x/0.html", *data), "the root, what never changes and lonely pages go one by one"
    assert comodines(many, pocas=len(many), maximo=10) == (many, ()), "few: no wildcard"
    alone, wild = comodines(many, pocas=40, maximo=1)
    assert wild == ("/gub/*",), "no more wildcards than needed, nor than allowed"
    assert len(alone) == 31


def test_groups_are_never_larger_than_allowed() -> None:
    assert [len(group) for group in lotes(range(205), 100)] == [100, 100, 5]
    assert list(lotes((), 100)) == []


# -- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ajustes", "dicho"),
    [
        ({"tipo": "akamai"}, "debe ser"),
        ({"tipo": "cloudflare", "zona": "0" * 32}, "le falta: secreto"),
        ({"tipo": "varnish", "secreto": "env:S"}, "le falta: equipos"),
        ({"tipo": "cloudfront", "distribucion": "E2EXAMPLE123", "zona": "0" * 32}, "no lleva: zona"),
        ({"tipo": "cloudfront", "distribucion": "E2EXAMPLE123", "clave_acceso": "AK"}, "van juntos"),
        ({"tipo": "varnish", "secreto": "la-palabra-misma", "equipos": ["http://127.0.0.1"]}, "no tiene la forma"),
        ({"tipo": "varnish", "secreto": "env:S", "equipos": ["http://10.0.0.5:6081"]}, "viajaría sin cifrar"),
        ({"tipo": "varnish", "secreto": "env:S", "equipos": ["10.0.0.5:6081"]}, "debe ser http"),
        ({"tipo": "nginx", "secreto": "env:S", "equipos": ["https://a:b@c/"]}, "debe ser http"),
    ],
)
def test_settings_that_do_not_purge_say_why(ajustes: dict[str, Any], dicho: str) -> None:
    with pytest.raises(ValidationError) as told:
        AjustesPurga.model_validate(ajustes)
    problems = " ".join(spanish_problems(told.value))
    assert dicho in problems
    assert "a:b@c" not in problems or "equipos" in problems


def test_a_private_network_is_said(tmp_path: Path) -> None:
    settings = {"tipo": "varnish", "secreto": "env:S", "equipos": ["http://10.0.0.5:6081/"], "red_privada": True}
    assert AjustesPurga.model_validate(settings).equipos == ("http://10.0.0.5:6081",)
    abierta(settings, tmp_path, S=SECRETO).close()


def test_secret_that_is_not_there_purges_nothing(tmp_path: Path) -> None:
    with cdn.Cloudflare(PUBLICA) as service:
        settings = {"tipo": "cloudflare", "zona": service.ZONA, "secreto": "env:FALTA", "extremo": service.url}
        with pytest.raises(AjustesError, match="FALTA no tiene valor"):
            abierta(settings, tmp_path)
        with pytest.raises(AjustesError, match="no pueden viajar"):
            abierta(settings, tmp_path, FALTA="año")
        with pytest.raises(AjustesError, match="falta «publica»"):
            abierta(settings, tmp_path, publica=None, FALTA="x")
        assert service.pedidos == []


def test_no_purge_is_a_purge_too(tmp_path: Path) -> None:
    purga = abierta({"tipo": "ninguna"}, tmp_path)
    purga.purga(RUTAS)
    purga.close()


# -- Cloudflare ------------------------------------------------------------------------------------------------------


def de_cloudflare(service: cdn.Cloudflare, carpeta: Path, **changes: Any) -> Purga:
    settings = {"tipo": "cloudflare", "zona": service.ZONA, "secreto": "env:S", "extremo": service.url, **changes}
    return abierta(settings, carpeta, S=cdn.Cloudflare.TOKEN)


def test_cloudflare_takes_whole_addresses(tmp_path: Path) -> None:
    with cdn.Cloudflare(PUBLICA) as service:
        purga = de_cloudflare(service, tmp_path)
        purga.purga(RUTAS)
        purga.close()
        assert service.purgadas == [PUBLICA.rstrip("/") + ruta for ruta in CLARAS]
        assert len(service.pedidos) == 1


def test_cloudflare_limits_are_kept(tmp_path: Path) -> None:
    """1,200 addresses: none twice, a hundred an order, and the service never had to say that it was too much."""
    rutas = [f"/gub/{n}.html" for n in range(1200)]
    with cdn.Cloudflare(PUBLICA) as service:
        purga = de_cloudflare(service, tmp_path)
        start = time.monotonic()
        purga.purga(rutas)
        took = time.monotonic() - start
        purga.close()
        assert service.purgadas == [PUBLICA.rstrip("/") + ruta for ruta in rutas]
        assert len(service.pedidos) == 12
        assert 1.5 < took < 20.0


def test_cloudflare_that_asks_to_wait_is_asked_again(tmp_path: Path) -> None:
    with cdn.Cloudflare(PUBLICA) as service:
        busy = service._no(429, 971, "Please wait", {"retry-after": "1"})
        service.dice += [busy, (502, {}, b"<html>")]
        purga = de_cloudflare(service, tmp_path)
        purga.purga(("/",))
        purga.close()
        assert len(service.pedidos) == 3
        assert service.pedidos[1].hora - service.pedidos[0].hora >= 1.0
        assert len(service.purgadas) == 2


def test_cloudflare_that_asks_for_too_long_is_left_for_later(tmp_path: Path) -> None:
    with cdn.Cloudflare(PUBLICA) as service:
        service.dice.append(service._no(429, 971, "Please wait", {"retry-after": "300"}))
        purga = de_cloudflare(service, tmp_path)
        with pytest.raises(PurgaError, match="purgar menos o más tarde") as told:
            purga.purga(("/",))
        purga.close()
        assert told.value.espera_s == 300
        assert told.value.salida == 69
        assert len(service.pedidos) == 1
        assert service.purgadas == []


@pytest.mark.parametrize(
    ("cambios", "dicho", "remedio"),
    [
        ({"zona": "f" * 32}, "no conoce esa zona", "zona"),
        ({"secreto": "env:MALO"}, "no acepta la llave", "Cache Purge"),
    ],
)
def test_cloudflare_refusals_say_what_to_do(tmp_path: Path, cambios: dict[str, Any], dicho: str, remedio: str) -> None:
    with cdn.Cloudflare(PUBLICA) as service:
        settings = {"tipo": "cloudflare", "zona": service.ZONA, "secreto": "env:S", "extremo": service.url, **cambios}
        purga = abierta(settings, tmp_path, S=cdn.Cloudflare.TOKEN, MALO="otra-llave-que-no-es")
        with pytest.raises(PurgaError, match=dicho) as told:
            purga.purga(("/",))
        purga.close()
        assert remedio in told.value.que_hacer
        assert "otra-llave" not in str(told.value.as_dict())
        assert service.purgadas == []
        assert len(service.pedidos) == 1, "what will be refused again is not asked again"


def test_service_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llamada, "PURGA_S", 45.0)
    settings = {
        "tipo": "cloudflare",
        "zona": cdn.Cloudflare.ZONA,
        "secreto": "env:S",
        "extremo": f"http://{HOST}:{free_port(HOST)}",
    }
    purga = abierta(settings, tmp_path, S="x")
    monkeypatch.setattr(llamada.Turno, "otra_vez", lambda self, wait: 1.0)
    with pytest.raises(RedError, match="No se pudo purgar en Cloudflare"):
        purga.purga(("/",))
    purga.close()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:00:00 GMT"}, 0.0),
        ({"retry-after": "pronto"}, None),
        ({"fastly-ratelimit-reset": "1792567720"}, 40.0),
        ({"retry-after": "9" * 400}, 999_999_999.0),
    ],
)
def test_how_long_they_ask_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert espera_pedida(headers, datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)) == seconds


# -- Fastly ----------------------------------------------------------------------------------------------------------


def test_fastly_by_address_softly_unless_withdrawn(tmp_path: Path) -> None:
    with cdn.Fastly("prep.ejemplo.mx/2024") as service:
        settings = {"tipo": "fastly", "secreto": "env:S", "extremo": service.url, "repaso_s": 0}
        purga = abierta(settings, tmp_path, S=service.TOKEN)
        purga.purga(RUTAS)
        assert service.purgadas == list(CLARAS)
        assert {each.headers.get("fastly-soft-purge") for each in service.pedidos} == {"1"}
        service.pedidos.clear()
        purga.purga(("/",), olvida=True)
        assert [each.headers.get("fastly-soft-purge") for each in service.pedidos] == [None, None]
        purga.close()


def test_fastly_by_key_where_they_are_many(tmp_path: Path) -> None:
    rutas = [f"/gub/{n}.html" for n in range(60)]
    with cdn.Fastly("prep.ejemplo.mx/2024") as service:
        settings = {"tipo": "fastly", "secreto": "env:S", "extremo": service.url, "repaso_s": 0}
        for more in ({"servicio": service.SERVICIO}, {}):
            purga = abierta({**settings, **more}, tmp_path, S=service.TOKEN)
            purga.purga(rutas)
            purga.close()
        assert service.claves == ["pregon-mutable"]
        assert service.purgadas == rutas, "without a service there is no key, and each goes on its own"


def test_fastly_without_purges_left_or_with_another_key(tmp_path: Path) -> None:
    with cdn.Fastly("prep.ejemplo.mx/2024") as service:
        settings = {"tipo": "fastly", "secreto": "env:S", "extremo": service.url, "repaso_s": 0}
        service.quedan = 0
        purga = abierta(settings, tmp_path, S=service.TOKEN)
        with pytest.raises(PurgaError) as told:
            purga.purga(("/",))
        assert 3500 < told.value.espera_s <= 3600
        purga.close()
        other = abierta(settings, tmp_path, S="otra")
        with pytest.raises(PurgaError, match=r"no acepta la llave.*credentials are missing") as told:
            other.purga(("/",))
        assert told.value.espera_s == 0
        other.close()
        assert service.purgadas == []


# -- CloudFront ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Where moto's CloudFront answers."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address=HOST, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


ENTORNO = {"AWS_ACCESS_KEY_ID": "AKIDEPRUEBA", "AWS_SECRET_ACCESS_KEY": "secreto-de-prueba"}


@contextlib.contextmanager
def cliente(extremo: str) -> Iterator[Any]:
    """Amazon's own client, for asking moto what it was told."""
    import boto3

    client = boto3.client(
        "cloudfront",
        endpoint_url=extremo,
        region_name="us-east-1",
        aws_access_key_id="AKIDEPRUEBA",
        aws_secret_access_key="secreto-de-prueba",
    )
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def distribucion(moto: str) -> str:
    """A distribution of moto's."""
    origin = {
        "Id": "o",
        "DomainName": "urna.s3.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    behaviour = {
        "TargetOriginId": "o",
        "ViewerProtocolPolicy": "redirect-to-https",
        "MinTTL": 0,
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
    }
    config = {
        "CallerReference": str(time.monotonic_ns()),
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behaviour,
    }
    with cliente(moto) as client:
        made = client.create_distribution(DistributionConfig=config)
    return str(made["Distribution"]["Id"])


def invalidaciones(extremo: str, distribucion: str) -> list[tuple[list[str], str]]:
    """Paths and reference of each invalidation that moto was asked for, in order."""
    with cliente(extremo) as client:
        listed = client.list_invalidations(DistributionId=distribucion)["InvalidationList"].get("Items", [])
        found = [client.get_invalidation(DistributionId=distribucion, Id=each["Id"])["Invalidation"] for each in listed]
    found.sort(key=lambda each: each["CreateTime"])
    return [
        (each["InvalidationBatch"]["Paths"]["Items"], each["InvalidationBatch"]["CallerReference"]) for each in found
    ]


def test_cloudfront_reference_is_never_used_twice(tmp_path: Path, moto: str, distribucion: str) -> None:
    """A constant one, as a receiver of 2021 had it, makes no second invalidation (prep.md)."""
    settings = {"tipo": "cloudfront", "distribucion": distribucion, "extremo": moto}
    for _ in range(2):  # the same paths, by the same process and by another
        purga = abierta(settings, tmp_path, **ENTORNO)
        purga.purga(RUTAS)
        purga.purga(RUTAS)
        purga.close()
    done = invalidaciones(moto, distribucion)
    assert [paths for paths, _ in done] == [["/2024" + ruta for ruta in CLARAS]] * 4
    assert len({reference for _, reference in done}) == 4


def test_cloudfront_with_many_pages_uses_few_paths(tmp_path: Path, moto: str, distribucion: str) -> None:
    rutas = [*RUTAS, *(f"/{top}/secciones/{n}.html" for top in ("gub", "dip", "ayun") for n in range(400))]
    settings = {"tipo": "cloudfront", "distribucion": distribucion, "extremo": moto}
    purga = abierta(settings, tmp_path, publica=None, **ENTORNO)
    purga.purga(rutas)
    purga.close()
    ((paths, _),) = invalidaciones(moto, distribucion)
    assert paths == ["/", "/index.html", "/corte.json", "/gub/*", "/ayun/*", "/dip/*"]


def test_cloudfront_that_does_not_know_us(tmp_path: Path, moto: str, distribucion: str) -> None:
    purga = abierta({"tipo": "cloudfront", "distribucion": "E0000000000", "extremo": moto}, tmp_path, **ENTORNO)
    with pytest.raises(PurgaError, match="no conoce esa distribución") as told:
        purga.purga(RUTAS)
    purga.close()
    assert told.value.espera_s == 0
    assert invalidaciones(moto, distribucion) == []


def test_cloudfront_full_is_waited_for_with_the_same_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pregon.difusor.nube.purga.cloudfront as module

    monkeypatch.setattr(module, "ESPERA_S", 0.1)
    with cdn.CloudFrontLleno(2) as service:
        settings = {"tipo": "cloudfront", "distribucion": "E2EXAMPLE123", "extremo": service.url}
        purga = abierta(settings, tmp_path, **ENTORNO)
        purga.purga(("/",))
        assert len(service.pedidos) == 3
        assert len({each.cuerpo for each in service.pedidos}) == 1, "a try of the same invalidation is no second one"
        monkeypatch.setattr(module, "ESPERA_S", 600.0)
        service._left = 1
        with pytest.raises(PurgaError, match="todavía atiende purgas anteriores") as told:
            purga.purga(("/",))
        assert told.value.espera_s == 600
        service.dice += [cdn.error_de_amazon(403, "AccessDenied", "not authorized")]
        with pytest.raises(PurgaError, match="no acepta las credenciales") as told:
            purga.purga(("/",))
        assert "cloudfront:CreateInvalidation" in told.value.que_hacer
        purga.close()


def test_without_boto3_the_rest_purges_and_cloudfront_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(AjustesError, match="boto3") as told:
        abierta({"tipo": "cloudfront", "distribucion": "E2EXAMPLE123"}, tmp_path, **ENTORNO)
    assert "pregon[nube]" in told.value.que_hacer
    with cdn.Cloudflare(PUBLICA) as service:
        purga = de_cloudflare(service, tmp_path)
        purga.purga(("/",))
        purga.close()
        assert service.purgadas


# -- Varnish ---------------------------------------------------------------------------------------------------------

PAGINAS = {
    "/urna/sitio/index.html": b"portada 1",
    "/urna/sitio/gub/index.html": b"gub 1",
    "/urna/sitio/corte.json": b'{"corte": 1}',
    "/urna/sitio/datos/0001/gub/entidad.json": b'{"de": 1}',
}


@pytest.fixture
def origen() -> Iterator[cdn.Origen]:
    with cdn.Origen(dict(PAGINAS)) as server:
        yield server


@pytest.fixture(scope="module")
def varnish_compartido(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Varnish, cdn.Origen]]:
    with (
        cdn.Origen({}) as server,
        Varnish(tmp_path_factory.mktemp("varnish"), f"{server.url}/urna/sitio", almacen=True, lenta_s=0.2) as edge,
    ):
        yield edge, server


@pytest.fixture
def varnish(varnish_compartido: tuple[Varnish, cdn.Origen]) -> Iterator[tuple[Varnish, cdn.Origen]]:
    """The edge with nothing kept, and its origin as it begins."""
    edge, server = varnish_compartido
    server.paginas = dict(PAGINAS)
    server.codificadas = {}
    server.falla = False
    server.cache = "no-cache, s-maxage=600"
    pide("BAN", edge.url, {"x-pregon-purga": edge.secreto}).raise_for_status()
    server.pedidos.clear()
    yield edge, server
    server.suelta.set()


def de_varnish(edge: Varnish, **changes: Any) -> Purga:
    settings = {
        "tipo": "varnish",
        "equipos": [edge.url],
        "secreto": f"archivo:{edge.archivo_secreto.name}",
        "repaso_s": 0,
        **changes,
    }
    return abierta(settings, edge.carpeta, publica=None, MALO="otra-palabra-larga-que-no-es")


def lee(edge: Varnish, ruta: str, coding: str = "gzip") -> httpx2.Response:
    return pide("GET", edge.url + ruta, {"accept-encoding": coding})


def pide(method: str, url: str, headers: dict[str, str] | None = None) -> httpx2.Response:
    """One request as a stranger makes it. Without the certificates of the world, which take longer than all of it."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx2.request(method, url, headers=headers, trust_env=False, verify=tls)


def test_varnish_forgets_what_it_is_told_and_nothing_else(varnish: tuple[Varnish, cdn.Origen]) -> None:
    edge, server = varnish
    for ruta in ("", "gub/", "corte.json", "datos/0001/gub/entidad.json"):
        assert [lee(edge, ruta).text for _ in range(2)] == [
            PAGINAS[f"/urna/sitio/{ruta or ''}" + "index.html" * (not ruta or ruta.endswith("/"))].decode()
        ] * 2
    assert len(server.pedidos) == 4, "the second of each never reached the origin"
    server.paginas = {ruta: body.replace(b"1", b"2") for ruta, body in PAGINAS.items()}
    assert lee(edge, "gub/index.html?de=otro").text == "gub 1", "one page by all its names, kept until it is purged"
    purga = de_varnish(edge)
    purga.purga(("/", "/gub/"))
    purga.close()
    assert (lee(edge, "").text, lee(edge, "gub/").text) == ("portada 2", "gub 2")
    assert lee(edge, "gub/index.html").text == "gub 2"
    assert lee(edge, "corte.json").text == '{"corte": 1}', "it was not told to forget this"
    assert lee(edge, "datos/0001/gub/entidad.json").text == '{"de": 1}'
    assert len(server.pedidos) == 6


def test_varnish_every_encoding_is_purged(varnish: tuple[Varnish, cdn.Origen]) -> None:
    """What a bucket keeps compressed is answered to who takes it, and plain to who does not, before and after."""
    edge, server = varnish
    for number in (1, 2):
        plain = f"la misma página, corte {number}, ".encode() * 50
        server.codificadas["/urna/sitio/gub/index.html"] = gzip.compress(plain)
        if number == 2:
            purga = de_varnish(edge)
            purga.purga(("/gub/",))
            purga.close()
        for coding in ("gzip", "identity", "br", "gzip, deflate, br, zstd"):
            answer = lee(edge, "gub/", coding)
            assert answer.content == plain
            assert ("content-encoding" in answer.headers) == ("gzip" in coding)
            assert answer.headers["cache-control"] == "no-cache", "no reader's cache may keep it"
            assert "last-modified" not in answer.headers
    assert len(server.pedidos) == 2


def test_varnish_with_the_origin_down_shows_the_cut_before(varnish: tuple[Varnish, cdn.Origen]) -> None:
    """A purge that the origin does not follow never blanks the site; unless what was there was withdrawn."""
    edge, server = varnish
    assert lee(edge, "").text == "portada 1"
    server.falla = True
    purga = de_varnish(edge)
    purga.purga(("/",))
    assert [(answer.status_code, answer.text) for answer in (lee(edge, ""), lee(edge, ""))] == [(200, "portada 1")] * 2
    server.paginas["/urna/sitio/index.html"] = b"portada 2"
    server.falla = False
    assert lee(edge, "").text == "portada 2"
    server.falla = True
    purga.purga(("/",), olvida=True)
    purga.close()
    answer = lee(edge, "")
    assert answer.status_code == 503
    assert "Intente de nuevo" in answer.text
    server.falla = False
    assert lee(edge, "").text == "portada 2"


def test_varnish_page_that_is_no_longer_there(varnish: tuple[Varnish, cdn.Origen]) -> None:
    edge, server = varnish
    assert lee(edge, "gub/").status_code == 200
    del server.paginas["/urna/sitio/gub/index.html"]
    purga = de_varnish(edge)
    purga.purga(("/gub/",), olvida=True)
    purga.close()
    answer = lee(edge, "gub/")
    assert answer.status_code == 404
    assert "todavía no se publica" in answer.text
    assert "AccessDenied" not in answer.text


def test_varnish_answer_of_before_that_comes_after_the_purge(varnish: tuple[Varnish, cdn.Origen]) -> None:
    """Somebody asked just before the switch, and the origin answers the old page after the purge: it does not stay."""
    edge, server = varnish
    server.detiene = True
    server.detenida.clear()
    server.suelta.clear()
    got: list[str] = []
    slow = threading.Thread(target=lambda: got.append(lee(edge, "gub/").text))
    slow.start()
    assert server.detenida.wait(10)
    server.paginas["/urna/sitio/gub/index.html"] = b"gub 2"
    purga = de_varnish(edge, repaso_s=1.0)

    threading.Timer(0.1, server.suelta.set).start()  # between the first order and the second
    purga.purga(("/gub/",))
    purga.close()
    slow.join(10)
    assert got == ["gub 1"], "its reader gets what was public when it asked"
    assert lee(edge, "gub/").text == "gub 2"


def test_varnish_answer_of_before_that_comes_much_later(varnish: tuple[Varnish, cdn.Origen]) -> None:
    """Slower than any second order waits for: it is kept for seconds, not until the next cut."""
    edge, server = varnish
    server.detiene = True
    server.detenida.clear()
    server.suelta.clear()
    slow = threading.Thread(target=lambda: lee(edge, "corte.json"))
    slow.start()
    assert server.detenida.wait(10)
    server.paginas["/urna/sitio/corte.json"] = b'{"corte": 2}'
    purga = de_varnish(edge, repaso_s=0.3)
    purga.purga(("/corte.json",))
    purga.close()
    server.suelta.set()
    slow.join(10)
    deadline = time.monotonic() + 6
    while lee(edge, "corte.json").text != '{"corte": 2}':
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_varnish_thousands_of_pages_are_one_order(varnish: tuple[Varnish, cdn.Origen]) -> None:
    edge, server = varnish
    server.paginas["/urna/sitio/assets/a.0123456789abcdef.js"] = b"siempre"
    assert lee(edge, "gub/").text == "gub 1"
    server.cache = "public, max-age=31536000, immutable"
    assert lee(edge, "assets/a.0123456789abcdef.js").headers["cache-control"] == server.cache
    server.cache = "no-cache, s-maxage=600"
    server.paginas["/urna/sitio/gub/index.html"] = b"gub 2"
    asked = len(server.pedidos)
    purga = de_varnish(edge)
    start = time.monotonic()
    purga.purga([f"/gub/{n}.html" for n in range(1001)])
    assert time.monotonic() - start < 2.0
    purga.close()
    assert lee(edge, "gub/").text == "gub 2"
    assert lee(edge, "assets/a.0123456789abcdef.js").text == "siempre"
    assert len(server.pedidos) == asked + 1, "what never changes was not asked again"


def test_varnish_before_a_web_server_that_knows_nothing_of_it(varnish: tuple[Varnish, cdn.Origen]) -> None:
    """Our own server answers «no-cache», and «no-store» while nothing is public: nobody purges, and it is soon seen."""
    edge, server = varnish
    server.cache = "no-cache"
    start = time.monotonic()
    for _ in range(60):
        assert lee(edge, "").text == "portada 1"
    assert len(server.pedidos) <= 2 + (time.monotonic() - start), "a second of any number of visits is one request"
    server.paginas["/urna/sitio/index.html"] = b"portada 2"
    time.sleep(1.1)
    assert lee(edge, "").text == "portada 2"
    server.cache = "no-store"
    server.pedidos.clear()
    for number in range(3):
        server.paginas["/urna/sitio/gub/index.html"] = f"espera {number}".encode()
        answer = lee(edge, "gub/")
        assert (answer.text, answer.headers["cache-control"]) == (f"espera {number}", "no-store")


@pytest.mark.parametrize("orden", ["PURGE", "BAN"])
def test_varnish_takes_no_order_of_a_stranger(varnish: tuple[Varnish, cdn.Origen], orden: str) -> None:
    edge, server = varnish
    assert lee(edge, "").text == "portada 1"
    for headers in ({}, {"x-pregon-purga": ""}, {"x-pregon-purga": edge.secreto[:-1]}):
        assert pide(orden, edge.url, headers).status_code == 403
    server.paginas["/urna/sitio/index.html"] = b"portada 2"
    assert lee(edge, "").text == "portada 1"
    purga = de_varnish(edge, secreto="env:MALO")
    with pytest.raises(PurgaError, match="no acepta el secreto") as told:
        purga.purga(("/",))
    purga.close()
    assert "otra-palabra" not in str(told.value.as_dict())
    assert lee(edge, "").text == "portada 1"
    for method in ("POST", "DELETE", "PUT"):
        assert pide(method, edge.url).status_code == 405


def test_one_varnish_of_two_is_down_and_the_other_is_told(
    varnish: tuple[Varnish, cdn.Origen], monkeypatch: pytest.MonkeyPatch
) -> None:
    edge, server = varnish
    assert lee(edge, "").text == "portada 1"
    server.paginas["/urna/sitio/index.html"] = b"portada 2"
    monkeypatch.setattr(llamada.Turno, "otra_vez", lambda self, wait: 1.0)
    purga = de_varnish(edge, equipos=[f"http://{HOST}:{free_port(HOST)}/", edge.url])
    with pytest.raises(RedError, match="No se pudo purgar en Varnish"):
        purga.purga(("/",))
    purga.close()
    assert lee(edge, "").text == "portada 2"


def test_vcl_writes_nothing_that_it_was_not_given(tmp_path: Path) -> None:
    secret = tmp_path / "secreto"
    for wrong in ("https://urna.mx", "http://a:b@urna.mx", "http://urna.mx/x?y", 'http://urna.mx/"; }'):
        with pytest.raises(AjustesError):
            vcl(DeDonde(wrong), secreto=secret)
    with pytest.raises(AjustesError, match="no es una dirección ni una red"):
        vcl(DeDonde("http://urna.mx"), secreto=secret, quienes=("todos",))
    with pytest.raises(AjustesError, match="encabezado"):
        vcl(DeDonde("http://urna.mx"), secreto=secret, encabezados=(("X", 'a"} + req.url + {"'),))
    assert "@" not in vcl(DeDonde("http://urna.mx"), secreto=secret).replace("@import", "")


# -- nginx -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def con_nginx(origen: str, *, almacen: bool) -> Iterator[str]:
    """A real nginx that keeps copies of ``origen``, with the text of ours; where it answers."""
    folder = Path(tempfile.mkdtemp(prefix="pregon-nginx-"))
    folder.chmod(0o755)  # its workers are another account
    secret = folder / "secreto.map"
    secret.write_text(f'"{SECRETO}" 1;\n', encoding="utf-8")
    port = free_port(HOST)
    text = nginx_cache(
        DeDonde(origen, almacen=almacen),
        secreto=secret,
        carpeta=folder / "copias",
        escucha=f"{HOST}:{port}",
        encabezados=(("X-Content-Type-Options", "nosniff"),),
    )
    try:
        with NginxCon(folder / "nginx", text, [port]):
            yield f"http://{HOST}:{port}"
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def nginx(origen: cdn.Origen) -> Iterator[str]:
    """Before a bucket."""
    with con_nginx(f"{origen.url}/urna/sitio", almacen=True) as url:
        yield url


def test_nginx_asks_again_only_for_who_knows_the_secret(nginx: str, origen: cdn.Origen, tmp_path: Path) -> None:
    plain = b"una pagina del corte 1 " * 40
    origen.codificadas["/urna/sitio/gub/index.html"] = gzip.compress(plain)

    def leida(ruta: str, coding: str = "gzip") -> httpx2.Response:
        return pide("GET", nginx + ruta, {"accept-encoding": coding})

    for coding in ("gzip", "identity", "br"):
        answer = leida("/gub/?x=1", coding)
        assert answer.content == plain
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert leida("/").text == "portada 1"
    assert len(origen.pedidos) == 2
    other = plain.replace(b"1", b"2")
    origen.codificadas["/urna/sitio/gub/index.html"] = gzip.compress(other)
    origen.paginas["/urna/sitio/index.html"] = b"portada 2"

    settings = {"tipo": "nginx", "equipos": [nginx], "secreto": "env:S", "repaso_s": 0}
    stranger = abierta(settings, tmp_path, S="otra-palabra-larga-que-no-es")
    with pytest.raises(PurgaError, match="no acepta el secreto"):
        stranger.purga(("/gub/",))
    stranger.close()
    assert leida("/gub/").content == plain

    purga = abierta(settings, tmp_path, S=SECRETO)
    purga.purga(("/gub/",))
    assert [leida("/gub/", coding).content for coding in ("gzip", "identity")] == [other] * 2
    assert leida("/").text == "portada 1", "it was not told to ask for this"
    assert all("x-pregon-purga" not in each.headers for each in origen.pedidos), "the secret stays here"

    origen.falla = True
    with pytest.raises(RedError):
        _quick(purga, ("/",))
    assert leida("/").text == "portada 1", "the origin fails, and what was kept stays"
    origen.falla = False
    del origen.paginas["/urna/sitio/index.html"]
    purga.purga(("/",), olvida=True)
    purga.close()
    assert leida("/").status_code in (403, 404), "what was withdrawn is not seen again"
    deadline = time.monotonic() + 5
    while "todavía no se publica" not in (gone := leida("/")).text:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert gone.status_code == 404
    origen.falla = True
    assert leida("/").status_code != 200


@pytest.mark.aguante
def test_nginx_before_a_web_server_that_nobody_purges(origen: cdn.Origen) -> None:
    origen.cache = "no-cache"
    origen.paginas["/"] = b"portada 1"
    with con_nginx(origen.url, almacen=False) as url:
        start = time.monotonic()
        for _ in range(40):
            assert pide("GET", url + "/").text == "portada 1"
        assert len(origen.pedidos) <= 2 + (time.monotonic() - start)
        origen.paginas["/"] = b"portada 2"
        time.sleep(2.1)  # it counts whole seconds
        assert pide("GET", url + "/").text == "portada 2"


def _quick(purga: Purga, rutas: tuple[str, ...]) -> None:
    """Purge without the patience that a night has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llamada.Turno, "otra_vez", lambda self, wait: 1.0)
        purga.purga(rutas)
