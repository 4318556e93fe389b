"""A small night with all that evidence tells: cuts, rounds, acuses, warnings by two channels, an order, seals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from securesystemslib.dsse import Envelope

from pregon.base.jsonio import canonical_json
from pregon.instituto.bitacora import sellos
from pregon.instituto.entrega.recibidos import Recibidos
from pregon.instituto.monitor.almacen import Almacen, Guardada
from pregon.instituto.monitor.modelo import Muestra, Observacion, Vista
from pregon.trust import keys
from pregon.trust.acuse import FORMATO
from tests.instituto.conftest import INICIO
from tests.instituto.proceso.casa import INTERVALO, OPERADORA, RADIO, TELE, Casa, hecha
from tests.trust.conftest import Institute

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.monitor.modelo import Dictamen
    from pregon.instituto.workspace import Workspace
    from pregon.trust.keys import NamedKey
    from tests.instituto.conftest import Night
    from tests.red.servidores.correo import Correo
    from tests.red.servidores.gancho import Gancho
    from tests.red.servidores.nginx import Autoridad

CORTES = 4
SUMA = "ab" * 32


@dataclass
class Noche:
    """The institute after that night. ``orden``: the one that suspended the radio."""

    casa: Casa
    afuera: Path
    orden: str = ""

    @property
    def espacio(self) -> Workspace:
        return self.casa.espacio

    @property
    def raiz(self) -> bytes:
        return self.espacio.repository().root_bytes()


def hace(night: Night, correo: Correo, gancho: Gancho, autoridad: Autoridad) -> Noche:
    """The radio does not show three cuts and is suspended; the television shows all; the institute misses one."""
    casa = hecha(night, correo, gancho, autoridad)
    afuera = night.folder / "usb"
    afuera.mkdir()
    made = Noche(casa, afuera)
    nodes = {ident: _nodo(casa, ident) for ident in (RADIO, TELE)}
    settings = casa.folder / "instituto.toml"
    settings.write_text(settings.read_text() + f'[bitacora]\ncopias = ["{afuera}"]\n')
    for index in range(CORTES):
        _corta(casa, index)
        sellos.sella(casa.espacio, corte=index + 1)
        radio = "inaccesible" if index < 3 else "aviso"
        _acusa(casa, nodes, index)
        _mira(casa, index, radio)
        process = casa.periodo(index, radio=radio)
        if index == 2:
            [order] = [one for one in process.diario.ordenes.values() if one.fase == "propuesta"]
            made.orden = order.id
            process.confirma(order.id, OPERADORA, texto="El sitio está interrumpido.")
            process.atiende()
    casa.en(CORTES, 5)
    state = casa.espacio.state()
    state.record("corte_perdido", periodo=CORTES, vence=(INICIO + CORTES * INTERVALO).isoformat())
    state.record("nota", que="señal de que Hopelchén sigue ahí")
    return made


def _corta(casa: Casa, index: int) -> None:
    casa.en(index, 1)
    space = casa.espacio
    hora = INICIO + index * INTERVALO
    with space.held() as repository:
        house = Institute(space.repositorio, keys.KeyRing(()), space.identity, casa.night.clock, repository)
        house.build(index + 1, hora_corte=hora)
        cut = repository.publish_cut(
            index + 1,
            now=space.clock.now(),
            expira=space.online_until(space.clock.now()),
            siguiente=hora + INTERVALO,
            intervalo=INTERVALO,
        )
    space.state().record(
        "corte",
        corte=index + 1,
        hora_corte=hora.isoformat(),
        manifiesto_sha256=cut.manifiesto.sha256,
        operador=OPERADORA,
        segundos=3.2,
    )
    for ident in (RADIO, TELE):
        space.state().record(
            "entrega",
            destino=f"{ident}/principal",
            difusor=ident,
            nodo="principal",
            corte=index + 1,
            forma="cambios",
            bytes=81_234,
            segundos=0.8,
            intentos=1,
            codigo=None,
            que_paso=None,
        )


def _nodo(casa: Casa, ident: str) -> NamedKey:
    key = keys.generate("acuse")
    (casa.folder / f"{ident}.pub.pem").write_text(key.public.keyval["public"])
    settings = casa.folder / "instituto.toml"
    settings.write_text(
        settings.read_text()
        + f'[[destino]]\ndifusor = "{ident}"\nurl = "{casa.night.folder / ident}"\nclave_acuses = "{ident}.pub.pem"\n'
    )
    return key


def _acusa(casa: Casa, nodes: dict[str, NamedKey], index: int) -> None:
    received = Recibidos(casa.espacio)
    for ident, key in nodes.items():
        node = received.destino(ident, "principal")
        assert node is not None
        # The radio says that it shows what nobody sees there.
        for event in ("verificado", "visible"):
            payload = {
                "convocatoria": casa.espacio.convocatoria.id,
                "ambiente": "oficial",
                "difusor": ident,
                "nodo": "principal",
                "corte": index + 1,
                "manifiesto_sha256": SUMA,
                "prueba": "firma",
                "evento": event,
                "codigo": None,
                "hora": casa.night.clock.now().isoformat(),
                "segundos": 4.5,
                "anterior": received.last(node),
            }
            envelope = Envelope(canonical_json(payload), FORMATO, {})
            envelope.sign(key.signer)
            assert received.admit(node, canonical_json(envelope.to_dict()))


def _mira(casa: Casa, index: int, radio: str) -> None:
    """Two rounds from two points: the second is the one that the slot's evidence cites."""
    kept = Almacen(casa.espacio)
    for minute, last in ((9, False), (19, True)):
        casa.en(index, minute)
        now = casa.night.clock.now()
        said: list[Dictamen] = [casa.visto(RADIO, index, radio), casa.visto(TELE, index)]
        seen = [
            _visto(RADIO, point, n, now, index, None if radio == "inaccesible" else radio)
            for n, point in enumerate(("instituto", "sur"), 100 * index + (7 if last else 1))
        ]
        seen += [_visto(TELE, "instituto", 100 * index + (9 if last else 3), now, index, "resultados")]
        with kept.turno():
            kept.guarda(
                Guardada(
                    kept.ronda + 1,
                    now,
                    tuple(Vista(point, now, con_red=True) for point in ("instituto", "sur")),
                    tuple(seen),
                    tuple(replace(one, hora=now) for one in said),
                )
            )


def _visto(ident: str, point: str, n: int, hora: Any, index: int, forma: str | None) -> Observacion:
    url = f"https://prep.{ident}.ejemplo.mx/"
    if forma is None:
        return Observacion(
            punto=point, difusor=ident, url=url, hora=hora, alcanzable=False, codigo="RED", segundos=20.0, n=n
        )
    shows = forma == "resultados"
    samples = (Muestra("corte.json", SUMA, SUMA), Muestra("index.html", SUMA, "cd" * 32 if index == 1 else SUMA))
    return Observacion(
        punto=point,
        difusor=ident,
        url=url,
        hora=hora,
        alcanzable=True,
        estado=200,
        forma="resultados" if shows else "aviso",
        corte=index + 1 if shows else None,
        muestras=samples if shows else (),
        segundos=0.4 + timedelta(milliseconds=index).total_seconds(),
        n=n,
        leidas=len(samples) if shows else 0,
    )
