"""The file of a difusor and of a cut: what it says, that it proves it, and that whoever changes it is found."""

from __future__ import annotations

import io
import json
import os
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pypdf import PdfReader

from pregon.base.cadena import GENESIS, enlaza, huella
from pregon.base.durable import Disk
from pregon.base.errors import DiscoError, EntradaError, EscrituraError, FirmaError, FormatoError
from pregon.base.hashing import sha256_bytes
from pregon.instituto.bitacora import documento, expediente, papeles, revisa, sellos
from pregon.instituto.bitacora.asunto import Asunto
from pregon.instituto.bitacora.carpeta import FIRMA, SUMAS
from pregon.instituto.bitacora.hechos import Hechos
from pregon.trust import keys
from pregon.trust.sobre import paper_keys, read_paper, sign_paper
from tests.instituto.conftest import tree_digest
from tests.instituto.html import parse
from tests.instituto.proceso.casa import CONFIDENCIAL, OPERADORA, RADIO, TELE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.instituto.bitacora.noche import Noche

SUCESOS_DE_LA_RADIO = frozenset({"alta", "estado_difusor", "periodo", "advertencia", "orden_propuesta", "acuse"})


def texts(folder: Path) -> str:
    return "\n".join(path.read_text("latin-1") for path in sorted(folder.rglob("*")) if path.is_file())


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "bitacora.jsonl").read_bytes().splitlines()]


def problems(noche: Noche, folder: Path) -> tuple[str, ...]:
    return revisa.examina(folder, noche.raiz).problemas


def test_the_file_of_a_difusor_says_what_happened_to_it(carpeta: Path) -> None:
    told = json.loads((carpeta / "expediente.json").read_bytes())
    assert (told["de"], told["estado"], told["integridad"]["ok"]) == ({"difusor": RADIO}, "suspendido", True)
    assert [(one["periodo"], one["corte"], one["resultado"], one["seguidas"]) for one in told["periodos"]] == [
        (0, 1, "fallo", 1),
        (1, 2, "fallo", 2),
        (2, 3, "fallo", 3),
    ]
    first, second, word = told["advertencias"]
    assert [one["periodo"] for one in (first, second, word)] == [0, 1, None]
    for one in (first, second):
        assert len({name.split()[0] for name, sent in one["envios"].items() if sent["fase"] == "aceptada"}) == 2
    [order] = told["ordenes"]
    assert (order["accion"], order["fase"], order["operador"]) == ("suspender", "cumplida", OPERADORA)
    assert [(one["tipo"], one["difusores"]) for one in told["avisos"]] == [("suspension", [RADIO])]
    assert {one["n"] for one in told["observaciones_citadas"]} == {7, 8, 107, 108, 207, 208}
    # The node said that it showed every cut: it stands beside what was seen.
    assert [one["corte"] for one in told["acuses"] if one["evento"] == "visible"] == [1, 2, 3, 4]
    assert [(one["veredicto"], one["rondas"]) for one in told["vigilancia"]] == [("inaccesible", 6), ("al_dia", 2)]
    assert {path.name for path in (carpeta / "repositorio/targets/cortes").iterdir()} == {"0001", "0002", "0003"}


def test_it_shows_nothing_of_another_difusor_nor_anything_confidential(carpeta: Path) -> None:
    """INE-V-b: what the registry seals is nowhere; of another difusor there is only what cannot be read back."""
    whole = texts(carpeta)
    for secret in (*CONFIDENCIAL, TELE, "Tele Dos"):
        assert secret not in whole
    assert RADIO in whole
    clear = [line for line in lines(carpeta) if "tipo" in line]
    assert {line["tipo"] for line in clear} >= SUCESOS_DE_LA_RADIO | {"corte", "sello", "corte_perdido"}
    assert any("huella" in line for line in lines(carpeta))


