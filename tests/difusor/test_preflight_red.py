"""The network, the hour, the programs and the portal of a difusor against its call: real sockets, servers, clocks."""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon import __version__
from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.base.errors import FormatoError
from pregon.base.procesos import wait_until
from pregon.base.red import free_port
from pregon.cli.app import app
from pregon.convocatoria.clausulas import clausulas_de
from pregon.convocatoria.comprobacion import Comprobacion
from pregon.convocatoria.perfiles import ids, load
from pregon.difusor.cumplimiento.registros import lee_revision, lee_revisiones
from pregon.difusor.inicia import create
from pregon.difusor.libro import Libro
from pregon.difusor.preflight import hora, pagina, portador, programas, red, resumen, transferencia
from pregon.difusor.preflight.hora import Hora
from pregon.difusor.preflight.red import Escucha
from pregon.difusor.preflight.revision import Encargo, revisa
from pregon.difusor.preflight.transferencia import MB, Medida
from pregon.difusor.reloj import ClockReading
from pregon.difusor.settings import Reloj
from pregon.difusor.workspace import open_workspace
from pregon.sonda.sondeo import Puerto, Sondeo, Subida, lee
from pregon.sonda.tls import Tls, mira
from pregon.sonda.visita import Visita
from tests.difusor.conftest import files_of, tree_hashes
from tests.difusor.maquinas import Maquina as Arbol
from tests.difusor.maquinas import escribe
from tests.difusor.servidores import sirviendo
from tests.red.mundo import Liga, Mundo
from tests.red.servidores.nginx import Autoridad, Nginx, NginxCon, Sitio
from tests.red.servidores.rsyslog import Rsyslog
from tests.red.servidores.s3 import ESCRIBE, Seaweed
from tests.trust.conftest import INICIO

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pregon.difusor.workspace import Workspace
    from tests.difusor.conftest import Escena, EscenaFactory

HOST = "127.0.0.1"
AHORA = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)
BIEN = {
    "SOFTWARE_APACHE": "2.4.57",
    "SOFTWARE_OPENSSH": "8.7",
    "SOFTWARE_7Z": "16.02",
    "SOFTWARE_PYTHON": "3.8.18",
    "SOFTWARE_DOCKER": "24.0.7",
    "SOFTWARE_RSYNC": "3.2.7",
}


def cojea(found: Iterable[Comprobacion]) -> dict[str, tuple[str, str]]:
    """Code, with state and clause, of what is not well."""
    return {one.codigo: (one.estado, one.clausula or "") for one in found if one.estado != "bien"}


def difusor(folder: Path, call: str, raiz: bytes, *lines: str) -> Workspace:
    origin = "https://127.0.0.1:1/repositorio" if load(call).transporte.modo == "pull" else "entrada"
    text = [f'convocatoria = "{call}"', 'ambiente = "simulacro"', 'id = "diario-uno"', f'origen = "{origin}"']
    made = create(folder, "\n".join([*text, *lines, ""]), root=b'{"signed":{"_type":"root"}}', disk=Disk())
    made.raiz.write_bytes(raiz)  # of one institute for all the calls, which ``create`` would refuse
    return made


@pytest.mark.parametrize("call", ids())
def test_every_check_that_a_clause_names_is_made_for_its_call_and_nothing_changes(
    tmp_path: Path, escena: Escena, call: str
) -> None:
    raiz = (escena.repository.folder / "metadata" / "1.root.json").read_bytes()
    workspace = difusor(
        tmp_path / "difusor", call, raiz, "[reloj]", 'fuente = "ninguna"', "[servidor]", f'url = "http://{HOST}:1/"'
    )
    libro = Libro(workspace.open_state(SystemClock()))
    before = tree_hashes(workspace.folder)
    start = time.monotonic()
    order = Encargo(medir=False, raiz=escribe(tmp_path / "raiz", Arbol()))
    found = revisa(workspace, libro, clock=SystemClock(), visitantes=100, nucleos=2, encargo=order)
    assert time.monotonic() - start < 10
    assert tree_hashes(workspace.folder) == before
    named = {way.dato for one in clausulas_de(call) for way in one.como if way.modo == "revision"}
    made = {one.codigo for one in found}
    assert named <= made, named - made
    assert len(made) == len(found), "each code once"
    for one in found:
        assert one.clausula is not None or one.codigo not in named, one
        assert one.estado == "bien" or one.arreglo, one
        assert one.medido
        assert one.minimo
        if one.codigo == "IP_PUBLICA":
            assert one.estado == "falla"
            assert ("dispensa" in (one.arreglo or "")) is load(call).minimos.dispensa  # GRO-2.6


