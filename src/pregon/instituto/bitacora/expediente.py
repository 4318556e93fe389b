"""The file of one difusor or of one cut: what was seen, decided and said, with what proves it, in one signed folder.

::

    LEEME.txt                     how anybody checks it
    expediente.html .pdf .json    the same facts, for people and for programs
    bitacora.jsonl                the whole chain: its own events in clear, the others by their huella
    sellos/                       the signed heads of that chain
    observaciones.jsonl           what each round saw of it
    acuses/<difusor>/<nodo>/      what its nodes signed, as it came, and the key with which it verifies
    repositorio/                  the signed notices and manifests it names, with the metadata that prove them
    SHA256SUMS, SHA256SUMS.firma.json

It is whole or not there. Nothing confidential goes in: what the registry seals is never read (INE-V-b).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pregon
from pregon.base.cadena import huella
from pregon.base.jsonio import canonical_json, compact_json
from pregon.instituto.bitacora import carpeta, documento, papeles, sellos
from pregon.instituto.bitacora.asunto import avisos_del_asunto, cortes_del_asunto, del_corte, ventana
from pregon.instituto.bitacora.hechos import Hechos, en_claro_para
from pregon.instituto.entrega.recibidos import CARPETA as ACUSES
from pregon.instituto.monitor import formas
from pregon.trust.acuse import load_public_key, read_acuse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.instituto.bitacora.asunto import Asunto
    from pregon.instituto.bitacora.carpeta import Escrita
    from pregon.instituto.workspace import Workspace
    from pregon.trust.acuse import Acuse

BITACORA = "bitacora.jsonl"
CADENA = "sellos"
REPOSITORIO = "repositorio"
OBSERVACIONES = "observaciones.jsonl"
SUCESO = "expediente"
LEEME = """Expediente de {que}.
{instituto}. {convocatoria}. Hecho el {hora} con Pregón {version}.

Abra expediente.pdf o expediente.html. Los demás archivos son las pruebas:

  bitacora.jsonl         la bitácora entera del instituto, encadenada. Los sucesos de este expediente van en claro;
                         los demás, sólo con su huella, que basta para comprobar la cadena.
  sellos/                cabezas de esa cadena, firmadas por el instituto a lo largo de la noche.
  observaciones.jsonl    lo que se vio en cada ronda, renglón por renglón.
  acuses/                lo que firmó cada nodo, y la llave pública con que se verifica.
  repositorio/           avisos y manifiestos firmados, con los metadatos TUF que los prueban.
  SHA256SUMS             la suma de cada archivo, y en SHA256SUMS.firma.json la firma del instituto.

Para comprobarlo todo de una vez, con el root.json que publicó el instituto:

  pregon instituto bitacora comprueba CARPETA --raiz root.json

Sin Pregón:

  sha256sum -c SHA256SUMS

y, por cada renglón de bitacora.jsonl, en orden, comenzando con un eslabón de 64 ceros:

  huella  = sha256(["pregon/suceso/1",n,"hora","tipo","dato"])       o la que trae el renglón
  eslabón = sha256(["pregon/eslabon/1","eslabón anterior","huella"])