def test_anybody_follows_the_chain_with_a_json_library(carpeta: Path) -> None:
    last = GENESIS
    for line in lines(carpeta):
        mark = line.get("huella") or huella(line["n"], line["hora"], line["tipo"], line["dato"])
        last = enlaza(last, mark)
        assert line["eslabon"] == last
    signed = json.loads((carpeta / "expediente.json").read_bytes())["bitacora"]
    assert signed == {"n": len(lines(carpeta)), "eslabon": last}


def test_all_of_it_is_checked_without_the_workspace(hecha: Noche, carpeta: Path) -> None:
    found = revisa.examina(carpeta, hecha.raiz)
    assert (found.problemas, found.de, found.acuses) == ((), {"difusor": RADIO}, 8)
    assert found.sucesos == len(lines(carpeta))


def change(text: str, new: str) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        data = path.read_bytes()
        assert text.encode() in data
        path.write_bytes(data.replace(text.encode(), new.encode(), 1))

    return apply


CAMBIOS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a page": ("expediente.html", change("Radio Uno", "Radio Dos"), "expediente.html no es el que se firmó"),
    "a figure": ("expediente.json", change('"fallo"', '"cumplio"'), "expediente.json no es el que se firmó"),
    "a line of the journal": ("bitacora.jsonl", change("inaccesible", "al dia"), "no es el que se escribió"),
    "a hidden line": ("bitacora.jsonl", change('"huella":"', '"huella":"0'), "no es el que se escribió"),
    "a line less": ("bitacora.jsonl", lambda path: _drop(path, 9), "No está el suceso 10"),
    "the last line": ("bitacora.jsonl", lambda path: _drop(path, -1), "No están los últimos sucesos"),
    "a line cut short": ("bitacora.jsonl", lambda path: _cut(path, 9), "no se entiende: el renglón 10 está cortado"),
    "a pipe in its place": ("expediente.html", lambda path: _pipe(path), "expediente.html no es el que se firmó"),
    "an observation": ("observaciones.jsonl", change('"alcanzable":false', '"alcanzable":true'), "observaciones"),
    "an acuse": (f"acuses/{RADIO}/principal/000003-0002-verificado.json", change("payload", "qayload"), "acuse"),
    "an acuse less": (f"acuses/{RADIO}/principal/000003-0002-verificado.json", lambda p: p.unlink(), "no sigue"),
    "a notice": ("repositorio/targets/avisos/000001.json", change(RADIO, TELE), "no es el que el instituto firmó"),
    "a manifest": (
        "repositorio/targets/cortes/0001/manifiesto.json",
        change("iedemo", "iedemi"),
        "no es el que el instituto firmó",
    ),
    "a seal": ("sellos/000002.json", change("sig", "gis"), "sello 000002"),
    "a seal less": ("sellos/000002.json", lambda path: path.unlink(), "sello 000002"),
    "a file more": ("nuevo.txt", lambda path: path.touch(), "no está en las sumas"),
}


def _drop(path: Path, at: int) -> None:
    kept = path.read_bytes().splitlines(keepends=True)
    del kept[at]
    path.write_bytes(b"".join(kept))


def _cut(path: Path, at: int) -> None:
    kept = path.read_bytes().splitlines(keepends=True)
    kept[at] = kept[at][:20] + b"\n"
    path.write_bytes(b"".join(kept))


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("caso", CAMBIOS)
def test_what_is_changed_afterwards_is_named(hecha: Noche, carpeta: Path, caso: str) -> None:
    name, apply, said = CAMBIOS[caso]
    apply(carpeta / name)
    found = " ".join(problems(hecha, carpeta))
    assert name in found or said in found


@pytest.mark.parametrize("caso", [caso for caso in CAMBIOS if CAMBIOS[caso][0].partition(".")[0] != "expediente"])
def test_the_institute_itself_cannot_change_what_others_signed(hecha: Noche, carpeta: Path, caso: str) -> None:
    """Sums and signature made again with the real key: chain, seals, acuses and notices still tell."""
    name, apply, said = CAMBIOS[caso]
    apply(carpeta / name)
    sign_again(hecha, carpeta)
    if name in ("observaciones.jsonl", "nuevo.txt"):
        assert problems(hecha, carpeta) == ()  # Only the signature vouches for these.
    else:
        assert said.casefold() in " ".join(problems(hecha, carpeta)).casefold()