def test_minimums_are_the_worst_of_them_and_say_which() -> None:
    def one(code: str, state: Any) -> Comprobacion:
        return Comprobacion(code, None, "q", "m", "n", state, None)

    checks = [one("NUCLEOS", "bien"), one("RELOJ", "bien"), one("PUNTERO", "falla")]
    assert resumen.minimos("gro-2021", checks).estado == "bien", "the pointer is of tonight, not of the machine"
    worse = resumen.minimos("gro-2021", [*checks, one("NTP", "aviso"), one("IOPS", "falla")])
    assert (worse.estado, worse.clausula) == ("falla", "GRO-1.5a")
    assert worse.medido == "2 de 4 se cumplen; no alcanzan: IOPS; por confirmar: NTP"


# Programs.


def test_programs_of_this_machine_tell_their_versions() -> None:
    found = programas.lee()
    assert set(found) == {one.codigo for one in programas.PROGRAMAS}
    for code in ("SOFTWARE_OPENSSH", "SOFTWARE_APACHE", "SOFTWARE_7Z", "SOFTWARE_PYTHON", "SOFTWARE_RSYNC"):
        assert (found[code] or "")[:1].isdigit(), (code, found[code])


def test_a_program_that_tells_its_version_while_it_fails_and_one_that_does_not_work(tmp_path: Path) -> None:
    for name, body in (
        ("sshd", "echo 'sshd: unknown option -- V' >&2; echo 'OpenSSH_8.0p1, OpenSSL 1.1.1k' >&2; exit 1"),
        ("python3.8", "echo 'pyenv: python3.8: command not found' >&2; exit 127"),
        ("rsync", "exit 1"),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    found = programas.lee(str(tmp_path))
    assert found["SOFTWARE_OPENSSH"] == "8.0"
    assert found["SOFTWARE_PYTHON"] == ""
    assert found["SOFTWARE_RSYNC"] == ""
    assert found["SOFTWARE_7Z"] is None


@pytest.mark.parametrize("call", ids())
def test_a_machine_with_every_program_falls_short_of_none(call: str) -> None:
    assert cojea(programas.compara(load(call), BIEN)) == {}


@pytest.mark.parametrize(
    ("call", "change", "short"),
    [
        ("gro-2021", {"SOFTWARE_APACHE": "2.2.34"}, {"SOFTWARE_APACHE": ("falla", "GRO-2.3b")}),
        ("gro-2021", {"SOFTWARE_APACHE": None}, {"SOFTWARE_APACHE": ("falla", "GRO-2.3b")}),
        ("gro-2021", {"SOFTWARE_OPENSSH": "7.9"}, {"SOFTWARE_OPENSSH": ("falla", "GRO-2.3c")}),
        ("gro-2021", {"SOFTWARE_OPENSSH": "9.2"}, {"SOFTWARE_OPENSSH": ("aviso", "GRO-2.3c")}),
        ("gro-2021", {"SOFTWARE_7Z": None}, {"SOFTWARE_7Z": ("falla", "GRO-2.3d")}),
        ("gro-2021", {"SOFTWARE_PYTHON": "3.6.8"}, {"SOFTWARE_PYTHON": ("falla", "GRO-2.3e")}),
        ("gro-2021", {"SOFTWARE_PYTHON": "3.10.12"}, {"SOFTWARE_PYTHON": ("aviso", "GRO-2.3e")}),
        ("mex-2021", {"SOFTWARE_APACHE": "2.2.34"}, {"SOFTWARE_APACHE": ("falla", "MEX-II-1b")}),
        ("mex-2021", {"SOFTWARE_APACHE": "2.6.1"}, {}),  # «2.4 o superior»
        ("mex-2021", {"SOFTWARE_OPENSSH": "9.2"}, {}),  # protocol 2
        ("mex-2021", {"SOFTWARE_OPENSSH": "5.3"}, {"SOFTWARE_OPENSSH": ("aviso", "MEX-II-1c")}),
        (
            "dgo-2024",
            {"SOFTWARE_DOCKER": None},
            {"SOFTWARE_DOCKER": ("aviso", "DGO-II-c")},
        ),  # or an instance of its own
        ("dgo-2024", {"SOFTWARE_OPENSSH": None}, {"SOFTWARE_OPENSSH": ("falla", "DGO-II-d")}),
        ("dgo-2024", {"SOFTWARE_RSYNC": None}, {"SOFTWARE_RSYNC": ("falla", "")}),
        ("mor-2024", {"SOFTWARE_DOCKER": ""}, {"SOFTWARE_DOCKER": ("falla", "MOR-A1-1.2")}),
    ],
)
def test_a_program_that_is_not_there_or_is_older_is_named(
    call: str, change: dict[str, str | None], short: dict[str, tuple[str, str]]
) -> None:
    found = programas.compara(load(call), {**BIEN, **change})
    assert cojea(found) == short
    assert all(one.arreglo for one in found if one.estado != "bien")


def test_inside_a_container_docker_is_there_and_the_rest_is_of_the_host() -> None:
    found = programas.compara(load("dgo-2024"), {}, contenedor=True)
    assert {one.codigo: one.estado for one in found} == {
        "SOFTWARE_OPENSSH": "aviso",
        "SOFTWARE_DOCKER": "bien",
        "SOFTWARE_RSYNC": "aviso",
    }


# Addresses and ports.


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("187.141.5.20", True),
        ("2806:230:1::7", True),
        ("10.0.0.4", False),
        ("172.31.9.1", False),
        ("192.168.1.1", False),
        ("100.64.3.2", False),
        ("100.127.255.254", False),
        ("100.128.0.1", True),
        ("127.0.0.1", False),
        ("169.254.1.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::1", False),
        ("224.0.1.1", False),
        ("diario.mx", False),
    ],
)
def test_public_addresses_are_told_from_those_that_only_look_so(address: str, public: bool) -> None:  # noqa: FBT001 (a parameter of a table)
    assert red.es_publica(address) is public