donde cada lista es JSON en UTF-8, sin espacios. El eslabón de cada renglón debe ser el que resulta, y el de cada sello,
el del suceso que nombra.
"""


def escribe(workspace: Workspace, salida: Path, asunto: Asunto, *, operador: str = "", con_pdf: bool = True) -> Escrita:
    """Write the file of ``asunto`` into ``salida``, which must not be there, sign it and note it in the journal.

    Raises:
        EntradaError: there is no such difusor or cut, or the key of avisos is not at hand.
        AjustesError: the PDF is asked for and typst is not installed.
        EscrituraError: there is something at ``salida``. DiscoError: it could not be written. Nothing is left there.
    """
    carpeta.exige_libre(salida)
    hechos = Hechos.lee(workspace)
    if asunto.difusor is not None:
        hechos.exige(asunto.difusor)
    read = sellos.revisa(workspace)
    received = tuple(_acuses(hechos, asunto))
    said = [(nodo, acuse) for nodo, _, _, acuse in received if acuse is not None]
    paper, data = papeles.expediente(hechos, asunto, read, said)
    head = carpeta.cabeza(hechos)
    files = (
        *_proofs(hechos, asunto),
        *((name, raw) for _, name, raw, _ in received),
        *_keys_of_nodes(hechos, asunto),
        ("LEEME.txt", _leeme(hechos, asunto).encode()),
        ("expediente.html", documento.html(paper)),
        *([("expediente.pdf", documento.pdf(paper))] if con_pdf else []),
        ("expediente.json", canonical_json({**data, "bitacora": {"n": head.n, "eslabon": head.eslabon}})),
    )
    return carpeta.escribe(
        hechos,
        salida,
        files,
        tipo=papeles.FORMATO,
        suceso=SUCESO,
        de=asunto.as_dict(),
        operador=operador,
        integra=read.ok,
    )


def _proofs(hechos: Hechos, asunto: Asunto) -> Iterator[tuple[str, bytes]]:
    yield BITACORA, b"".join(_journal(hechos, asunto))
    for sello, raw in sellos.todos(hechos.workspace):
        yield f"{CADENA}/{sello.numero:06d}.json", raw
    yield OBSERVACIONES, b"".join(_seen(hechos, asunto))
    yield from _repository(hechos, asunto)


def _journal(hechos: Hechos, asunto: Asunto) -> Iterator[bytes]:
    begin, end = ventana(hechos, asunto)
    for one in hechos.bitacora:
        kept = one.apunte
        if asunto.difusor is not None:
            clear = en_claro_para(one, asunto.difusor)
        else:
            clear = del_corte(one, asunto.corte or 0, begin, end)
        shown = (
            {"hora": kept.hora, "tipo": kept.tipo, "dato": kept.dato}
            if clear
            else {"huella": huella(kept.n, kept.hora, kept.tipo, kept.dato)}
        )
        yield compact_json({"n": kept.n, **shown, "eslabon": kept.eslabon})


def _seen(hechos: Hechos, asunto: Asunto) -> Iterator[bytes]:
    begin, end = ventana(hechos, asunto)
    for one in hechos.rondas(begin, end, difusor=asunto.difusor):
        if one.observaciones or one.dictamenes:
            yield compact_json(
                {
                    "ronda": one.ronda,
                    "hora": one.hora.isoformat(),
                    "vistas": [formas.de_vista(each) for each in one.vistas],
                    "observaciones": [formas.de_observacion(each) for each in one.observaciones],
                    "dictamenes": [formas.de_dictamen(each) for each in one.dictamenes],
                }
            )


def _repository(hechos: Hechos, asunto: Asunto) -> Iterator[tuple[str, bytes]]:
    """A small repository: notices and manifests, with every root and targets and the newest of the other roles."""
    folder = hechos.workspace.repositorio
    metadata = folder / "metadata"
    timestamp = (metadata / "timestamp.json").read_bytes()
    snapshot_name = f"{json.loads(timestamp)['signed']['meta']['snapshot.json']['version']}.snapshot.json"
    meta = json.loads((metadata / snapshot_name).read_bytes())["signed"]["meta"]
    names = {path.name for role in ("root", "targets") for path in metadata.glob(f"[0-9]*.{role}.json")}
    names |= {f"{meta[f'{role}.json']['version']}.{role}.json" for role in ("cortes", "avisos")}
    for name in ("timestamp.json", snapshot_name, *sorted(names)):
        yield f"{REPOSITORIO}/metadata/{name}", (metadata / name).read_bytes()
    for notice in avisos_del_asunto(hechos, asunto):
        ruta = f"targets/avisos/{notice.n:06d}.json"
        yield f"{REPOSITORIO}/{ruta}", (folder / ruta).read_bytes()
    for cut in cortes_del_asunto(hechos, asunto):
        ruta = f"targets/cortes/{cut.numero:04d}/manifiesto.json"
        yield f"{REPOSITORIO}/{ruta}", (folder / ruta).read_bytes()


def _acuses(hechos: Hechos, asunto: Asunto) -> Iterator[tuple[str, str, bytes, Acuse | None]]:
    """Node, path in the file, bytes as they came, and what they say (None where its key is not registered any more)."""
    workspace = hechos.workspace
    known = {(one.difusor, one.nodo): one.clave_acuses for one in workspace.settings.destino}
    kept = workspace.folder / ACUSES
    for difusor in sorted(kept.iterdir()) if kept.is_dir() else ():
        if not difusor.is_dir() or asunto.difusor not in (None, difusor.name):
            continue
        for nodo in sorted(path for path in difusor.iterdir() if path.is_dir()):
            public = known.get((difusor.name, nodo.name))
            key = None if public is None else load_public_key(workspace.folder / public)
            for path in sorted(nodo.glob("[0-9]*.json")):
                if asunto.corte is not None and f"-{asunto.corte:04d}-" not in path.name:
                    continue
                data = path.read_bytes()
                name = f"{difusor.name}/{nodo.name}"
                yield name, f"acuses/{name}/{path.name}", data, None if key is None else read_acuse(data, key)


def _keys_of_nodes(hechos: Hechos, asunto: Asunto) -> Iterator[tuple[str, bytes]]:
    for one in hechos.workspace.settings.destino:
        if one.clave_acuses is not None and asunto.difusor in (None, one.difusor):
            key = load_public_key(hechos.workspace.folder / one.clave_acuses)
            yield f"acuses/{one.difusor}/{one.nodo}/acuse.pub.pem", key.keyval["public"].encode()


def _leeme(hechos: Hechos, asunto: Asunto) -> str:
    call = hechos.workspace.convocatoria
    return LEEME.format(
        que=asunto.en_palabras(hechos),
        instituto=call.instituto_nombre or call.instituto,
        convocatoria=call.nombre,
        hora=f"{hechos.hora.astimezone(call.zona):%d/%m/%Y %H:%M:%S}",
        version=pregon.__version__,
    )
