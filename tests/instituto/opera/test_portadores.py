"""A delay and its cut by each carrier that the calls name, with its real server between institute and difusor."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.instituto.opera.mesa import hora, mesa_de
from tests.red.servidores.enmarcha import HOST
from tests.red.servidores.nginx import Autoridad, Nginx, Sitio
from tests.red.servidores.rsyncd import Modulo, Rsyncd
from tests.red.servidores.sshd import Sshd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.instituto.opera.mesa import Difusor, Mesa


@contextlib.contextmanager
def por_sftp(mesa: Mesa, folder: Path) -> Iterator[Difusor]:
    with Sshd(folder / "sshd") as server:
        place = f"sftp://{server.usuario}@{HOST}:{server.puerto}"
        yield mesa.difusor(
            "diario-uno",
            url=f"{place}{{entrada}}",
            acuses=f"{place}{{acuses}}",
            llave=str(server.llave),
            anfitriones=str(server.anfitriones),
        )


@contextlib.contextmanager
def por_rsync(mesa: Mesa, folder: Path) -> Iterator[Difusor]:
    one = mesa.difusor("diario-uno")
    with Rsyncd(folder / "rsyncd", Modulo("prep", one.entrada)) as server:
        secret = folder / "secreto"
        secret.write_text(server.clave or "")
        secret.chmod(0o600)
        url = f"rsync://{server.usuario}@{HOST}:{server.puerto}/prep"
        # The account that delivers may not read: the acuses come by folder, as from a stick.
        one.tabla.update(url=url, secreto=f"archivo:{secret}")
        mesa.ajusta()
        yield one


@contextlib.contextmanager
def por_https(mesa: Mesa, folder: Path) -> Iterator[Difusor]:
    """The difusor reads by itself (INE-II-a-ii-1)."""
    authority = Autoridad(folder / "ca")
    site = Sitio(authority.firma("servidor"))
    with Nginx(folder / "nginx", mesa.carpeta / "repositorio", {"abierto": site}) as server:
        yield mesa.difusor(
            "diario-uno", origen=server.url("abierto"), url="", acceso=f'[acceso]\nca = "{authority.ca}"\n'
        )


@pytest.mark.parametrize(
    "portador",
    [por_sftp, pytest.param(por_rsync, marks=pytest.mark.aguante), pytest.param(por_https, marks=pytest.mark.aguante)],
)
def test_a_delay_and_its_cut_reach_the_portal(portador: object, tmp_path: Path) -> None:
    assert callable(portador)
    mesa = mesa_de(tmp_path)
    with portador(mesa, tmp_path) as uno, contextlib.closing(uno):
        service = mesa.servicio()
        mesa.a_las(hora(0, 50))
        mesa.corre(service, vueltas=2)
        uno.recibe()
        assert len(uno.retrasos) == 1
        mesa.llegan(hora(0))
        mesa.corre(service, vueltas=2)
        assert uno.recibe() == 1
        assert uno.retrasos == []
        mesa.ajusta(acuses_s=0.0)
        mesa.corre(mesa.servicio(), vueltas=1)
        assert ("verificado", 1) in {(each["evento"], each["corte"]) for each in mesa.sucesos("acuse")}
        assert "ENTREGA" not in mesa.codigos("aviso")
