"""The night with the watch: what a portal shows is seen, judged and counted; our own delay counts for nobody."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import trustme

from pregon.base.red import free_port
from pregon.difusor import pointer
from pregon.instituto.monitor import puesto
from pregon.instituto.opera.vigilancia import CALLA
from pregon.instituto.registro import rotacion
from pregon.instituto.registro.almacen import Registro
from tests.instituto.monitor.portales import Sitio, abierto
from tests.instituto.opera.mesa import hora, mesa_de
from tests.instituto.registro.fichas import ANA, ficha
from tests.red.servidores.sshd import HOST, Sshd

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.opera.servicio import Servicio


def test_a_portal_that_stays_behind_is_seen_and_its_slot_fails_and_ours_does_not(tmp_path: Path) -> None:
    mesa = mesa_de(tmp_path)
    uno = mesa.difusor("diario-uno")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(mesa.carpeta / "ca.pem")
    mesa.extra = '[monitor]\nca = "ca.pem"\n'
    mesa.ajusta(vigila=True)
    rotacion.crea(Registro(mesa.espacio, entorno={}))
    site = Sitio(carpeta=uno.espacio.cortes / (pointer.read(uno.espacio) or "espera"))
    with abierto(site, autoridad=authority):
        registro = Registro(mesa.espacio, entorno={})
        registro.alta("diario-uno", ficha(mesa.espacio.convocatoria, url=site.url), ANA)
        registro.pasa("diario-uno", "admitido", ANA)  # Nobody says «activo»: the hour of the start does.
        service = mesa.servicio()
        mesa.llegan(hora(0))
        mesa.a_las(hora(0, 2))
        mesa.corre(service, vueltas=3)
        assert uno.recibe() == 1
        site.carpeta = uno.espacio.cortes / (pointer.read(uno.espacio) or "")
        mesa.a_las(hora(0, 19 * 60))
        mesa.corre(service, vueltas=2)
        # The institute misses the second slot: the portal is right to show the first cut.
        for minute in (5, 19):
            mesa.a_las(hora(1, minute * 60))
            mesa.corre(service, vueltas=2)
        # It signs the third, and this portal never shows it.
        mesa.llegan(hora(2), votes="41")
        for minute in (1, 12, 19):
            mesa.a_las(hora(2, minute * 60))
            mesa.corre(service, vueltas=2)
        mesa.a_las(hora(3, 30))
        mesa.corre(service, vueltas=2)
        closed = {one["periodo"]: one["resultado"] for one in mesa.sucesos("periodo")}
        said = [(one["veredicto"], one["causa"]) for one in mesa.sucesos("dictamen")]
        mesa.stop.set()
        service.termina()
        service.cierra()
    assert closed == {0: "cumplio", 1: "no_cuenta", 2: "fallo"}
    assert ("atrasado", "difusor") in said
    assert [one["periodo"] for one in mesa.sucesos("corte_perdido")] == [1]
    assert mesa.sucesos("advertencia"), "the first failed slot is warned of"
    assert Registro(mesa.espacio, entorno={}).uno("diario-uno").estado == "activo"


def test_another_point_is_heard_by_sftp_and_people_are_told_when_it_is_not(tmp_path: Path) -> None:
    """Silence that two networks see is the difusor's; with one point missing it is nobody's, and that is told."""
    mesa = mesa_de(tmp_path)
    disk, call, point = mesa.night.disk, mesa.espacio.convocatoria, tmp_path / "punto"
    public = puesto.inicia(
        point, punto="norte", convocatoria=call.id, instituto=call.instituto, ambiente="oficial", disk=disk
    )
    dead = f'difusor = "diario-uno"\nurls = ["http://127.0.0.1:{free_port("127.0.0.1")}/"]\n'
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Sshd(tmp_path / "sshd"))
        network = stack.enter_context(contextlib.ExitStack())
        witness = f'testigos = ["{network.enter_context(abierto(Sitio(portada=b"hola"))).url}"]\n'
        settings = (point / "observa.toml").read_text().replace("testigos = []\n", witness)
        (point / "observa.toml").write_text(f"{settings}[[portal]]\n{dead}")
        post = stack.enter_context(contextlib.closing(puesto.Puesto(point, disk=disk, clock=mesa.clock)))
        mesa.extra = (
            f'[monitor]\n{witness}[[monitor.portal]]\n{dead}[[monitor.remoto]]\npunto = "norte"\n'
            f'clave = "{public}"\nurl = "sftp://{server.usuario}@{HOST}:{server.puerto}{point / "salida"}"\n'
            f'llave = "{server.llave}"\nanfitriones = "{server.anfitriones}"\n'
        )
        mesa.ajusta(vigila=True)
        mesa.a_las(hora(0, -600))
        post.ronda()
        service = mesa.servicio()
        mesa.corre(service, vueltas=1)
        heard = [(one["veredicto"], one["causa"]) for one in mesa.sucesos("dictamen")]
        assert "PUNTOS" not in mesa.codigos("aviso")
        for minute in (4, 6):
            mesa.a_las(hora(0, -600 + minute * 60))
            mesa.corre(service, vueltas=1)
            assert ("PUNTOS" in mesa.codigos("aviso")) == (minute > CALLA)
        alone = [(one["veredicto"], one["causa"]) for one in mesa.sucesos("dictamen")][len(heard) :]
        mesa.a_las(hora(0, -600 + 7 * 60))
        post.ronda()
        mesa.corre(service, vueltas=1)
        assert "PUNTOS" in mesa.codigos("resuelta")
        server.apaga()
        mesa.a_las(hora(0, -600 + 8 * 60))
        mesa.corre(service, vueltas=1)
        told = missing(service)
        network.close()
        mesa.a_las(hora(0, -600 + 9 * 60))
        mesa.corre(service, vueltas=1)
        blind = missing(service)
        mesa.stop.set()
        service.termina()
        service.cierra()
    assert heard == [("inaccesible", "difusor")]
    assert alone == [("inaccesible", "sin_determinar")]
    assert told.startswith("«norte»: ")
    assert blind.startswith("«instituto» está sin red; «norte»: ")


def missing(service: Servicio) -> str:
    (found,) = [one.que_paso for one in service.alarmas.vigentes if one.codigo == "PUNTOS"]
    return found