def mirada(*puertos: Puerto, autorizado: bool = False, **more: Any) -> Sondeo:
    return Sondeo(AHORA, "gro-2021", "prep.diario.mx", autorizado, more.pop("direcciones", ()), puertos, **more)


def test_public_address_is_the_one_seen_from_outside() -> None:
    call = load("gro-2021")
    [none] = red.ip_publica(call, None, (), ())
    [local] = red.ip_publica(call, "prep.diario.mx", ("192.168.1.9",), ())
    [seen] = red.ip_publica(call, "prep.diario.mx", ("192.168.1.9",), (mirada(direcciones=("187.141.5.20",)),))
    [cgnat] = red.ip_publica(call, "prep.diario.mx", ("100.64.3.2",), ())
    assert [one.estado for one in (none, local, seen, cgnat)] == ["aviso", "falla", "bien", "falla"]
    assert "privada" in local.medido
    assert "CGNAT" in cgnat.medido
    assert local.clausula == "GRO-2.4b"
    assert red.ip_publica(load("ine-2021"), None, (), ()) == []
    assert red.direcciones_de(HOST) == (HOST,)


def test_listening_ports_are_read_from_the_kernel_of_this_machine() -> None:
    with socket.socket() as mine, socket.socket() as everybody, socket.socket(socket.AF_INET6) as six:
        six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        mine.bind((HOST, 0))
        everybody.bind(("0.0.0.0", 0))  # noqa: S104 (what is told apart)
        six.bind(("::1", 0))
        found = []
        for one in (mine, everybody, six):
            one.listen(1)
            found.append(one.getsockname()[1])
        here = {one.puerto: one.local for one in red.escuchas()}
        assert [here[port] for port in found] == [True, False, True]
    gone = {one.puerto for one in red.escuchas()}
    assert not gone.intersection(found)


TODO_ABIERTO = [Escucha(22, local=False), Escucha(80, local=False), Escucha(443, local=False)]
AJENO = (Puerto(80, "abierto", "abierto", publico=True), Puerto(443, "abierto", "abierto", publico=True))
CERRADOS = (Puerto(22, "cerrado", "cerrado"), Puerto(21, "cerrado", "cerrado"))


@pytest.mark.parametrize(
    ("here", "looks", "short"),
    [
        (TODO_ABIERTO, [mirada(*AJENO, *CERRADOS)], {}),
        (TODO_ABIERTO, [], {"PUERTOS_ABIERTOS": "aviso", "PUERTOS_CERRADOS": "aviso"}),
        (
            [Escucha(22, local=False), Escucha(80, local=False), Escucha(443, local=True)],
            [],
            {"PUERTOS_ABIERTOS": "falla", "PUERTOS_CERRADOS": "aviso"},
        ),
        (
            TODO_ABIERTO,
            [mirada(AJENO[0], Puerto(443, "abierto", "cerrado", publico=True), *CERRADOS)],
            {"PUERTOS_ABIERTOS": "falla"},
        ),
        (TODO_ABIERTO, [mirada(*AJENO, Puerto(22, "cerrado", "abierto"))], {"PUERTOS_CERRADOS": "falla"}),
        (TODO_ABIERTO, [mirada(*AJENO, *CERRADOS, Puerto(3306, "cerrado", "abierto"))], {"PUERTOS_CERRADOS": "falla"}),
        (
            TODO_ABIERTO,
            [mirada(*AJENO, *CERRADOS), mirada(*AJENO, Puerto(22, "abierto", "cerrado"), autorizado=True)],
            {"PUERTOS_CERRADOS": "falla"},
        ),
        (
            TODO_ABIERTO,
            [mirada(*AJENO, Puerto(22, "abierto", "abierto"), autorizado=True)],
            {"PUERTOS_CERRADOS": "aviso"},
        ),
        ([*TODO_ABIERTO, Escucha(21, local=False)], [mirada(*AJENO, *CERRADOS)], {"PUERTOS_CERRADOS": "falla"}),
    ],
)
def test_ports_count_as_they_are_seen_from_outside(
    here: list[Escucha], looks: list[Sondeo], short: dict[str, str]
) -> None:
    found = red.puertos(load("gro-2021"), here, looks)
    assert {one.codigo: one.estado for one in found if one.estado != "bien"} == short
    assert [one.clausula for one in found] == ["GRO-2.4c", "GRO-2.4c"]
    assert all(one.arreglo for one in found if one.estado != "bien")