def sign_again(hecha: Noche, carpeta: Path) -> None:
    allowed = paper_keys(carpeta / "repositorio/metadata", hecha.raiz)
    claim = read_paper((carpeta / FIRMA).read_bytes(), papeles.FORMATO, allowed)
    sums = {name: digest for name, digest in tree_digest(carpeta).items() if name not in (SUMAS, FIRMA)}
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()
    (carpeta / SUMAS).write_bytes(text)
    ring = keys.load_ring(hecha.espacio.llaves)
    claim["sumas_sha256"] = sha256_bytes(text)
    (carpeta / FIRMA).write_bytes(sign_paper(claim, papeles.FORMATO, ring=ring, allowed=allowed))


def test_sums_of_somebody_else_prove_nothing(hecha: Noche, carpeta: Path) -> None:
    (carpeta / "expediente.html").write_bytes(b"otra cosa")
    sums = {name: digest for name, digest in tree_digest(carpeta).items() if name not in (SUMAS, FIRMA)}
    (carpeta / SUMAS).write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    with pytest.raises(FirmaError):
        revisa.examina(carpeta, hecha.raiz)
    (carpeta / FIRMA).unlink()
    with pytest.raises(EntradaError):
        revisa.examina(carpeta, hecha.raiz)
    os.mkfifo(carpeta / FIRMA)
    with pytest.raises(EntradaError, match="no es un archivo normal"):
        revisa.examina(carpeta, hecha.raiz)
    (carpeta / FIRMA).unlink()
    (carpeta / FIRMA).write_bytes((carpeta / "sellos/000001.json").read_bytes())
    with pytest.raises(FormatoError):
        revisa.examina(carpeta, hecha.raiz)


def test_the_file_of_a_cut(noche: Noche, tmp_path: Path) -> None:
    folder = expediente.escribe(noche.espacio, tmp_path / "corte", Asunto(corte=2), con_pdf=False).carpeta
    assert problems(noche, folder) == ()
    told = json.loads((folder / "expediente.json").read_bytes())
    assert told["de"] == {"corte": 2}
    assert {(one["difusor"], one["resultado"]) for one in told["periodos"]} == {(RADIO, "fallo"), (TELE, "cumplio")}
    assert {one["destino"] for one in told["entregas"]} == {f"{RADIO}/principal", f"{TELE}/principal"}
    assert {one["corte"] for one in told["acuses"]} == {2}
    assert {one["veredicto"] for one in told["dictamenes"]} == {"inaccesible", "al_dia"}
    manifest = (folder / "repositorio/targets/cortes/0002/manifiesto.json").read_bytes()
    assert told["manifiesto_sha256"] == sha256_bytes(manifest)
    others = [
        line for line in lines(folder) if "tipo" in line and json.loads(line["dato"]).get("corte") not in (None, 2)
    ]
    assert others == []
    for secret in CONFIDENCIAL:
        assert secret not in texts(folder)


def test_paper_and_page_say_the_same(hecha: Noche) -> None:
    facts = Hechos.lee(hecha.espacio)
    read = sellos.revisa(hecha.espacio)
    for subject in (Asunto(RADIO), Asunto(corte=2)):
        paper, _ = papeles.expediente(facts, subject, read, [])
        first, page = documento.pdf(paper), documento.html(paper)
        assert documento.pdf(paper) == first
        reader = PdfReader(io.BytesIO(first))
        assert reader.metadata is not None
        assert reader.metadata.title == paper.titulo
        catalog: Any = reader.trailer["/Root"]
        assert (catalog["/Lang"], catalog["/MarkInfo"]["/Marked"]) == ("es-MX", True)
        printed = _plain(" ".join(one.extract_text() for one in reader.pages))
        shown = _plain(parse(page).text)
        assert b"<script" not in page
        for part in paper.secciones:
            wanted = [part.titulo, *part.parrafos]
            for table in [part.tabla, *(block.tabla for block in part.bloques)]:
                wanted += [cell.texto for row in (() if table is None else table.filas) for cell in row]
            wanted += [line for block in part.bloques for line in (block.titulo, *block.parrafos, *block.lineas)]
            for text in wanted:
                assert _plain(text) in shown
                assert _plain(text) in printed, text


