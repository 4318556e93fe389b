"""One look at one portal over real HTTP and TLS: what is believed, what is told, what is no alteration."""

from __future__ import annotations

import gzip
import json
import ssl
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme

from pregon.base.clock import ManualClock, SystemClock
from pregon.base.jsonio import canonical_json
from pregon.base.red import free_port
from pregon.difusor import pages
from pregon.difusor.interrupcion import Interrupcion
from pregon.instituto.monitor.catalogo import Catalogo, Fijo
from pregon.instituto.monitor.referencia import Firmada
from pregon.instituto.monitor.veredicto import Reglas, dictamina
from pregon.sonda.portal import Limites, Portal, forma
from tests.instituto.conftest import INICIO
from tests.instituto.monitor.conftest import FIRMADOS
from tests.instituto.monitor.portales import Sitio, abierto, punto

if TYPE_CHECKING:
    from pregon.instituto.monitor.modelo import Observacion
    from tests.instituto.monitor.conftest import Instituto


def look(instituto: Instituto, sitio: Sitio, **more: object) -> Observacion:
    """One round of one point over one portal."""
    catalog = Catalogo(instituto.workspace, clave="x")
    catalog.lee()
    place = punto({"uno": sitio}, Firmada(catalog), instituto.clock, **more)  # type: ignore[arg-type]
    try:
        return place.ronda(1).observaciones[0]
    finally:
        place.close()


def test_a_portal_that_shows_the_newest_cut_is_read_against_the_signed_manifest(instituto: Instituto) -> None:
    with abierto(Sitio(instituto.publicados[3])) as site:
        seen = look(instituto, site)
    assert (seen.alcanzable, seen.forma, seen.corte, seen.estado) == (True, "resultados", 3, 200)
    assert seen.hora == instituto.clock.instant
    assert all(one.igual for one in seen.muestras)
    assert {"index.html", "corte.json", "manifiesto.json", "gub/index.html", "datos/0003/gub/entidad.json"} <= {
        one.ruta for one in seen.muestras
    }
    assert len({one.ruta for one in seen.muestras}) == len(seen.muestras) == seen.leidas
    assert seen.manifiesto_sha256 == manifest_sha(instituto, 3)
    assert seen.cabeceras == ()
    assert seen.desfase_s is not None
    assert abs(seen.desfase_s) < 5


def manifest_sha(instituto: Instituto, number: int) -> str | None:
    return Catalogo(instituto.workspace, clave="x").lee().firmados[number - 1].manifiesto_sha256


def test_one_altered_byte_of_the_cover_of_a_page_and_of_the_data_is_seen(instituto: Instituto) -> None:
    """INE-VI-a-ii: the correct display of results."""
    altered = ("index.html", "datos/0003/gub/entidad.json", "gub/index.html")
    site = Sitio(instituto.publicados[3])
    for ruta in altered:
        good = (instituto.publicados[3] / ruta).read_bytes()
        site.alterados[ruta] = bytes([good[0] ^ 1]) + good[1:]
    with abierto(site):
        seen = look(instituto, site)
    assert {one.ruta for one in seen.muestras if not one.igual} == set(altered)
    assert seen.corte == 3


def test_the_compressed_twin_altered_alone_is_seen_and_so_is_the_plain_one(instituto: Instituto) -> None:
    """Browsers get the one, scripts and archives the other; a server keeps them as two files."""
    ruta = "gub/index.html"
    bad = (instituto.publicados[3] / ruta).read_bytes().replace(b"4", b"5", 1)
    for site in (
        Sitio(instituto.publicados[3], comprime=True, alterados_gzip={ruta: bad}),
        Sitio(
            instituto.publicados[3],
            comprime=True,
            alterados={ruta: bad},
            alterados_gzip={ruta: (instituto.publicados[3] / ruta).read_bytes()},
        ),
    ):
        with abierto(site):
            seen = look(instituto, site)
        assert [one.ruta for one in seen.muestras if not one.igual] == [ruta]
    with abierto(Sitio(instituto.publicados[3], comprime=True)) as site:
        assert all(one.igual for one in look(instituto, site).muestras)


def test_what_does_not_decode_or_never_ends_is_another_content_and_takes_no_memory(instituto: Instituto) -> None:
    ruta = "gub/index.html"
    bomb = bytes(5_000_000)
    site = Sitio(instituto.publicados[3], comprime=True, alterados_gzip={ruta: bomb})
    with abierto(site):
        seen = look(instituto, site)
    assert [one.ruta for one in seen.muestras if not one.igual] == [ruta]
    assert len(gzip.compress(bomb)) < len(bomb)


def test_a_listed_file_that_is_not_there_is_altered_and_one_that_is_refused_did_not_come(instituto: Instituto) -> None:
    """Who answers 403, 429 or 503 may be a guard that takes us for an attacker."""
    data = "datos/0003/gub/{}.json".format
    answers = {"gub/index.html": 404, "resumen.txt": 410, data("entidad"): 403, data("indice"): 429, data("noche"): 503}
    with abierto(Sitio(instituto.publicados[3], estados=answers)) as site:
        seen = look(instituto, site)
    wrong = {one.ruta: one.sha256 is None for one in seen.muestras if not one.igual}
    assert wrong == {ruta: status not in (404, 410) for ruta, status in answers.items()}