# TLS.


@pytest.mark.parametrize(
    ("spoken", "state"),
    [
        (Tls(("1.2", "1.3"), None, AHORA), "bien"),
        (Tls(("1.2",), None, AHORA), "bien"),
        (Tls(("1.1", "1.2"), None, AHORA), "falla"),
        (Tls(("1.2", "1.3"), "certificate has expired", AHORA), "falla"),
        (Tls(()), "falla"),
        (None, "falla"),
        ("no responde", "falla"),
    ],
)
def test_tls_asks_for_the_version_of_the_call_and_nothing_below(spoken: Tls | str | None, state: str) -> None:
    [one] = red.tls(load("ine-2021"), "https://prep.diario.mx/", spoken)
    assert (one.estado, one.clausula) == (state, "INE-II-a-iii-1")
    assert bool(one.arreglo) is (state != "bien")


def test_versions_and_certificate_of_a_real_server(carpeta_abierta: Path) -> None:
    authority = Autoridad(carpeta_abierta / "autoridad")
    good, key = authority.firma("bueno", HOST)
    expired, its_key = authority.firma("vencido", HOST, vencido=True)
    ports = [free_port(HOST) for _ in range(3)]

    def server(port: int, protocols: str, certificate: Path, private: Path) -> str:
        return (
            f"server {{ listen {HOST}:{port} ssl; ssl_protocols {protocols}; ssl_ciphers ALL@SECLEVEL=0; "
            f"ssl_certificate {certificate}; ssl_certificate_key {private}; }}\n"
        ).replace("ALL@", "ALL:@")

    text = (
        server(ports[0], "TLSv1.2 TLSv1.3", good, key)
        + server(ports[1], "TLSv1 TLSv1.1 TLSv1.2", good, key)
        + server(ports[2], "TLSv1.3", expired, its_key)
    )
    trust = ssl.create_default_context(cafile=authority.ca)
    with NginxCon(carpeta_abierta / "nginx", text, ports):
        modern, old, late = (mira(HOST, port, tls=trust) for port in ports)
        stranger = mira(HOST, ports[0])
    assert (modern.versiones, modern.problema) == (("1.2", "1.3"), None)
    assert modern.vence is not None
    assert modern.vence > datetime.now(UTC) + timedelta(days=20)
    assert old.versiones == ("1.0", "1.1", "1.2")
    assert old.menor_que("1.2") == ("1.0", "1.1")
    assert late.versiones == ("1.3",)
    assert "expired" in (late.problema or "")
    assert stranger.problema is not None
    assert stranger.versiones == modern.versiones
    with pytest.raises(OSError, match="refused"):
        mira(HOST, ports[0])


# The hour and the log.

LECTURA = ClockReading("chrony", 0.001, AHORA)
EN_HORA = Hora(("chrony",), ("2.debian.pool.ntp.org",), 4, "2025b", ("rsyslog",), log=True)


@pytest.mark.parametrize(
    ("call", "change", "reading", "short"),
    [
        ("mex-2021", {}, LECTURA, {}),
        ("gro-2021", {"clientes": ()}, LECTURA, {"NTP": ("falla", "GRO-2.3f")}),
        ("gro-2021", {}, replace(LECTURA, desfase_s=3.5), {"RELOJ": ("falla", "GRO-2.3f")}),
        ("gro-2021", {}, replace(LECTURA, desfase_s=-3.5), {"RELOJ": ("falla", "GRO-2.3f")}),
        ("gro-2021", {}, replace(LECTURA, desfase_s=None), {"RELOJ": ("falla", "GRO-2.3f")}),
        ("dgo-2024", {"alcanza": 0}, LECTURA, {"NTP": ("falla", "DGO-II-e")}),
        ("mor-2024", {"alcanza": 0}, LECTURA, {"NTP": ("falla", "MOR-A1-1.4")}),
        ("mex-2021", {"servidores": ("ntp.empresa.mx",)}, LECTURA, {"NTP": ("aviso", "MEX-II-1d")}),
        ("mex-2021", {"log": False}, LECTURA, {"SYSLOG": ("falla", "MEX-II-1e")}),
        ("mex-2021", {"tzdata": "2021a"}, LECTURA, {"TZDATA": ("aviso", "")}),
        ("ine-2021", {"clientes": (), "log": False}, LECTURA, {}),  # it asks for neither
    ],
)
def test_clock_client_and_log_below_what_the_call_asks(
    call: str, change: dict[str, Any], reading: ClockReading, short: dict[str, tuple[str, str]]
) -> None:
    settings = Reloj(fuente="chrony")
    found = hora.compara(load(call), replace(EN_HORA, **change), reading, settings, oficial=True, contenedor=False)
    assert cojea(found) == short
    assert all(one.arreglo for one in found if one.estado != "bien")


