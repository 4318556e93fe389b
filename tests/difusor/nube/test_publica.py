"""A release in a real object store: what is there, in which order it came, what travelled, and what was removed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import AjustesError, ComprobacionError, DestinoError, DiscoError, InstanciaError, RedError
from pregon.difusor.gemelos import GZ
from pregon.difusor.historia.respaldo import respalda
from pregon.difusor.historia.restauracion import restaura
from pregon.difusor.nube.cuerpos import PARTE_BYTES
from pregon.difusor.nube.instancia import propia
from pregon.difusor.nube.plan import PRIVADO, Fase, fase_de
from pregon.difusor.servidor.sitio import INMUTABLE
from pregon.difusor.workspace import open_workspace
from pregon.trust.firmas import unpack
from pregon.trust.verified import Identity
from tests.difusor.conftest import files_of
from tests.difusor.nube.conftest import Portal
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from tests.difusor.conftest import EscenaFactory
    from tests.difusor.nube.conftest import Deposito
    from tests.red.paso import Peticion

ENSAYO = Identity("demo-2027", "iedemo", "simulacro")
FIJO = b'{"seccion": 1, "lista_nominal": 750, "nota": "igual en todos los cortes"}\n' * 40


def arbol(corte: int, **more: bytes) -> dict[str, bytes]:
    """A package of which some data never change content, only address."""
    fixed = {f"datos/{corte:04d}/gub/seccion/{n:04d}.json": FIJO + b"%d" % n for n in range(3)}
    twins = {f"datos/{corte:04d}/gub/casilla/{n}.json": FIJO for n in range(2)}
    return {**files_of(corte, INICIO + INTERVALO * corte), **fixed, **twins, **more}


def test_the_whole_release_as_its_reader_gets_it(portal: Portal) -> None:
    """INE-II-a: what is in the cloud is byte by byte what the institute signed, with what a browser must know of it."""
    portal.recibe(1, arbol(1))
    cambio = portal.publica()
    assert portal.deposito.contenidos() == portal.debe()
    fichas = portal.deposito.fichas()
    changing = "public, max-age=0, s-maxage=1200"
    assert fichas["index.html"].cabeceras == ("text/html; charset=utf-8", changing, "gzip")
    assert fichas["datos/0001/gub/entidad.json"].cabeceras == ("application/json", INMUTABLE, "gzip")
    assert fichas["avisos.json"].cabeceras == ("application/json", "public, max-age=0, s-maxage=60", None)
    assert {ruta: ficha.sha256 for ruta, ficha in fichas.items()} == portal.debe()
    assert {ficha.de for ficha in fichas.values()} == {f"diario-uno/{portal.escena.identity.convocatoria}/oficial"}
    # Compressed once, by whoever made the twin.
    sha256 = portal.debe()["index.html"]
    store = portal.escena.workspace.objetos
    assert portal.deposito.hay()["index.html"] == (store / sha256[:2] / (sha256 + GZ)).read_bytes()
    assert {"/", "/index.html", "/gub/", "/corte.json", "/avisos.json"} <= set(cambio.rutas)
    assert not any(ruta.startswith("/datos/") for ruta in cambio.rutas)
    assert cambio.esperado["/gub/"] == portal.debe()["gub/index.html"]


def test_order_of_upload(portal: Portal) -> None:
    """Nothing is named before it is there, at each of two cuts; ``corte.json`` last of all."""
    for corte in (1, 2):
        portal.corta(corte, arbol(corte))
        done = portal.deposito.paso.hechas
        put = [portal.deposito.ruta(one) for one in done if one.metodo == "PUT"]
        phases = [fase_de(ruta) for ruta in put if not ruta.startswith(PRIVADO)]
        assert phases == sorted(phases)
        assert set(phases) == set(Fase)
        assert portal.deposito.subidas()[-1] == "corte.json"


def test_only_what_changed_travels(portal: Portal) -> None:
    """Second cut: its changed contents, once each; what only changed its address is copied by the store itself."""
    portal.corta(1, arbol(1))
    before = set(portal.debe().values())
    cambio = portal.corta(2, arbol(2))
    assert portal.deposito.contenidos() == portal.debe()
    fresh = {ruta for ruta, sha256 in portal.debe().items() if sha256 not in before}
    assert set(portal.deposito.subidas()) == fresh
    assert len(fresh) == cambio.objetos
    assert set(portal.deposito.copiadas()) == {ruta for ruta in arbol(2) if "/seccion/" in ruta or "/casilla/" in ruta}
    hay = portal.deposito.hay()
    changed = sum(len(hay[ruta]) for ruta in fresh)
    assert portal.deposito.bytes_subidos() == changed == cambio.bytes  # <= 1.05 of the changed bytes: 1.00
    assert "/assets/estilo.css" not in cambio.rutas


def test_one_content_at_two_addresses_of_one_cut_travels_once(portal: Portal) -> None:
    cambio = portal.corta(1, arbol(1))
    same = [ruta for ruta in arbol(1) if "/casilla/" in ruta]
    assert len(same) == 2
    assert len(set(same) & set(portal.deposito.subidas())) == 1
    assert cambio.copiados == 1


def test_nothing_new_asks_nothing(portal: Portal) -> None:
    portal.corta(1)
    portal.deposito.paso.olvida()
    cambio = portal.publica()
    assert portal.deposito.paso.todas == []
    assert (cambio.rutas, cambio.objetos, cambio.copiados, cambio.quitados) == ((), 0, 0, 0)


def test_what_changed_is_told_until_somebody_heard(portal: Portal) -> None:
    """Killed between the upload and the purge: the next process still says what to purge."""
    portal.corta(1)
    portal.recibe(2)
    told = portal.publicacion.muestra(*portal.ultimo())
    again = portal.otra()
    assert again.muestra(*portal.ultimo()).rutas == told.rutas
    assert {"/", "/corte.json"} <= set(told.rutas)
    again.purgado(told.rutas)
    assert again.muestra(*portal.ultimo()).rutas == ()
    assert portal.otra().muestra(*portal.ultimo()).rutas == ()


def test_old_data_go_after_the_last_visible_cut_and_old_pages_after_the_switch(
    escena_factory: EscenaFactory, almacen: Deposito
) -> None:
    portal = Portal(escena_factory(extra="cortes_visibles = 2"), almacen, almacen.ajustes())
    portal.corta(1, arbol(1, **{"gub/especial.html": b"<!doctype html><title>Especial</title>"}))
    cambio = portal.corta(2, arbol(2))
    assert "/gub/especial.html" in cambio.rutas
    assert "/gub/especial.html" not in cambio.esperado
    assert cambio.quitados == 1
    assert "datos/0001/gub/entidad.json" in almacen.hay()
    assert [one.metodo for one in almacen.paso.hechas][-1] == "POST"  # removed when corte.json was there already
    assert almacen.subidas()[-1] == "corte.json"
    cambio = portal.corta(3, arbol(3))
    assert {ruta.split("/")[1] for ruta in almacen.hay() if ruta.startswith("datos/")} == {"0002", "0003"}
    assert cambio.quitados == sum(1 for ruta in arbol(1) if ruta.startswith("datos/"))
    assert almacen.contenidos() == portal.debe()


def test_nothing_at_all_before_the_start(portal: Portal) -> None:
    """The package before the start is received, and the bucket is not even asked."""
    portal.escena.clock.instant = INICIO - timedelta(minutes=30)
    portal.escena.sign(0, hora_corte=INICIO)
    assert portal.receiver.run_once().error is None
    assert portal.escena.libro.cortes()[-1].corte == 0
    with pytest.raises(ComprobacionError, match="espera"):
        portal.publica()
    assert portal.deposito.paso.todas == []
    assert portal.deposito.hay() == {}


def test_a_difusor_that_shows_something_else_meanwhile_stops(portal: Portal) -> None:
    """Suspended while data go up: no page of that cut follows them."""
    portal.corta(1)
    pages = {ruta: sha for ruta, sha in portal.deposito.contenidos().items() if not ruta.startswith("datos/")}
    portal.recibe(2)
    receiver = portal.receiver

    def suspend(one: object) -> None:
        del one
        portal.deposito.paso.regla = lambda _: None
        portal.escena.aviso("suspension")
        assert receiver.run_once().error is None

    portal.deposito.paso.regla = suspend
    with pytest.raises(ComprobacionError, match="aviso"):
        portal.publica()
    now = portal.deposito.contenidos()
    assert {ruta: sha for ruta, sha in now.items() if not ruta.startswith("datos/")} == pages


def test_state_lost_is_looked_at_not_sent_again(portal: Portal) -> None:
    portal.corta(1, arbol(1))
    portal.corta(2, arbol(2))
    (portal.escena.workspace.folder / "nube" / "nube.json").unlink()
    portal.deposito.paso.olvida()
    again = portal.otra()
    cambio = again.muestra(*portal.ultimo())
    assert (cambio.objetos, cambio.copiados, cambio.quitados) == (0, 0, 0)
    assert {one.metodo for one in portal.deposito.paso.todas} == {"GET", "HEAD"}
    assert {"/", "/gub/", "/corte.json"} <= set(cambio.rutas)  # nobody knows what the edge was told
    assert portal.deposito.contenidos() == portal.debe()
    assert again.mostrado == "0002"


def test_what_somebody_altered_or_removed_is_put_back_and_purged(portal: Portal) -> None:
    """Found at the next start: only that is sent, its addresses are purged, and the journal says so."""
    portal.corta(1, arbol(1))
    data = "datos/0001/gub/entidad.json"
    portal.deposito.pon("index.html", b"<h1>Otro resultado</h1>")
    portal.deposito.pon(data, b"{}")
    portal.deposito.quita("gub/index.html")
    portal.deposito.pon("anadida.html", b"de quien sea")
    portal.deposito.paso.olvida()
    cambio = portal.publica(portal.otra())
    assert sorted(portal.deposito.subidas()) == sorted(["index.html", data, "gub/index.html"])
    assert set(cambio.rutas) == {"/", "/index.html", "/gub/", "/gub/index.html", f"/{data}"}
    assert portal.deposito.contenidos() == {
        **portal.debe(),
        "anadida.html": hashlib.sha256(b"de quien sea").hexdigest(),  # nobody's of ours: it is not ours to remove
    }
    told = [event for event in portal.escena.state().events() if event.tipo == "nube_alterada"]
    assert [event.dato["total"] for event in told] == [3]


def test_a_liar_with_our_mark_is_not_believed(portal: Portal) -> None:
    """Its metadata say the right SHA-256, its bytes are others: state lost or not, the bytes decide."""
    portal.corta(1)
    liar = portal.otra(portal.deposito.ajustes())
    cubo = liar._cubo
    from pregon.difusor.nube.cuerpos import Cuerpo

    right = portal.deposito.fichas()["index.html"]
    assert right.sha256 is not None
    assert right.de is not None
    false = portal.deposito.hay()["gub/index.html"]
    cubo.pon("index.html", Cuerpo(false, len(false), ""), right.cabeceras, sha256=right.sha256, de=right.de)
    (portal.escena.workspace.folder / "nube" / "nube.json").unlink()
    portal.deposito.paso.olvida()
    portal.publica(portal.otra())
    assert portal.deposito.subidas() == ["index.html"]
    assert portal.deposito.contenidos() == portal.debe()


def test_the_list_is_asked_again_every_hour(escena_factory: EscenaFactory, almacen: Deposito) -> None:
    escena = escena_factory()
    portal = Portal(escena, almacen, almacen.ajustes(), clock=escena.clock)
    portal.corta(1)
    almacen.quita("gub/index.html")
    almacen.paso.olvida()
    portal.publica()
    assert almacen.paso.todas == []
    escena.clock.sleep(3600)
    portal.publica()
    assert almacen.subidas() == ["gub/index.html"]
    assert almacen.contenidos() == portal.debe()


def test_several_convocatorias_in_one_bucket(escena_factory: EscenaFactory, almacen: Deposito) -> None:
    """Each below its prefix, and none reaches another's: not even one that is given the other's place."""
    one = Portal(escena_factory("una"), almacen, almacen.ajustes(prefijo=f"{almacen.prefijo}/una"))
    other = Portal(escena_factory("otra", identity=ENSAYO), almacen, almacen.ajustes(prefijo=f"{almacen.prefijo}/otra"))
    one.corta(1)
    other.corta(1)
    before = almacen.hay()
    assert {ruta.split("/")[0] for ruta in before} == {"una", "otra"}
    wrong = other.otra(one.ajustes)
    with pytest.raises(DestinoError) as caught:
        wrong.muestra(*other.ultimo())
    assert "publica otro" in caught.value.que_paso
    assert "prefijo" in caught.value.que_hacer
    one.corta(2)
    after = almacen.hay()
    assert {ruta: raw for ruta, raw in after.items() if ruta.startswith("otra/")} == {
        ruta: raw for ruta, raw in before.items() if ruta.startswith("otra/")
    }
    # A prefix that holds another one: what is below is not its own, so it stays.
    above = other.otra(almacen.ajustes())
    above.muestra(*other.ultimo())
    assert {ruta: raw for ruta, raw in almacen.hay().items() if "/" in ruta and ruta.split("/")[0] == "una"} == {
        ruta: raw for ruta, raw in after.items() if ruta.startswith("una/")
    }


def test_originals_below_the_prefix_are_not_touched(portal: Portal) -> None:
    portal.corta(1)
    portal.deposito.pon("historico/0001/manifiesto.json", b"{}")
    portal.publica(portal.otra())
    portal.corta(2)
    there = portal.deposito.servidor.objetos(f"{portal.deposito.prefijo}/historico")
    assert there["0001/manifiesto.json"] == b"{}"


def reemplazo(portal: Portal, nombre: str = "nueva") -> Portal:
    """The same difusor from its backup, in another machine; the first one is still alive."""
    escena = portal.escena
    folder = escena.folder / nombre
    path = escena.folder / f"{nombre}.tar.gz"
    respalda(escena.workspace, path, disk=escena.disk, now=escena.clock.now())
    restaura(path, folder, disk=escena.disk)
    made = Portal(replace(escena, workspace=open_workspace(folder)), portal.deposito, portal.ajustes)
    assert made.receiver.run_once().error is None
    return made


def test_a_replaced_machine_leaves_the_place_to_the_newer_one(portal: Portal) -> None:
    """Both are alive, with the same keys and the same mark: the newer publishes, the other changes nothing there."""
    portal.corta(1, arbol(1))
    nueva = reemplazo(portal)
    deposito = portal.deposito
    nueva.corta(2, arbol(2))
    there = deposito.hay()
    assert deposito.contenidos() == nueva.debe()
    portal.escena.cut(3, arbol(3))
    assert portal.receiver.run_once().error is None
    for old in (portal.publicacion, portal.otra()):  # the process that was at work, and one that has just started
        with pytest.raises(InstanciaError, match="otra máquina de este difusor"):
            portal.publica(old)
        assert deposito.hay() == there
    # Its page of notice neither.
    portal.escena.aviso("suspension", texto="Revisión en curso.")
    portal.receiver.run_once()
    with pytest.raises(InstanciaError):
        portal.publicacion.interrumpe(portal.escena.workspace.cortes / "aviso" / "index.html")
    assert deposito.hay() == there
    portal.escena.aviso("reinstalacion")
    portal.receiver.run_once()
    assert nueva.receiver.run_once().error is None
    nueva.publica()
    assert deposito.contenidos() == nueva.debe()
    # The operator decides that it is the first one after all.
    (portal.escena.workspace.folder / "maquina.json").unlink()
    portal.corta(4, arbol(4))
    assert deposito.contenidos() == portal.debe()
    assert nueva.receiver.run_once().error is None
    with pytest.raises(InstanciaError):
        nueva.publica()
    assert deposito.contenidos() == portal.debe()


def test_a_machine_that_is_replaced_while_it_uploads_changes_no_page(portal: Portal) -> None:
    portal.corta(1, arbol(1))
    nueva = reemplazo(portal)
    portal.recibe(2, arbol(2))
    nueva.receiver.run_once()
    pages = {ruta: data for ruta, data in portal.deposito.hay().items() if not ruta.startswith("datos/")}
    begun: list[str] = []

    def takes_over(asked: Peticion) -> None:
        if asked.metodo == "PUT" and not begun:
            begun.append(asked.ruta)
            name = propia(nueva.escena.workspace.folder, nueva.escena.libro, nueva.escena.disk)
            portal.deposito.pon("historico/publica.json", name.to_bytes())

    portal.deposito.paso.regla = takes_over
    with pytest.raises(InstanciaError):
        portal.publica()
    portal.deposito.paso.regla = lambda _: None
    after = portal.deposito.hay()
    assert begun
    assert {ruta: data for ruta, data in after.items() if not ruta.startswith("datos/")} == pages
    nueva.publica()
    assert portal.deposito.contenidos() == nueva.debe()


def test_interrupted_and_back(portal: Portal) -> None:
    """The cover says so first; no page of results stays; data do, for the return, which sends no data again."""
    portal.corta(1, arbol(1))
    escena = portal.escena
    escena.aviso("suspension", texto="Revisión en curso.")
    assert portal.receiver.run_once().error is None
    portal.deposito.paso.olvida()
    page = escena.workspace.cortes / "aviso" / "index.html"
    cambio = portal.publicacion.interrumpe(page)
    portal.publicacion.purgado(cambio.rutas)
    there = portal.deposito.contenidos()
    assert there["index.html"] == hashlib.sha256(page.read_bytes()).hexdigest()
    assert {ruta for ruta in there if not ruta.startswith("datos/")} == {"index.html", "avisos.json", "404.html"}
    assert portal.deposito.fichas()["index.html"].cabeceras[1] == "public, max-age=0, s-maxage=60"
    assert {"/", "/gub/", "/corte.json", "/manifiesto.json"} <= set(cambio.rutas)
    assert cambio.esperado == dict.fromkeys(("/", "/index.html"), there["index.html"])
    order = [portal.deposito.ruta(one) for one in portal.deposito.paso.hechas if one.metodo in ("PUT", "POST")]
    assert order[0] == "index.html"
    with pytest.raises(ComprobacionError):
        portal.publica()
    escena.aviso("reinstalacion")
    portal.recibe(2, arbol(2))
    portal.deposito.paso.olvida()
    portal.publica()
    assert portal.deposito.contenidos() == portal.debe()
    assert not [ruta for ruta in portal.deposito.subidas() if "/seccion/" in ruta]


def test_a_notice_of_delay_goes_with_its_signature_and_nothing_else(portal: Portal) -> None:
    portal.corta(1)
    portal.escena.aviso("retraso", texto="Falla de energía.")
    assert portal.receiver.run_once().error is None
    portal.deposito.paso.olvida()
    cambio = portal.publica()
    assert sorted(portal.deposito.subidas()) == ["avisos.json", "firmas.json"]
    assert sorted(cambio.rutas) == ["/avisos.json", "/firmas.json"]
    assert json.loads(portal.deposito.lee("avisos.json"))["vigentes"][0]["texto"] == "Falla de energía."
    assert "targets/avisos/000001.json" in unpack(portal.deposito.lee("firmas.json"))


def test_a_long_file_goes_in_parts_and_arrives_whole(portal: Portal) -> None:
    """And what has no name that an address could break: spaces, accents, signs."""
    big = hashlib.shake_128(b"grande").digest(PARTE_BYTES + 1_000_000)
    odd = {"base-de-datos/año 2027 (50% + 1) #1.csv": b"casilla,votos\n" * 20, "base-de-datos/todo.zip": big}
    portal.corta(1, arbol(1, **odd))
    assert portal.deposito.contenidos() == portal.debe()
    assert portal.deposito.hay()["base-de-datos/todo.zip"] == big
    (portal.escena.workspace.folder / "nube" / "nube.json").unlink()
    portal.deposito.paso.olvida()
    portal.publica(portal.otra())
    assert portal.deposito.subidas() == []  # known again by the ETag of its parts


def test_plain_where_the_edge_cannot_inflate(escena_factory: EscenaFactory, almacen: Deposito) -> None:
    portal = Portal(escena_factory(), almacen, almacen.ajustes(codificacion="identidad"))
    portal.corta(1)
    assert {ruta: hashlib.sha256(raw).hexdigest() for ruta, raw in almacen.hay().items()} == portal.debe()
    assert {ficha.cabeceras[2] for ficha in almacen.fichas().values()} == {None}
    # Another decision of the administrator's: everything that text is goes again, and its addresses are purged.
    cambio = portal.publica(portal.otra(almacen.ajustes()))
    assert almacen.fichas()["index.html"].cabeceras[2] == "gzip"
    assert "/datos/0001/gub/entidad.json" in cambio.rutas
    assert almacen.contenidos() == portal.debe()


def test_a_damaged_content_of_ours_is_never_published(portal: Portal) -> None:
    portal.corta(1)
    before = portal.deposito.hay()
    portal.recibe(2)
    sha256 = portal.debe()["datos/0002/gub/entidad.json"]
    path = portal.escena.workspace.objetos / sha256[:2] / sha256
    for each in (path, path.with_name(sha256 + GZ)):
        if each.exists():
            each.chmod(0o644)
            each.write_bytes(each.read_bytes()[:-9] + b"alterado!")
    with pytest.raises(DiscoError, match=sha256):
        portal.publica()
    after = portal.deposito.hay()
    assert {ruta: after[ruta] for ruta in before} == before
    assert "datos/0002/gub/entidad.json" not in after


def test_a_damaged_twin_is_made_again(portal: Portal) -> None:
    portal.recibe(1)
    sha256 = portal.debe()["index.html"]
    twin = portal.escena.workspace.objetos / sha256[:2] / (sha256 + GZ)
    twin.chmod(0o644)
    twin.write_bytes(twin.read_bytes()[:50])
    portal.publica()
    assert portal.deposito.contenidos() == portal.debe()


def test_a_simulacro_for_some_is_not_put_where_all_may_read(escena_factory: EscenaFactory, almacen: Deposito) -> None:
    escena = escena_factory(identity=ENSAYO, extra='acceso_simulacro = "restringido"')
    with pytest.raises(AjustesError):
        Portal(escena, almacen, almacen.ajustes())
    assert almacen.hay() == {}


def test_who_no_longer_wants_it_stops_it(portal: Portal) -> None:
    portal.recibe(1)

    def stop(one: object) -> None:
        del one
        portal.publicacion.deja()

    portal.deposito.paso.regla = stop
    with pytest.raises(RedError, match="se dejó para después"):
        portal.publica()
    assert "index.html" not in portal.deposito.hay()
    portal.deposito.paso.regla = lambda _: None
    portal.publica()  # the same one: whoever stops a run may want another
    assert portal.deposito.contenidos() == portal.debe()