def test_an_older_file_among_new_ones_is_an_old_copy_and_not_an_alteration(instituto: Instituto) -> None:
    """What some cache on the way keeps is of the institute, byte for byte: late, and not altered."""
    old = (instituto.publicados[2] / "index.html").read_bytes()
    with abierto(Sitio(instituto.publicados[3], alterados={"index.html": old})) as site:
        seen = look(instituto, site)
    assert seen.corte == 2
    assert all(one.igual for one in seen.muestras)


def test_a_cut_that_changes_under_the_look_accuses_nobody(instituto: Instituto) -> None:
    site = Sitio(instituto.publicados[2], despues={"gub/index.html": instituto.publicados[3]})
    with abierto(site):
        seen = look(instituto, site)
    assert site.carpeta == instituto.publicados[3]
    assert all(one.igual for one in seen.muestras)
    assert seen.corte in (2, 3)


def test_a_cover_of_ours_tells_its_cut_although_the_stamp_is_missing(instituto: Instituto) -> None:
    with abierto(Sitio(instituto.publicados[2], estados={"corte.json": 404})) as site:
        seen = look(instituto, site)
    assert (seen.forma, seen.corte) == ("resultados", 2)
    assert "corte.json" in {one.ruta for one in seen.muestras if not one.igual}


def test_the_pages_of_ours_that_are_not_results_are_told_apart(instituto: Instituto) -> None:
    """The words are those of the difusor's own pages: if they change, this fails."""
    call = instituto.workspace.convocatoria
    stop = Interrupcion("suspension", FIRMADOS[1], FIRMADOS[1], texto="Falló.")
    shown = {
        "espera": [pages.espera(call)],
        "aviso": [
            pages.aviso(call),
            pages.aviso(call, stop),
            pages.aviso(call, replace(stop, causa="periodos")),
            pages.aviso(call, replace(stop, causa="ataque")),
        ],
        "otra": [pages.no_encontrada()],
    }
    for kind, made in shown.items():
        for page in made:
            body = f"<h1>{page.titulo}</h1>".encode()
            assert forma(body) == kind, page.titulo
            with abierto(Sitio(portada=body)) as site:
                seen = look(instituto, site)
            assert (seen.alcanzable, seen.forma, seen.corte, seen.muestras) == (True, kind, None, ())


def test_what_lies_open_behind_the_page_of_before_the_start_is_early(instituto: Instituto) -> None:
    """The cover waits, and whoever knows the address of the data reads them (GRO-1.1a)."""
    site = instituto.publicados[1]
    zero = json.loads((site / "manifiesto.json").read_bytes()) | {"corte": 0}
    signed = Fijo(clave="x")
    signed.firma(canonical_json(zero), INICIO - timedelta(hours=3))
    wait = b"<h1>Los resultados preliminares todav\xc3\xada no se publican</h1>"
    hidden = {"corte.json": 404}
    for leaks in (True, False):
        shown = Sitio(site, alterados={"index.html": wait}, estados=hidden) if leaks else Sitio(portada=wait)
        with abierto(shown):
            place = punto({"uno": shown}, Firmada(signed), ManualClock(INICIO - timedelta(hours=1)))
            seen = place.ronda(1).observaciones[0]
            place.close()
        assert (seen.forma, seen.corte) == (("resultados", 0) if leaks else ("espera", None))
        said = dictamina(
            "uno",
            ahora=seen.hora,
            reglas=Reglas.de(instituto.workspace.convocatoria),
            periodos=(),
            observaciones=[seen],
        )
        assert (said.veredicto, said.motivos) == (("alterado", ("ANTICIPADO",)) if leaks else ("al_dia", ()))


def test_who_does_not_answer_answers_an_error_or_drips_is_not_reached(instituto: Instituto) -> None:
    dead = look(instituto, Sitio(url=f"http://127.0.0.1:{free_port('127.0.0.1')}/"))
    assert (dead.alcanzable, dead.codigo, dead.estado) == (False, "RED", None)
    with abierto(Sitio(instituto.publicados[3], estados={"*": 503})) as site:
        down = look(instituto, site)
    assert (down.alcanzable, down.codigo, down.estado) == (False, "RED", 503)
    with abierto(Sitio(instituto.publicados[3], lentas={"corte.json": 30.0})) as site:
        start = time.monotonic()
        slow = look(instituto, site, respuesta_s=0.3)
        assert time.monotonic() - start < 3
    assert (slow.alcanzable, slow.codigo) == (False, "RED")
    assert slow.segundos >= 0.29


def test_a_slow_page_is_reached_and_its_seconds_are_told(instituto: Instituto) -> None:
    with abierto(Sitio(instituto.publicados[3], lentas={"": 0.3})) as site:
        seen = look(instituto, site)
    assert seen.alcanzable
    assert 0.3 <= seen.segundos < 3