def test_hour_of_a_machine_is_read_from_its_tree_and_its_log_from_a_real_one(tmp_path: Path) -> None:
    raiz = tmp_path / "raiz"
    for name, text in {
        "proc/101/comm": "chronyd\n",
        "proc/102/comm": "rsyslogd\n",
        "proc/103/comm": "bash\n",
        "etc/chrony/chrony.conf": "# server ninguno\npool 2.debian.pool.ntp.org iburst\nserver cronos.cenam.mx\n",
        "etc/chrony/sources.d/otro.sources": "server 192.0.2.1 iburst\n",
        "etc/systemd/timesyncd.conf": "[Time]\nNTP=a.example b.example\n",
        "usr/share/zoneinfo/tzdata.zi": "# version 2024b\n# more\n",
    }.items():
        (raiz / name).parent.mkdir(parents=True, exist_ok=True)
        (raiz / name).write_text(text)
    (raiz / "dev").mkdir()
    read = hora.lee(raiz, chronyc=("false",))
    assert read.clientes == ("chrony",)
    assert read.servidores == ("2.debian.pool.ntp.org", "cronos.cenam.mx", "192.0.2.1", "a.example", "b.example")
    assert (read.alcanza, read.tzdata, read.bitacoras, read.log) == (None, "2024b", ("rsyslog",), False)
    with Rsyslog(tmp_path / "rsyslog") as server:
        (raiz / "dev/log").symlink_to(server.unix)
        assert hora.lee(raiz, chronyc=("false",)).log
        assert server.lineas() == [], "it only looks"
    assert not hora.lee(raiz, chronyc=("false",)).log


CHRONYD = "pidfile {folder}/{name}.pid\nbindcmdaddress {folder}/{name}.sock\ncmdport 0\nuser root\n"


def test_client_of_a_real_chronyd_that_answers_and_of_one_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "raiz/proc/1").mkdir(parents=True)
    (tmp_path / "raiz/proc/1/comm").write_text("chronyd\n")
    tmp_path.chmod(0o770)  # chronyd asks it of the folder of its socket
    with Mundo(semilla=3) as mundo:
        server, client = mundo.host("hora"), mundo.host("difusor")
        mundo.une(server, client, Liga())
        started = []
        for host, name, text in (
            (server, "hora", "local stratum 3\nallow all\n"),
            (client, "bien", f"server {server.ip} iburst\n"),
            (client, "mal", f"server {server.ip} port 9123 iburst\n"),
        ):
            (tmp_path / f"{name}.conf").write_text(CHRONYD.format(folder=tmp_path, name=name) + text)
            started.append(host.corre(["chronyd", "-d", "-x", "-f", tmp_path / f"{name}.conf"]))

        def reads(name: str) -> int | None:
            return hora.lee(tmp_path / "raiz", chronyc=("chronyc", "-h", str(tmp_path / f"{name}.sock"))).alcanza

        wait_until(lambda: reads("bien") == 1, started[1], timeout=20, what="chronyd")
        wait_until(lambda: reads("mal") is not None, started[2], timeout=20, what="chronyd")
        assert reads("mal") == 0
        assert reads("ninguno") is None


# The portal.


