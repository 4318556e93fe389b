"""The form of a difusor against the nodes to which its cuts are delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.instituto.registro import nodos
from tests.instituto.registro.fichas import PEM, ficha

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.instituto.registro.fichas import Casa

NODE = '[[destino]]\ndifusor = "diario-uno"\nnodo = "{nodo}"\n{resto}\n'


def told(house: Casa, *nodes: tuple[str, str]) -> tuple[str, ...]:
    settings = house.folder / "instituto.toml"
    base = settings.read_text().partition("[[destino]]")[0]
    settings.write_text(base + "".join(NODE.format(nodo=name, resto=rest) for name, rest in nodes))
    return nodos.desacuerdos(house.espacio, "diario-uno", ficha(house.espacio.convocatoria))


def test_each_disagreement_between_form_and_nodes_is_said(gro: Casa) -> None:
    llave = 'url = "sftp://prep@norte.example/entrada"\nllave = "x"\nanfitriones = "y"\n'
    (gro.folder / "bien.pem").write_text(PEM.replace("\n", "\r\n"))
    (gro.folder / "otra.pem").write_text(PEM.replace("Edu0X", "Fdu0X"))
    assert told(gro) == ("Ninguna tabla [[destino]] de instituto.toml es de «diario-uno»",)
    assert told(gro, ("norte", llave + 'clave_acuses = "bien.pem"')) == ()
    assert told(gro, ("norte", llave)) == ("diario-uno/norte: sin «clave_acuses» ninguno de sus acuses se cree",)
    for wrong in ("otra.pem", "no-esta.pem"):
        assert told(gro, ("norte", f'{llave}clave_acuses = "{wrong}"')) == (
            "diario-uno/norte: «clave_acuses» no es la llave de acuses de la ficha",
        )
    usb = 'url = "/mnt/usb"\nclave_acuses = "bien.pem"'
    assert told(gro, ("norte", llave + 'clave_acuses = "bien.pem"'), ("usb", usb)) == (
        "diario-uno/usb: se entrega por local y la ficha pide sftp",
    )


def test_a_call_whose_difusores_read_by_themselves_has_nodes_without_address(de_perfil: Callable[[str], Casa]) -> None:
    """INE-II-a-ii-1."""
    house = de_perfil("ine-2021")
    (house.folder / "bien.pem").write_text(PEM)
    assert told(house, ("nube", 'clave_acuses = "bien.pem"')) == ()
    pushed = 'url = "sftp://prep@norte.example/entrada"\nllave = "x"\nanfitriones = "y"\nclave_acuses = "bien.pem"'
    assert told(house, ("nube", pushed)) == (
        "diario-uno/nube: la convocatoria dice que el difusor lee por su cuenta, sin «url»",
    )
