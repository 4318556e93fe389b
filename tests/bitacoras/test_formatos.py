"""The same requests, written by each kind of server, give the same measures; the format is found in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import AjustesError, FormatoError
from pregon.bitacoras.directivas import apache, nginx
from pregon.bitacoras.formatos import CONOCIDOS, json_format
from pregon.bitacoras.lectura import Fuente
from tests.bitacoras.medir import (
    CON_CACHE,
    CON_TIEMPO,
    FORMATOS,
    GOOGLEBOT,
    IIS_CAMPOS,
    SIN_AGENTE,
    Peticion,
    clf,
    combinado,
    cuentas,
    escribe,
    mide,
    una,
)

if TYPE_CHECKING:
    from pathlib import Path

PETICIONES = (
    Peticion(0, ruta="/", bytes=5000, referente="https://www.example.org/nota", cache="hit"),
    Peticion(1, ruta="/assets/portal-3f9a1c2b.css", bytes=700, estado=304, cache="hit"),
    Peticion(2, ruta="/datos/0007/gub/entidad.json", bytes=2100, ms=20, cache="miss"),
    Peticion(60, ruta="/gub/distrito-03/", bytes=9000, ms=40),
    Peticion(65, ruta="/no-esta", estado=404, bytes=300),
    Peticion(70, direccion="2001:db8::7", ruta="/", bytes=5000, ms=1234),
    Peticion(90, direccion="203.0.113.9", ruta="/", bytes=5000, agente=GOOGLEBOT),
    Peticion(95, metodo="HEAD", ruta="/", bytes=0),
    Peticion(4000, ruta="/base-de-datos/20210606_2240_PREP_CAMP.zip", bytes=123_456_789_012, ms=9876),
)


def test_every_known_format_is_written_here() -> None:
    assert set(FORMATOS) == {one.nombre for one in CONOCIDOS}


@pytest.mark.parametrize("name", FORMATOS)
def test_the_same_requests_measure_the_same_in_every_format(name: str, tmp_path: Path) -> None:
    line, head = FORMATOS[name]
    found = mide(escribe(tmp_path / "acceso", PETICIONES, line, head))
    assert found.archivos[0].formato == name
    assert (found.lineas, found.malos, found.ejemplos) == (len(PETICIONES), 0, ())
    one = una(found)
    assert (one.hits, one.bytes) == (9, 123_456_789_012 + 5000 * 3 + 700 + 2100 + 9000 + 300)
    assert cuentas(one.estados) == {"200": 7, "304": 1, "404": 1}
    assert cuentas(one.metodos) == {"GET": 8, "HEAD": 1}
    assert cuentas(one.tipos) == {"pagina": 6, "estilo": 1, "datos": 1, "paquete": 1}
    assert [(row.corte, row.contienda, row.hits) for row in one.por_corte] == [(7, "gub", 1)]
    assert [(row.contienda, row.paginas, row.hits) for row in one.por_contienda] == [("gub", 1, 2)]
    assert [row.desde for row in one.por_minuto] == [1623027600, 1623027660, 1623031560]
    assert (one.desde, one.hasta) == (1623027600, 1623031600)
    if name in SIN_AGENTE:  # Nobody says what they are: each address is somebody.
        assert (one.paginas, one.visitas, one.visitantes, one.hits_robots) == (4, 3, 3, 0)
        assert cuentas(one.navegadores) == {"Otro": 3}
    else:
        assert (one.paginas, one.visitas, one.visitantes, one.hits_robots) == (3, 2, 2, 1)
        assert cuentas(one.robots) == {"Googlebot": 1}
        assert cuentas(one.referentes) == {"www.example.org": 1}
        assert cuentas(one.navegadores) == {"Firefox": 2}
    assert (one.tiempos is not None) is (name in CON_TIEMPO)
    if one.tiempos is not None:
        assert (one.tiempos.n, one.tiempos.p50, one.tiempos.p95, one.tiempos.maximo) == (9, 5, 9870, 9870)
    if name in CON_CACHE:
        assert {k: v for k, v in cuentas(one.cache).items() if k != "-"} == {"hit": 2, "miss": 1}


APACHE = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %D'
NGINX = '$remote_addr - $remote_user [$time_local] $request_time "$request" $status $body_bytes_sent "$http_user_agent"'
RARO = '%{X-Forwarded-For}i|%{%Y-%m-%dT%H:%M:%S%z}t|%m|%U%q|%H|%>s|%B|%{ms}T|"%{User-Agent}i"|100%%'


def test_custom_formats_of_apache_and_nginx(tmp_path: Path) -> None:
    one = Peticion(ruta="/gub/", bytes=77, ms=250)
    lines = {
        "apache": (apache(APACHE), f"{combinado(one)} 250000"),
        "nginx": (
            nginx(NGINX),
            f'{one.direccion} - ana maría [{clf(one.hora)}] 0.250 "GET /gub/ HTTP/1.1" 200 77 "{one.agente}"',
        ),
    }
    for name, (formato, line) in lines.items():
        path = escribe(tmp_path / name, [one], lambda _, line=line: line)  # type: ignore[misc]
        found = mide(Fuente(path, formato=formato))
        measure = una(found)
        assert found.malos == 0
        assert (measure.hits, measure.bytes, measure.paginas, measure.desde) == (1, 77, 1, 1623027600)
        assert measure.tiempos is not None
        assert measure.tiempos.maximo == 250


def test_a_format_that_cannot_tell_its_fields_apart_is_refused() -> None:
    with pytest.raises(AjustesError, match="dos campos seguidos"):
        apache(RARO)
    with pytest.raises(AjustesError, match="no dice: hora, estado"):
        nginx('$remote_addr "$request"')
    with pytest.raises(AjustesError, match="falta «estado»"):
        json_format({"direccion": "$.ip", "hora": "$.t", "ruta": "$.u"})
    for path in ("$.a'; drop table tramos; --", "$", "a.b", "$.a'"):
        with pytest.raises(AjustesError, match="no es una ruta"):
            json_format({"direccion": path, "hora": "$.t", "ruta": "$.u", "estado": "$.s"})


def test_the_address_that_a_proxy_forwards_counts_only_where_asked(tmp_path: Path) -> None:
    formato = apache('%h %t "%r" %>s %b "%{User-Agent}i" "%{X-Forwarded-For}i"')
    lines = [
        f'10.0.0.1 [{clf(Peticion().hora)}] "GET / HTTP/1.1" 200 5 "{Peticion().agente}" "{given}"'
        for given in ("198.51.100.1, 10.0.0.9", "198.51.100.2", "-")
    ]
    path = tmp_path / "acceso"
    path.write_text("\n".join(lines) + "\n")
    assert una(mide(Fuente(path, formato=formato))).visitantes == 1
    assert una(mide(Fuente(path, formato=formato, reenvio=True))).visitantes == 3


def test_columns_that_change_in_the_middle_of_a_file_are_followed(tmp_path: Path) -> None:
    line, head = FORMATOS["w3c"]
    fewer = "#Fields: time date c-ip cs-method cs-uri-stem sc-status\n01:00:09 2021-06-07 203.0.113.5 GET /x.css 404\n"
    path = tmp_path / "u_ex210607.log"
    path.write_text(head + line(Peticion()) + "\n" + fewer + f"#Fields: {IIS_CAMPOS}\n" + line(Peticion(9)) + "\n")
    found = mide(path)
    assert (found.lineas, found.malos) == (3, 0)
    assert cuentas(una(found).estados) == {"200": 2, "404": 1}
    assert una(found).bytes == 2000


@pytest.mark.parametrize("name", ["combinado", "w3c", "cloudfront", "caddy"])
def test_line_ends_of_windows_and_a_mark_of_order_change_nothing(name: str, tmp_path: Path) -> None:
    line, head = FORMATOS[name]
    path = escribe(tmp_path / "acceso", PETICIONES, line, head)
    before = mide(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert mide(path) == before


def test_a_file_of_no_known_format_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "diario.txt"
    path.write_text("uno\ndos\ntres\n")
    good = escribe(tmp_path / "acceso.log", PETICIONES)
    with pytest.raises(FormatoError, match=r"diario\.txt.*3 renglones, 0") as caught:
        mide(good, path)
    assert "difusor.toml" in caught.value.que_hacer