def test_portal_is_free_and_visited_through_its_public_address(escena_abierta: Escena) -> None:
    escena_abierta.cut(1)
    assert escena_abierta.receiver().run_once().error is None
    workspace, watch = escena_abierta.workspace, SystemClock()
    call = workspace.convocatoria.model_copy(update={"respuesta_max_s": 10})
    workspace = replace(workspace, convocatoria=call)
    with sirviendo("caddy", workspace, escena_abierta.folder / "caddy") as url:
        seen = pagina.mira(url, clock=watch, rutas=("datos/0001/gub/entidad.json",), segundos=10)
        broken = pagina.mira(url, clock=watch, rutas=("datos/9999/nada.json",), segundos=10)
    gone = pagina.mira(url, clock=watch, rutas=(), segundos=10)
    assert seen.visita is not None
    assert (seen.visita.peticiones, seen.visita.fallas) == (4, ())  # cover, its style, corte.json and the data
    assert {one.codigo: one.estado for one in pagina.compara(workspace, seen, ())} == {
        "SIN_COSTO": "bien",
        "TIEMPO_DE_PAGINA": "bien",
    }
    slow = [mirada(pagina=Visita(12.5, 9, 1))]
    assert cojea(pagina.compara(workspace, seen, slow)) == {"TIEMPO_DE_PAGINA": ("falla", "")}
    assert cojea(pagina.compara(workspace, broken, ())) == {"TIEMPO_DE_PAGINA": ("falla", "")}
    assert set(cojea(pagina.compara(workspace, gone, ()))) == {"SIN_COSTO", "TIEMPO_DE_PAGINA"}


@pytest.mark.parametrize(
    ("answer", "state"),
    [("return 401;", "falla"), ("return 402;", "falla"), ("return 302 https://paga.example/;", "falla")],
)
def test_a_portal_that_asks_for_something_is_not_free(escena_abierta: Escena, answer: str, state: str) -> None:
    port = free_port(HOST)
    with NginxCon(escena_abierta.folder / "n", f"server {{ listen {HOST}:{port}; {answer} }}", [port]):
        seen = pagina.mira(f"http://{HOST}:{port}/", clock=SystemClock(), rutas=(), segundos=5)
    [one] = pagina.compara(escena_abierta.workspace, seen, ())
    assert (one.codigo, one.estado) == ("SIN_COSTO", state)
    assert answer.split()[1].strip(";") in one.medido


# Carrier, cloud and transfer.


def test_carrier_needs_its_port_its_folder_and_its_origin(tmp_path: Path, escena: Escena) -> None:
    raiz = (escena.repository.folder / "metadata" / "1.root.json").read_bytes()
    pushed = difusor(tmp_path / "gro", "gro-2021", raiz)
    listening = [Escucha(22, local=False)]
    one = portador.portador(pushed, listening, SystemClock())
    assert (one.estado, one.clausula) == ("bien", "GRO-2.1a"), one
    closed = portador.portador(pushed, [Escucha(22, local=True)], SystemClock())
    assert closed.estado == "falla"
    assert "nadie escucha en 22" in closed.medido
    assert "configura sshd" in (closed.arreglo or "")
    pushed.entrada.rmdir()
    assert portador.portador(pushed, listening, SystemClock()).estado == "falla"
    elsewhere = portador.portador(escena.workspace, listening, SystemClock())
    assert elsewhere.estado == "aviso"
    read = portador.portador(difusor(tmp_path / "ine", "ine-2021", raiz), [], SystemClock())
    assert (read.estado, read.clausula) == ("falla", "INE-II-a-ii-1")


def test_cloud_is_asked_for_where_the_call_does(tmp_path: Path, escena: Escena) -> None:
    raiz = (escena.repository.folder / "metadata" / "1.root.json").read_bytes()
    [none] = portador.nube(difusor(tmp_path / "sin", "ine-2021", raiz))
    assert (none.estado, none.clausula) == ("falla", "INE-II-a")
    assert list(portador.nube(difusor(tmp_path / "mex", "mex-2021", raiz))) == []
    port = free_port(HOST)
    nube = f'[[nube]]\nnombre = "uno"\nurl = "s3://deposito/prep"\nextremo = "http://{HOST}:{port}"\n'
    key = tmp_path / "secreto"
    key.write_text("x" * 40)
    key.chmod(0o600)
    nube += f'clave_acceso = "CLAVE"\nsecreto = "archivo:{key}"\n'
    [gone] = portador.nube(difusor(tmp_path / "con", "ine-2021", raiz, nube))
    assert gone.estado == "falla"
    assert "sin purga" in gone.medido
    assert "[nube.purga]" in (gone.arreglo or "")


@pytest.mark.aguante
def test_cloud_that_answers_with_purge_is_well(tmp_path: Path, escena: Escena) -> None:
    raiz = (escena.repository.folder / "metadata" / "1.root.json").read_bytes()
    with Seaweed(tmp_path / "s3") as server:
        place = server.lugar("prep")
        words = {"clave": ESCRIBE[1], "vacia": "x" * 40}
        for name, text in words.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o600)

        def nube(name: str, secret: str) -> Comprobacion:
            text = (
                f'[[nube]]\nnombre = "uno"\nurl = "{place.url}"\nextremo = "{place.extremo}"\n'
                f'clave_acceso = "{ESCRIBE[0]}"\nsecreto = "archivo:{tmp_path / secret}"\n'
                f'publica = "http://{HOST}:1/"\n[nube.purga]\ntipo = "nginx"\n'
                f'equipos = ["http://{HOST}:1"]\nsecreto = "archivo:{tmp_path / "clave"}"\n'
            )
            [one] = portador.nube(difusor(tmp_path / name, "ine-2021", raiz, text))
            return one

        assert nube("bien", "clave").estado == "bien"
        wrong = nube("mal", "vacia")
        assert wrong.estado == "falla"
        assert wrong.arreglo
        assert server.objetos("prep") == {}, "it only looks"


