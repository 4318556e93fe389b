"""Which papers a call asks of who wants to be its difusor, and all of them made from one file.

====================  =====================================================================  ==========================
Paper                 When                                                                   Source
====================  =====================================================================  ==========================
solicitud             always; with the form's data within it where the call has no annex     GRO-1.4 DGO-I-4a …
formato-de-registro   the form is an annex                                                   MOR-A2 MEX-A1 DGO-II-f
carta-compromiso      the profile has ``[carta]``                                            GRO-1.7 DGO-I-8 MOR-A3 …
personal              always                                                                 GRO-5.4 INE-V-a-ii
diagrama              there is a ``difusor.toml``                                            INE-V-a-i
infraestructura       something is not met (``[[dispensa]]``) and the call foresees it       GRO-2.6
aviso-comite          the addressee must tell somebody (``carta.enterado``)                  DGO-I-4b
====================  =====================================================================  ==========================
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pregon.difusor.formatos import cartas, diagrama, personal, registro

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.difusor.formatos.encargo import Encargo, Papel

CLAUSULAS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "gro-2021": {
        "solicitud": ("GRO-1.4", "GRO-1.7d"),
        "carta-compromiso": ("GRO-1.7a", "GRO-1.7b", "GRO-1.7c"),
        "personal": ("GRO-5.4",),
        "infraestructura": ("GRO-2.6",),
        "logotipo": ("GRO-1.6b",),
    },
    "dgo-2024": {
        "solicitud": ("DGO-I-4a",),
        "formato-de-registro": ("DGO-II-f",),
        "carta-compromiso": ("DGO-I-8a", "DGO-I-8b", "DGO-I-8c"),
        "personal": ("DGO-III-5",),
        "aviso-comite": ("DGO-I-4b",),
        "logotipo": ("DGO-I-7b",),
    },
    "mor-2024": {
        "solicitud": ("MOR-I-1", "MOR-I-9a", "MOR-I-9b"),
        "formato-de-registro": tuple(f"MOR-A2-{n}" for n in range(8)),
        "carta-compromiso": ("MOR-A3-1", "MOR-A3-2", "MOR-A3-3"),
        "logotipo": ("MOR-I-8b", "MOR-A2-0"),
    },
    "mex-2021": {
        "solicitud": ("MEX-I-5", "MEX-I-9"),
        "formato-de-registro": tuple(f"MEX-A1-{n}" for n in range(1, 8)),
        "carta-compromiso": ("MEX-A2",),
        "personal": ("MEX-IV-1",),
        "logotipo": ("MEX-I-8b", "MEX-A1-7"),
    },
    "ine-2021": {
        "solicitud": ("INE-I-g-1",),
        "carta-compromiso": ("INE-I-g-2",),
        "personal": ("INE-V-a-ii",),
        "diagrama": ("INE-V-a-i",),
        "logotipo": ("INE-I-f-2",),
    },
}
"""What each paper answers, by call. A profile of one's own has no clauses written down."""
DE_DOCUMENTO = {
    "Oficio": "solicitud",
    "Compromiso": "carta-compromiso",
    "Carta": "carta-compromiso",
    "Formato": "formato-de-registro",
    "Personal": "personal",
    "Diagrama": "diagrama",
}
"""By its first word, which of our papers is one of the documents that a profile lists; the rest somebody else makes."""


def papeles(encargo: Encargo) -> tuple[Papel, ...]:
    """All the papers, in the order in which they are handed in; the letter first, which names the others.

    Raises:
        AjustesError: the profile names a letter that there is none of.
    """
    call = encargo.convocatoria
    others: list[Papel] = []
    if registro.hay(encargo):
        others.append(registro.formato(encargo))
    if call.carta is not None:
        others.append(cartas.compromiso(encargo))
    others.append(personal.listado(encargo))
    if encargo.ajustes is not None:
        others.append(diagrama.diagrama(encargo, encargo.ajustes))
    if encargo.solicitud.dispensa and call.minimos.dispensa:
        others.append(cartas.dispensa(encargo))
    within = not registro.hay(encargo) and bool(call.formulario.campos)
    names = [*(one.titulo for one in others), *por_otros(encargo), "Logotipo"]
    letter = cartas.aviso(encargo, names, registro.campos(encargo) if within else ())
    if within:
        # Its data in a sheet too, as every form has them.
        data = encargo.hoja(f"Datos de la solicitud: {call.nombre}", *registro.campos(encargo))
        blanks = (*letter.blancos, *registro.blancos(encargo, call.formulario.campos))
        letter = replace(letter, documentos={**letter.documentos, "xlsx": data}, blancos=blanks)
    if call.carta is not None and call.carta.enterado:
        others.append(cartas.enterado(encargo, call.carta.enterado))
    return (letter, *others)


def por_otros(encargo: Encargo) -> tuple[str, ...]:
    """The documents of the call that no paper of ours is, and that the difusor adds itself."""
    return tuple(name for name in encargo.convocatoria.documentos if name.split()[0] not in DE_DOCUMENTO)


def sin_ajustes(encargo: Encargo) -> bool:
    """Whether the call asks for the diagram (INE-V-a-i) and there is no ``difusor.toml`` to draw it from."""
    asked = {DE_DOCUMENTO.get(name.split()[0]) for name in encargo.convocatoria.documentos}
    return encargo.ajustes is None and "diagrama" in asked


def clausulas(encargo: Encargo, clave: str) -> tuple[str, ...]:
    """The clauses that a paper answers, of the calls whose clauses are written down."""
    return CLAUSULAS.get(encargo.convocatoria.id, {}).get(clave, ())
