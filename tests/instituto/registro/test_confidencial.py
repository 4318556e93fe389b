"""INE-V-b: nothing that a difusor gave is in anything that leaves the institute, nor readable where it is kept."""

from __future__ import annotations

import base64
import gzip
import io
import json
import logging
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.instituto.bitacora import expediente, informe
from pregon.instituto.bitacora.asunto import Asunto
from pregon.instituto.monitor.modelo import Dictamen, Periodo
from pregon.instituto.proceso.avisa import Proceso
from pregon.instituto.registro import rotacion, sello
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.workspace import open_workspace
from tests.instituto.conftest import HORA, INICIO, Night
from tests.instituto.registro.escaner import en_carpeta, hallados
from tests.instituto.registro.fichas import ANA, confidenciales, datos, ficha, run
from tests.instituto.registro.test_logo import PERSON, chunk, png

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.notifica.mensaje import Mensaje

SUPPORT = ("Se quedó colgado el balanceador Jacaranda", "Abelardo Nextle", "Reinicien el nodo de Zumpango")


def test_nothing_confidential_leaves_or_can_be_read_at_rest(
    night: Night, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A whole life: registered, admitted, a cut signed, suspended, supported, listed, with all its outputs read."""
    caplog.set_level(logging.DEBUG)
    space = night.create()
    folder, registro = space.folder, Registro(space, entorno={})
    rotacion.crea(registro)
    form, picture = tmp_path / "ficha.toml", tmp_path / "logo.png"
    form.write_text(to_toml(datos(space.convocatoria)))
    secrets = (*confidenciales(ficha(space.convocatoria)), *SUPPORT, PERSON.decode())
    picture.write_bytes(png(chunk(b"tEXt", b"Author\0" + PERSON)))
    order = ("--operador", "Ana Ruiz")
    asked = ("--clase", "EXTRACCION", "--asunto", SUPPORT[0], "--quien", SUPPORT[1])
    why = ("--motivo", "no responde", "--texto", "Por ahora no.", "--evidencia", "12")
    told = [
        run("difusor", "alta", folder, "diario-uno", "--ficha", form, "--logo", picture, *order),
        run("difusor", "admite", folder, "diario-uno", *order, "--json"),
        run("difusor", "activa", folder, "diario-uno", *order),
        run("soporte", "abre", folder, "diario-uno", *asked, *order),
        run("soporte", "cierra", folder, "1", "--texto", SUPPORT[2], *order),
        run("soporte", "lista", folder, "--json"),
    ]
    night.cut(space, HORA)
    told += [
        run("difusor", "suspende", folder, "diario-uno", *why, *order),
        run("difusor", "lista", folder),
        run("difusor", "lista", folder, "--json"),
        run("lista-publica", folder, "--salida", tmp_path / "publica"),
    ]
    for result in told:
        assert result.exit_code == 0, result.output
        assert hallados(result.output.encode(), secrets) == set()
    assert registro.uno("diario-uno").estado == "suspendido"
    assert (tmp_path / "publica" / "index.html").exists()

    assert en_carpeta(tmp_path / "publica", secrets) == {}
    assert en_carpeta(folder, secrets) == {}  # signed tree, cut, notices, state database and its journal
    assert {path.name for path in folder.iterdir()} >= {"repositorio", "estado.sqlite", "llaves"}
    journal = json.dumps([event.dato for event in open_workspace(folder).state().events()], ensure_ascii=False)
    assert "diario-uno" in journal
    assert hallados(journal.encode(), secrets) == set()
    assert hallados(caplog.text.encode(), secrets) == set()

    # And the scan sees: with the key, the same texts are there to be found.
    opened = run("difusor", "ficha", folder, "diario-uno", "--json")
    whole = opened.output + run("soporte", "lista", folder, "--textos", "--json").output
    assert hallados(whole.encode(), secrets) == set(secrets) - {PERSON.decode()}
    assert json.loads(opened.output)["confidencial"] is True
    for words in (("difusor", "contactos"), ("difusor", "ficha")):
        shown = run(*words, folder, "diario-uno")
        assert shown.output.startswith("CONFIDENCIAL")
        assert "747 555 0177" in shown.output


def test_nothing_confidential_is_in_the_papers_of_the_night(night: Night, tmp_path: Path) -> None:
    """Three failed slots: mails to its people that no server takes, an order, the papers of next morning."""
    space = night.create()
    registro = Registro(space, entorno={})
    rotacion.crea(registro)
    form = ficha(space.convocatoria)
    secrets = confidenciales(form)
    registro.alta("diario-uno", form, ANA)
    registro.pasa("diario-uno", "admitido", ANA)
    registro.pasa("diario-uno", "activo", ANA)
    settings = space.folder / "instituto.toml"
    settings.write_text(
        settings.read_text() + '[[notifica]]\ncanal = "correo"\ndestino = "smtp://127.0.0.1:9"\n'
        'de = "prep@iedemo.example"\npara = ["guardia@iedemo.example"]\n'
    )
    space, told = open_workspace(space.folder, clock=night.clock), list["Mensaje"]()
    process = Proceso(space, alarma=told.append)
    step = space.intervalo
    slots = tuple(Periodo(n, INICIO + n * step, INICIO + (n + 1) * step, n + 1, INICIO + n * step) for n in range(4))
    for slot in slots[:3]:
        night.clock.instant = slot.hasta + timedelta(seconds=1)
        seen = slot.hasta - timedelta(minutes=1)
        verdict = Dictamen(difusor="diario-uno", hora=seen, veredicto="inaccesible", causa="difusor", evidencia=(1,))
        process.cierra(slots, [verdict])
        process.atiende()
    assert process.diario.advertencias
    informe.escribe(space, tmp_path / "informe", operador="Ana", con_pdf=False)
    expediente.escribe(space, tmp_path / "expediente", Asunto(difusor="diario-uno"), operador="Ana", con_pdf=False)
    for place in ("informe", "expediente"):
        assert len(list((tmp_path / place).iterdir())) > 1
        assert en_carpeta(tmp_path / place, secrets) == {}
    assert en_carpeta(space.folder, secrets) == {}
    assert hallados(repr(told).encode(), secrets) == set()


@pytest.mark.parametrize("secret", ["747 555 0142", "Lucía Quiñones Ávila", "Calle Ocotillo 415, interior 3"])
def test_the_scan_finds_a_text_however_it_is_written(secret: str) -> None:
    plain = secret.encode()
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.json", json.dumps({"x": secret}))
    written = [
        plain,
        json.dumps(secret).encode(),
        secret.encode("utf-16"),
        gzip.compress(b"antes " + plain),
        zipped.getvalue(),
        plain.hex().encode(),
        *(base64.b64encode(b"x" * shift + plain + b" y") for shift in range(4)),
    ]
    for data in written:
        assert hallados(b"otra cosa", [secret]) == set()
        assert hallados(data if data[:2] in (b"PK", b"\x1f\x8b") else b"<" + data + b">", [secret]) == {secret}


def test_a_refusal_repeats_nothing_of_a_form(night: Night, tmp_path: Path) -> None:
    """What may be wrong is named by its place; errors go to terminals, tickets and logs."""
    space = night.create()
    registro = Registro(space, entorno={})
    rotacion.crea(registro)
    form = ficha(space.convocatoria)
    registro.alta("diario-uno", form, ANA)
    secrets = confidenciales(form)
    (tmp_path / "ficha.toml").write_text(to_toml(datos(space.convocatoria)))
    again = run("difusor", "alta", space.folder, "diario-uno", "--ficha", tmp_path / "ficha.toml", "--operador", "Ana")
    assert again.exit_code == 2
    (space.folder / sello.ARCHIVO).unlink()
    for words in (("ficha", "diario-uno"), ("contactos", "diario-uno"), ("admite", "diario-uno")):
        result = run("difusor", words[0], space.folder, words[1])
        assert result.exit_code == 66
        assert hallados(result.output.encode(), secrets) == set()
    assert hallados(again.output.encode(), secrets) == set()


def to_toml(value: dict[str, object]) -> str:
    """The form as a person would have it in a file."""
    lines, tables = [], []
    for key, each in value.items():
        if isinstance(each, dict):
            tables += [f"[{key}]", *(_line(name, one) for name, one in each.items())]
        elif isinstance(each, list) and each and isinstance(each[0], dict):
            for one in each:
                tables += [f"[[{key}]]", *(_line(name, value) for name, value in one.items())]
        else:
            lines.append(_line(key, each))
    return "\n".join(lines + tables) + "\n"


def _line(key: str, value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if key in ("desde", "hasta", "recibido"):
        text = text.strip('"')
    return f"{json.dumps(key, ensure_ascii=False)} = {text}"