def test_origin_that_answers_and_the_rate_of_a_real_package(escena_factory: EscenaFactory, tmp_path: Path) -> None:
    authority = Autoridad(tmp_path / "autoridad")
    folder = tmp_path / "noche" / "repositorio"
    with Nginx(tmp_path / "nginx", folder, {"uno": Sitio(authority.firma("uno"))}) as server:
        escena = escena_factory("noche", origen=server.url("uno"))
        toml = escena.workspace.folder / "difusor.toml"
        toml.write_text(f'{toml.read_text()}[acceso]\nca = "{authority.ca}"\n')
        escena = replace(escena, workspace=open_workspace(escena.workspace.folder))
        size = {"tam_max_mb": 40}
        pull = escena.workspace.convocatoria.model_copy(
            update={
                "transporte": escena.workspace.convocatoria.transporte.model_copy(update={"modo": "pull"}),
                "paquete": escena.workspace.convocatoria.paquete.model_copy(update=size),
            }
        )
        workspace = replace(escena.workspace, convocatoria=pull)
        assert portador.portador(workspace, [], SystemClock()).estado == "bien"
        assert transferencia.del_origen(workspace, escena.libro, SystemClock()) is None, "nothing came yet"
        escena.cut(1, {**files_of(1, INICIO), "datos/0001/relleno.bin": os.urandom(4 * MB)})
        receiver = escena.receiver()
        assert receiver.run_once().error is None
        receiver.close()
        before = tree_hashes(workspace.folder)
        measured = transferencia.del_origen(workspace, escena.libro, SystemClock())
        assert tree_hashes(workspace.folder) == before
    assert measured is not None
    assert 40 * MB <= measured.bytes < 50 * MB
    assert measured.mbps > 20
    gone = portador.portador(workspace, [], SystemClock())
    assert gone.estado == "falla"
    assert gone.arreglo


@pytest.mark.parametrize(
    ("call", "measured", "short"),
    [
        ("gro-2021", Medida(550 * MB, 100.0, "x"), {}),  # 44 Mbit/s
        (
            "gro-2021",
            None,
            {
                "ANCHO_DE_BANDA": ("aviso", "GRO-2.2a"),
                "TRANSFERENCIA_40": ("aviso", "GRO-2.2b"),
                "TRANSFERENCIA_550": ("aviso", "GRO-2.2b"),
            },
        ),
        ("gro-2021", Medida(40 * MB, 20.0, "x"), {"ANCHO_DE_BANDA": ("falla", "GRO-2.2a")}),  # 16 Mbit/s: 275 s
        (
            "gro-2021",
            Medida(40 * MB, 100.0, "x"),
            {"ANCHO_DE_BANDA": ("falla", "GRO-2.2a"), "TRANSFERENCIA_550": ("falla", "GRO-2.2b")},
        ),
        ("gro-2021", Medida(40 * MB, 20.0, "x", justa=False), {"ANCHO_DE_BANDA": ("aviso", "GRO-2.2a")}),
        ("dgo-2024", Medida(40 * MB, 4.0, "x"), {"ANCHO_DE_BANDA": ("falla", "DGO-II-net-a")}),
        ("mor-2024", Medida(40 * MB, 4.0, "x"), {"ANCHO_DE_BANDA": ("falla", "MOR-A1-3.1")}),
        ("mex-2021", Medida(40 * MB, 40.0, "x"), {"ANCHO_DE_BANDA": ("falla", "MEX-II-2a")}),
        ("ine-2021", Medida(40 * MB, 8.0, "x"), {"ANCHO_DE_BANDA": ("falla", "INE-II-a-iii-2a")}),
    ],
)
def test_a_link_below_what_the_call_asks_is_named(
    tmp_path: Path, escena: Escena, call: str, measured: Medida | None, short: dict[str, tuple[str, str]]
) -> None:
    workspace = replace(escena.workspace, convocatoria=load(call))
    assert cojea(transferencia.compara(workspace, measured, ())) == short
    slow_up = [mirada(subida=Subida(MB, 8.0))]
    up = {one.codigo: one for one in transferencia.compara(workspace, measured, slow_up)}
    assert up["ANCHO_DE_BANDA"].estado == "falla"
    assert "de subida" in up["ANCHO_DE_BANDA"].medido


