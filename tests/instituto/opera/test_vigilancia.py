"""The night with the watch: what a portal shows is seen, judged and counted; our own delay counts for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trustme

from pregon.difusor import pointer
from pregon.instituto.registro import rotacion
from pregon.instituto.registro.almacen import Registro
from tests.instituto.monitor.portales import Sitio, abierto
from tests.instituto.opera.mesa import hora, mesa_de
from tests.instituto.registro.fichas import ANA, ficha

if TYPE_CHECKING:
    from pathlib import Path


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
        registro.pasa("diario-uno", "admitido", ANA)
        registro.pasa("diario-uno", "activo", ANA)
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
