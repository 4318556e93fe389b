"""The facts of the five texts, by clause id (``clauses.md``): the profiles say what the calls say."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from pregon.convocatoria.perfiles import ids, load


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # as many parts as given


HECHOS: list[tuple[str, str, str, Any]] = [
    # Guerrero 2021
    ("gro-2021", "GRO-0.2", "participantes", ("academia", "osc", "medios")),
    ("gro-2021", "GRO-0.3", "elecciones", ("GUB", "DIP", "AYU")),
    ("gro-2021", "GRO-1.1a", "inicio", utc(2021, 6, 7, 1)),
    ("gro-2021", "GRO-1.1b", "fin_actualizacion", utc(2021, 6, 8, 1)),
    ("gro-2021", "GRO-1.1c", "permanencia_hasta", utc(2021, 7, 2, 4, 59)),
    ("gro-2021", "GRO-1.3b", "personalizacion", "autorizada"),
    ("gro-2021", "GRO-1.4", "plazos.solicitud", date(2021, 5, 3)),
    ("gro-2021", "GRO-1.5b", "plazos.infraestructura", date(2021, 5, 11)),
    ("gro-2021", "GRO-1.6a", "plazos.lista", date(2021, 6, 3)),
    ("gro-2021", "GRO-1.7d", "formulario.campos.0", "Dominio de publicación"),
    ("gro-2021", "GRO-1.7d", "formulario.campos.8", "Estado"),
    ("gro-2021", "GRO-1.9b", "intervalo_min", 20),
    ("gro-2021", "GRO-1.9c", "mostrar_corte", True),
    ("gro-2021", "GRO-2.1a", "transporte.protocolo", "scp"),
    ("gro-2021", "GRO-2.1b", "alta_disponibilidad", "recomendado"),
    ("gro-2021", "GRO-2.2a", "minimos.mbps", 20),
    ("gro-2021", "GRO-2.2b", "transferencia_max_s", 600),
    ("gro-2021", "GRO-2.2c", "paquete.tam_min_mb", 40),
    ("gro-2021", "GRO-2.2c", "paquete.tam_max_mb", 550),
    ("gro-2021", "GRO-2.3d", "paquete.archivo", "7z"),
    ("gro-2021", "GRO-2.3f", "ntp", True),
    ("gro-2021", "GRO-2.3g", "minimos.fisico", True),
    ("gro-2021", "GRO-2.3h", "minimos.cores", 16),
    ("gro-2021", "GRO-2.3h", "minimos.ghz", 2.4),
    ("gro-2021", "GRO-2.3i", "minimos.ram_gb", 32),
    ("gro-2021", "GRO-2.3j", "minimos.disco_gb", 100),
    ("gro-2021", "GRO-2.3j", "minimos.iops", 400),
    ("gro-2021", "GRO-2.4a", "minimos.red_redundante", True),
    ("gro-2021", "GRO-2.4d", "puertos_publicos", (80, 443)),
    ("gro-2021", "GRO-2.4e", "puertos_restringidos", (22,)),
    ("gro-2021", "GRO-2.4f", "balanceador", "opcional"),
    ("gro-2021", "GRO-2.4h", "respuesta_max_s", 10),
    ("gro-2021", "GRO-2.5c", "minimos.ups_kva_por_servidor", 2),
    ("gro-2021", "GRO-2.6", "minimos.dispensa", True),
    ("gro-2021", "GRO-3.1", "transporte.modo", "push"),
    ("gro-2021", "GRO-3.3a", "fallo.periodos", 3),
    ("gro-2021", "GRO-3.3a", "fallo.accion", "interrumpir"),
    ("gro-2021", "GRO-3.3b", "fallo.aviso_en_portal", True),
    ("gro-2021", "GRO-3.3c", "fallo.retira_liga", True),
    ("gro-2021", "GRO-5.2", "etapas.1.hasta", date(2021, 5, 30)),
    ("gro-2021", "GRO-6.2", "memoria.bitacoras_desde", date(2021, 6, 4)),
    ("gro-2021", "GRO-6.2", "memoria.bitacoras_hasta", date(2021, 6, 7)),
    ("gro-2021", "GRO-6.6", "plazos.memoria_formato", date(2021, 5, 21)),
    ("gro-2021", "GRO-6.7", "plazos.memoria_entrega", None),
    # Durango 2024
    ("dgo-2024", "DGO-0.2", "elecciones", ("DIP",)),
    ("dgo-2024", "DGO-I-1a", "inicio", utc(2024, 6, 3, 2)),
    ("dgo-2024", "DGO-I-1b", "fin_actualizacion", utc(2024, 6, 4, 2)),
    ("dgo-2024", "DGO-I-1b", "cierre_anticipado_permitido", True),
    ("dgo-2024", "DGO-I-3b", "personalizacion", "autorizada"),
    ("dgo-2024", "DGO-I-4a", "plazos.solicitud", date(2024, 5, 18)),
    ("dgo-2024", "DGO-I-5", "plazos.infraestructura", date(2024, 5, 21)),
    ("dgo-2024", "DGO-I-6", "embebido", "si"),
    ("dgo-2024", "DGO-I-11a", "intervalo_min", 15),
    ("dgo-2024", "DGO-I-11c", "retraso_max_s", 60),
    ("dgo-2024", "DGO-I-12", "fallo.causas", ("incumplimiento",)),
    ("dgo-2024", "DGO-I-12", "fallo.periodos", None),
    ("dgo-2024", "DGO-II-a.a", "minimos.cores", 8),
    ("dgo-2024", "DGO-II-a.a", "minimos.fisico", None),
    ("dgo-2024", "DGO-II-a.b", "minimos.ram_gb", 16),
    ("dgo-2024", "DGO-II-a.c", "minimos.ssd", True),
    ("dgo-2024", "DGO-II-c", "docker", "requerido"),
    ("dgo-2024", "DGO-II-e", "puertos_salida", (123,)),
    ("dgo-2024", "DGO-II-net-a", "minimos.mbps", 100),
    ("dgo-2024", "DGO-II-net-c3", "transporte.protocolo", "rsync"),
    ("dgo-2024", "DGO-II-net-c3", "puertos_restringidos", (22, 873, 2873)),
    ("dgo-2024", "DGO-II-net-d", "waf", "recomendado"),
    ("dgo-2024", "DGO-III-2", "simulacros.0.fecha", date(2024, 5, 19)),
    ("dgo-2024", "DGO-III-2", "simulacros.1.fecha", date(2024, 5, 26)),
    ("dgo-2024", "DGO-III-3", "plazos.lista", date(2024, 5, 27)),
    ("dgo-2024", "DGO-I-7a", "lista_antes", True),
    ("mor-2024", "MOR-A3-3", "carta.enviar_a", "correspondencia@impepac.mx"),
    ("mex-2021", "MEX-I-5", "carta.enviar_a", "uie@ieem.org.mx"),
    ("gro-2021", "GRO-1.6a", "lista_antes", False),
    ("mor-2024", "MOR-I-8a", "lista_antes", False),
    ("mex-2021", "MEX-I-8a", "lista_antes", False),
    ("ine-2021", "INE-I-f-1", "lista_antes", False),
    ("dgo-2024", "DGO-III-4", "permanencia_hasta", utc(2024, 6, 10, 5, 59)),
    ("dgo-2024", "DGO-IV-2", "memoria.bitacoras_hasta", date(2024, 6, 9)),
    ("dgo-2024", "DGO-VI", "contactos.1.correo", "ut.computo@iepcdurango.mx"),
    # Morelos 2024
    ("mor-2024", "MOR-0.1", "participantes", ("academia", "medios")),
    ("mor-2024", "MOR-0.2", "elecciones", ("GUB", "DIP", "AYU")),
    ("mor-2024", "MOR-I-1", "plazos.solicitud", utc(2024, 5, 23, 2)),
    ("mor-2024", "MOR-I-3b", "personalizacion", "no"),
    ("mor-2024", "MOR-I-5a", "inicio", utc(2024, 6, 3, 2)),
    ("mor-2024", "MOR-I-5a", "fin_actualizacion", utc(2024, 6, 4, 2)),
    ("mor-2024", "MOR-gap", "permanencia_hasta", None),
    ("mor-2024", "MOR-I-8a", "plazos.lista", date(2024, 5, 27)),
    ("mor-2024", "MOR-I-11b", "intervalo_min", 10),
    ("mor-2024", "MOR-I-12", "fallo.accion", "bloquear"),
    ("mor-2024", "MOR-A1-1.5", "root", True),
    ("mor-2024", "MOR-A1-2.1", "minimos.fisico", True),
    ("mor-2024", "MOR-A1-2.5", "energia_redundante", "requerido"),
    ("mor-2024", "MOR-A1-3.4", "puertos_restringidos", (22, 873)),
    ("mor-2024", "MOR-A1-3.6", "ddos", "requerido"),
    ("mor-2024", "MOR-A2-0", "formulario.enviar_a", "utsic@impepac.mx"),
    ("mor-2024", "MOR-gap", "memoria", None),
    ("mor-2024", "MOR-gap", "simulacros", ()),
    # Estado de México 2021
    ("mex-2021", "MEX-0.2", "elecciones", ("DIP", "AYU")),
    ("mex-2021", "MEX-I-1a", "inicio", utc(2021, 6, 7, 1)),
    ("mex-2021", "MEX-I-1b", "permanencia_hasta", utc(2021, 6, 8, 4, 59)),
    ("mex-2021", "MEX-I-3b", "personalizacion", "no"),
    ("mex-2021", "MEX-I-5", "plazos.solicitud", date(2021, 6, 1)),
    ("mex-2021", "MEX-I-8a", "plazos.lista", date(2021, 6, 4)),
    ("mex-2021", "MEX-I-11b", "intervalo_min", 20),
    ("mex-2021", "MEX-I-12", "fallo.accion", "bloquear"),
    ("mex-2021", "MEX-I-13", "fallo.causas", ("incumplimiento", "ataque")),
    ("mex-2021", "MEX-I-13", "fallo.aviso_publico", True),
    ("mex-2021", "MEX-II-1e", "syslog", True),
    ("mex-2021", "MEX-II-2a", "minimos.mbps", 10),
    ("mex-2021", "MEX-II-2c2", "puertos_publicos", (443,)),
    ("mex-2021", "MEX-II-2c5", "ntp_servidor", "pool.ntp.org"),
    ("mex-2021", "MEX-II-2d", "minimos.nube", "permitida"),
    ("mex-2021", "MEX-II-3a", "paquete.formatos", ("html", "hash", "txt")),
    ("mex-2021", "MEX-II-3a", "paquete.hash", "sha256"),
    ("mex-2021", "MEX-II-3c", "ventanas_prueba.0.hora_hasta", time(17)),
    ("mex-2021", "MEX-A1-2", "enlace_ejemplo", "prep2021.difusor.mx"),
    # INE 2021
    ("ine-2021", "INE-I-a-1", "inicio", utc(2021, 6, 7, 1)),
    ("ine-2021", "INE-I-a-3", "permanencia_hasta", utc(2021, 6, 9, 4, 59)),
    ("ine-2021", "INE-I-c", "personalizacion", "no"),
    ("ine-2021", "INE-I-d-2", "plazos.infraestructura", date(2021, 4, 30)),
    ("ine-2021", "INE-I-d-3", "fallo.irrevocable", True),
    ("ine-2021", "INE-I-e", "embebido", "si"),
    ("ine-2021", "INE-I-f-1", "plazos.lista", date(2021, 5, 27)),
    ("ine-2021", "INE-I-f-2", "logo.formatos", ("svg", "ai")),
    ("ine-2021", "INE-I-g-1", "plazos.solicitud", date(2021, 4, 28)),
    ("ine-2021", "INE-II-a", "minimos.nube", "requerida"),
    ("ine-2021", "INE-II-a-i-2", "purga", "requerido"),
    ("ine-2021", "INE-II-a-ii-1", "transporte.modo", "pull"),
    ("ine-2021", "INE-II-a-ii-3a", "historial.conservar", "completo"),
    ("ine-2021", "INE-II-a-ii-3b", "historial.gb", 20),
    ("ine-2021", "INE-II-a-ii-3b", "paquete.tam_medio_mb", 40),
    ("ine-2021", "INE-II-a-ii-3c", "intervalo_min", 20),
    ("ine-2021", "INE-II-a-ii-3c", "intervalo_piso_min", 5),
    ("ine-2021", "INE-II-a-iii-1", "tls_min", "1.2"),
    ("ine-2021", "INE-II-a-iii-2a", "transporte.mbps", 50),
    ("ine-2021", "INE-II-a-iii-3a", "respuesta_max_s", 10),
    ("ine-2021", "INE-III-a", "paquete.formatos", ("html", "json", "csv", "js")),
    ("ine-2021", "INE-III-a-i", "imagenes", "solo_instituto"),
    ("ine-2021", "INE-III-b", "simulacros.0.fecha", date(2021, 5, 9)),
    ("ine-2021", "INE-III-c", "simulacros.3.fecha", date(2021, 5, 30)),
    ("ine-2021", "INE-III-c", "simulacros.3.obligatorio", True),
    ("ine-2021", "INE-IV-a", "disponibilidad_pct", "99.9"),
    ("ine-2021", "INE-V-a-i", "plazos.documentos", date(2021, 4, 28)),
    ("ine-2021", "INE-VII-a", "plazos.memoria_formato", date(2021, 4, 15)),
    ("ine-2021", "INE-VII-a-ii", "memoria.estadisticas_hasta", date(2021, 6, 8)),
    ("ine-2021", "INE-VII-b", "plazos.memoria_entrega", date(2021, 6, 15)),
    ("ine-2021", "INE-VIII", "contactos.0.correo", "convocatoria.prep2021@ine.mx"),
    ("ine-2021", "INE-IX-1", "paquete.archivo", "zip"),
]


@pytest.mark.parametrize(("profile", "clause", "path", "expected"), HECHOS)
def test_the_profile_says_what_the_clause_says(profile: str, clause: str, path: str, expected: object) -> None:
    value: Any = load(profile)
    for part in path.split("."):
        value = value[int(part)] if part.isdigit() else getattr(value, part)
    assert value == expected, clause


def test_the_five_are_shipped() -> None:
    assert ids() == ("dgo-2024", "gro-2021", "ine-2021", "mex-2021", "mor-2024")


@pytest.mark.parametrize("profile", ids())
def test_a_profile_is_named_as_its_file(profile: str) -> None:
    assert load(profile).id == profile


def test_contests_are_lower_case_and_ayuntamientos_is_ayun() -> None:
    assert load("gro-2021").contiendas == ("gub", "dip", "ayun")
    assert load("ine-2021").contiendas == ("dip",)


def test_what_the_text_does_not_say_is_told_apart_from_what_it_says() -> None:
    mex, dgo = load("mex-2021"), load("dgo-2024")
    assert "fin_actualizacion" not in mex.model_fields_set
    assert mex.fin_actualizacion == utc(2021, 6, 8, 1)  # the model's 24 hours
    assert "fin_actualizacion" in dgo.model_fields_set


def test_embedding_is_forbidden_only_where_a_call_says_no() -> None:
    assert {name: load(name).frame_ancestors for name in ids()} == dict.fromkeys(ids(), "*")