# The command.


def test_kept_result_is_whole_and_only_where_it_is_asked_for(escena: Escena, tmp_path: Path) -> None:
    folder = escena.workspace.folder
    kept = folder / "cumplimiento" / "revision.json"
    look = tmp_path / "sondeo.json"
    look.write_text(json.dumps(mirada(*AJENO).to_json()))
    plain = CliRunner().invoke(app, ["difusor", "revisa", str(folder), "--json", "--sondeo", str(look)])
    first = {one["codigo"]: one for one in json.loads(plain.stdout)["comprobaciones"]}
    assert first["REVISION_GUARDADA"]["estado"] == "aviso"
    assert not kept.exists()
    answer = CliRunner().invoke(app, ["difusor", "revisa", str(folder), "--json", "--guarda"])
    told = json.loads(answer.stdout)
    data = json.loads(kept.read_bytes())
    assert set(told) == {"ok", "comprobaciones"}
    assert (data["version"], data["comprobaciones"]) == (__version__, told["comprobaciones"])
    assert datetime.fromisoformat(data["hora"]).tzinfo is not None
    before = kept.read_bytes()
    again = json.loads(CliRunner().invoke(app, ["difusor", "revisa", str(folder), "--json"]).stdout)
    assert {one["codigo"]: one["estado"] for one in again["comprobaciones"]}["REVISION_GUARDADA"] == "bien"
    assert kept.read_bytes() == before
    old = resumen.guardada(open_workspace(folder), datetime.now(UTC) + timedelta(days=31), se_guarda=False)
    assert old.estado == "aviso"


def test_an_earlier_proof_stays_and_what_it_measured_is_not_lost(escena: Escena) -> None:
    """A short preflight after a long one: the transfer of 550 MB, a good link and a bad disk are still told."""
    workspace = replace(escena.workspace, convocatoria=load("ine-2021"))
    first = datetime(2021, 5, 1, 12, tzinfo=UTC)
    fast = list(transferencia.compara(workspace, Medida(550 * MB, 5.0, "https://origen"), ()))
    slow_disk = Comprobacion("IOPS", None, "El disco", "90 por segundo", "500 por segundo", "falla", "Otro disco.")
    resumen.guarda(workspace, [*fast, slow_disk], first, disk=Disk())
    unmeasured = [
        *transferencia.compara(workspace, None, ()),
        replace(slow_disk, medido="no se midió", estado="aviso", arreglo="Mida.", medida=False),
    ]
    assert {one.estado for one in unmeasured} == {"aviso"}
    now = first
    for day in (3, 20, 29):
        now = first + timedelta(days=day)
        found = {one.codigo: one for one in resumen.con_lo_medido(workspace, unmeasured, now)}
        assert found["ANCHO_DE_BANDA"].estado == "bien"
        assert found["ANCHO_DE_BANDA"].medido == (
            "880.0 Mbit/s de bajada (https://origen) (medido el 2021-05-01 12:00 UTC)"
        )
        assert (found["IOPS"].estado, found["IOPS"].arreglo) == ("falla", "Otro disco.")
        resumen.guarda(workspace, list(found.values()), now, disk=Disk())
    kept = lee_revisiones(workspace.folder)
    assert [one.hora for one in kept] == [first + timedelta(days=day) for day in (0, 3, 20, 29)]
    assert kept[0].comprobaciones[0]["medido"] == fast[0].medido
    latest = lee_revision(workspace.folder)
    assert latest is not None
    assert (latest.hora, latest.comprobaciones) == (now, kept[-1].comprobaciones)
    # Too old, or against another minimum, it proves nothing; and what is measured again is what counts.
    late = resumen.con_lo_medido(workspace, unmeasured, first + timedelta(days=31))
    assert {one.estado for one in late} == {"aviso"}
    stricter = [replace(one, minimo="más") for one in unmeasured]
    assert resumen.con_lo_medido(workspace, stricter, now) == stricter
    worse = list(transferencia.compara(workspace, Medida(550 * MB, 500.0, "https://origen"), ()))
    assert resumen.con_lo_medido(workspace, worse, now) == worse


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"formato": "pregon/sondeo/1"}', "{" * 9999])
def test_a_look_that_is_none_is_refused_before_anything_is_checked(escena: Escena, tmp_path: Path, text: str) -> None:
    path = tmp_path / "sondeo.json"
    path.write_text(text)
    with pytest.raises(FormatoError, match="no es un sondeo"):
        lee([path])
    answer = CliRunner().invoke(
        app, ["difusor", "revisa", str(escena.workspace.folder), "--guarda", "--sondeo", str(path)]
    )
    assert answer.exit_code == 65
    assert not (escena.workspace.folder / "cumplimiento").exists()