def _plain(text: str) -> str:
    """Without spaces, hyphens and breaks, which each form puts where it likes."""
    return re.sub(r"[\s\u200b\u00ad\-‐]+", "", text)


def test_letters_that_the_fonts_lack_do_not_stop_the_paper(hecha: Noche) -> None:
    facts = Hechos.lee(hecha.espacio)
    paper, _ = papeles.expediente(facts, Asunto(RADIO), sellos.revisa(hecha.espacio), [])
    cell = documento.Celda("<script>alert(1)</script> \U0001f4a5 #let x = 1 \u202e")
    odd = documento.Seccion(
        "raro", "Raro", ("*no* _es_ $marca$ #panic()",), documento.tabla([("Qué", 1)], [(cell,)], vacia="")
    )
    from dataclasses import replace

    strange = replace(paper, secciones=(odd,))
    assert b"<script" not in documento.html(strange)
    text = PdfReader(io.BytesIO(documento.pdf(strange))).pages[1].extract_text()
    assert "#panic()" in text
    assert "#let x = 1" in text


def test_it_is_noted_and_nothing_else_changes(noche: Noche, tmp_path: Path) -> None:
    space = noche.espacio
    before = {n: d for n, d in tree_digest(space.folder).items() if not n.startswith("estado.sqlite")}
    head = space.state().cabeza()
    made = expediente.escribe(space, tmp_path / "uno", Asunto(RADIO), operador=OPERADORA, con_pdf=False)
    [note] = space.state().events(after=head.n)
    assert (note.tipo, note.dato["difusor"], note.dato["sha256"]) == ("expediente", RADIO, made.sha256)
    assert {n: d for n, d in tree_digest(space.folder).items() if not n.startswith("estado.sqlite")} == before


def test_what_cannot_be_written_leaves_nothing(noche: Noche, tmp_path: Path) -> None:
    space, head = noche.espacio, noche.espacio.state().cabeza()
    taken = tmp_path / "hay"
    taken.mkdir()
    (taken / "algo").write_text("mío")
    with pytest.raises(EscrituraError):
        expediente.escribe(space, taken, Asunto(RADIO))
    assert (taken / "algo").read_text() == "mío"
    for wrong in (Asunto("nadie"), Asunto(corte=9)):
        with pytest.raises(EntradaError):
            expediente.escribe(space, tmp_path / "nuevo", wrong)

    class Full(Disk):
        def sync_filesystem(self, path: Path) -> None:
            raise DiscoError("lleno", intacto="nada", que_hacer="libere")

    with pytest.raises(DiscoError):
        expediente.escribe(replace(space, disk=Full()), tmp_path / "nuevo", Asunto(RADIO), con_pdf=False)
    for key in space.llaves.glob("avisos-*.pem"):
        key.unlink()
    with pytest.raises(EntradaError):
        expediente.escribe(noche.espacio, tmp_path / "nuevo", Asunto(RADIO), con_pdf=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copia", "hay"]
    assert space.state().cabeza() == head


def test_a_journal_that_was_changed_says_so_in_the_file(noche: Noche, tmp_path: Path) -> None:
    with closing(sqlite3.connect(noche.casa.folder / "estado.sqlite")) as connection, connection:
        connection.execute("UPDATE evento SET hora = '2021-06-07T01:00:00+00:00' WHERE n = 12")
    made = expediente.escribe(noche.espacio, tmp_path / "radio", Asunto(RADIO), con_pdf=False)
    assert not made.integra
    told = json.loads((made.carpeta / "expediente.json").read_bytes())
    assert [(one["codigo"], one["desde"]) for one in told["integridad"]["fallas"]] == [("ALTERADO", 12)]
    assert any("suceso 12" in one for one in problems(noche, made.carpeta))