def test_a_certificate_that_is_not_believed_is_wrong_tls_and_a_cut_connection_is_not(instituto: Instituto) -> None:
    """INE-II-a-iii-1."""
    ours, other = trustme.CA(), trustme.CA()
    context = ssl.create_default_context()
    ours.configure_trust(context)
    with abierto(Sitio(instituto.publicados[3]), autoridad=ours) as site:
        seen = look(instituto, site, tls=context)
    assert (seen.alcanzable, seen.corte) == (True, 3)
    assert seen.vence is not None
    assert seen.vence > datetime.now(seen.vence.tzinfo) + timedelta(days=1)
    for authority, name in ((other, "127.0.0.1"), (ours, "otro.example.mx")):
        with abierto(Sitio(instituto.publicados[3]), autoridad=authority, nombre=name) as site:
            wrong = look(instituto, site, tls=context)
        assert (wrong.alcanzable, wrong.codigo) == (False, "TLS")
        assert wrong.porque is not None
        assert "certificado" in wrong.porque
    with abierto(Sitio(instituto.publicados[3])) as plain:
        plain.url = plain.url.replace("http:", "https:")
        assert look(instituto, plain, tls=context).codigo == "TLS"
    gone = Sitio(url=f"https://127.0.0.1:{free_port('127.0.0.1')}/")
    assert look(instituto, gone, tls=context).codigo == "RED"


def test_headers_that_are_missing_or_let_the_cover_be_kept_are_told(instituto: Instituto) -> None:
    with abierto(Sitio(instituto.publicados[3], cabeceras={"Cache-Control": "public, max-age=3600"})) as site:
        seen = look(instituto, site)
    told = " ".join(seen.cabeceras)
    assert "content-security-policy" in told
    assert "3600" in told
    assert all(one.igual for one in seen.muestras)


def test_the_connection_is_kept_from_round_to_round_and_a_closed_one_is_no_failure(instituto: Instituto) -> None:
    port = free_port("127.0.0.1")
    catalog = Catalogo(instituto.workspace, clave="x")
    catalog.lee()
    place = None
    for _ in range(2):  # the server is restarted between the rounds, at the same port
        with abierto(Sitio(instituto.publicados[3]), puerto=port) as site:
            place = place or punto({"uno": site}, Firmada(catalog), instituto.clock)
            for number in (1, 2):
                assert place.ronda(number).observaciones[0].alcanzable
    assert place is not None
    place.close()


def test_a_portal_below_a_path_and_one_that_redirects_within_its_host_are_followed(instituto: Instituto) -> None:
    with abierto(Sitio(instituto.publicados[3].parent)) as site:
        site.url += "sitio-3"
        seen = look(instituto, site)
    assert (seen.corte, seen.url) == (3, site.url + "/")
    assert all(one.igual for one in seen.muestras)


def test_who_redirects_from_http_to_https_is_read_where_it_leads(instituto: Instituto) -> None:
    authority, context = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(context)
    with abierto(Sitio(instituto.publicados[3]), autoridad=authority) as safe:
        with abierto(Sitio(redirige=safe.url)) as door:
            seen = look(instituto, door, tls=context)
        with abierto(Sitio(redirige=safe.url.replace("127.0.0.1", "localhost"))) as away:
            other = look(instituto, away, tls=context)
    assert (seen.url, seen.corte) == (door.url, 3)
    assert len(seen.muestras) > 10
    assert all(one.igual for one in seen.muestras)
    assert any("strict-transport-security" in text for text in seen.cabeceras)
    assert (other.alcanzable, other.estado) == (False, 301)  # another host is another site


def test_credentials_of_a_closed_rehearsal_are_sent(instituto: Instituto) -> None:
    del instituto
    portal = Portal("http://127.0.0.1:9/", clock=SystemClock(), real=SystemClock(), acceso=("quien", "clave"))
    assert "clave" not in repr(portal)
    portal.close()


@pytest.mark.parametrize("seconds", [0.2])
def test_a_look_ends_although_every_file_is_slow(instituto: Instituto, seconds: float) -> None:
    names = [str(one.relative_to(instituto.publicados[3])) for one in instituto.publicados[3].rglob("*")]
    site = Sitio(instituto.publicados[3], lentas=dict.fromkeys(names, seconds))
    catalog = Catalogo(instituto.workspace, clave="x")
    catalog.lee()
    with abierto(site):
        portal = Portal(
            site.url, clock=instituto.clock, real=SystemClock(), limites=Limites(respuesta_s=1, mirada_s=1.0)
        )
        start = time.monotonic()
        look_ = portal.mira(lambda stamp, cover: Firmada(catalog).archivos(portal, "uno", 1, (), stamp, cover))
        assert time.monotonic() - start < 2.5
        portal.close()
    assert look_.alcanzable
    assert any(one.sha256 is None for one in look_.lecturas)
    assert not any(one.sha256 not in (None, one.esperado) for one in look_.lecturas)
