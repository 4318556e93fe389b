"""A whole round: what is seen over the network, judged, kept and written in the journal."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base import locks
from pregon.base.errors import CadenaError, DanadoError, FirmaError, InstanciaError
from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import canonical_json
from pregon.base.red import free_port
from pregon.instituto.monitor.ajustes import AjustesMonitor, PortalVigilado, PuntoRemoto
from pregon.instituto.monitor.almacen import CARPETA, Almacen
from pregon.instituto.monitor.puesto import Puesto, inicia
from pregon.instituto.monitor.ronda import Ronda, Vigia, Vigilado
from tests.instituto.monitor.conftest import FIRMADOS, HORAS
from tests.instituto.monitor.portales import Sitio, abierto

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.monitor.modelo import Dictamen
    from tests.instituto.monitor.conftest import Instituto

RAPIDO = AjustesMonitor(respuesta_s=2.0, conexion_s=1.0, muestra=4)
MINUTO = timedelta(minutes=1)


def watch(instituto: Instituto, ajustes: AjustesMonitor = RAPIDO) -> Vigia:
    settings = instituto.workspace.settings.model_copy(update={"monitor": ajustes})
    return Vigia(replace(instituto.workspace, settings=settings), environment={})


def of(*sitios: tuple[str, Sitio | str]) -> list[Vigilado]:
    return [Vigilado(difusor=name, urls=(one if isinstance(one, str) else one.url,)) for name, one in sitios]


def told(made: Ronda, difusor: str) -> Dictamen:
    return next(one for one in made.dictamenes if one.difusor == difusor)


def events(instituto: Instituto, kind: str) -> list[dict[str, object]]:
    return [one.dato for one in instituto.workspace.state().events(limit=10_000) if one.tipo == kind]


def test_a_round_says_of_each_what_it_shows_and_on_what_evidence(instituto: Instituto) -> None:
    dead = f"http://127.0.0.1:{free_port('127.0.0.1')}/"
    cover = (instituto.publicados[3] / "index.html").read_bytes()
    instituto.a_las(FIRMADOS[3] + timedelta(minutes=11))  # past half the interval since it was signed
    with (
        abierto(Sitio(instituto.publicados[3])) as good,
        abierto(Sitio(instituto.publicados[2])) as old,
        abierto(Sitio(instituto.publicados[3], alterados={"index.html": cover[:-2] + b"!\n"})) as bad,
        watch(instituto) as vigia,
    ):
        made = vigia.ronda(of(("bien", good), ("viejo", old), ("malo", bad), ("muerto", dead)))
        lines = vigia.huellas(told(made, "malo").evidencia)
    shown = {one.difusor: (one.veredicto, one.causa, one.motivos, one.corte) for one in made.dictamenes}
    assert shown == {
        "bien": ("al_dia", "ninguna", (), 3),
        "viejo": ("atrasado", "difusor", ("CORTE_VIEJO",), 2),
        "malo": ("alterado", "difusor", ("CONTENIDO",), 3),
        "muerto": ("inaccesible", "difusor", ("SIN_RESPUESTA",), None),
    }
    assert told(made, "viejo").atraso_s == pytest.approx(11 * 60)
    assert len(lines) == 1
    assert "SHA-256" in lines[0]
    assert {one["difusor"] for one in events(instituto, "dictamen")} == set(shown)
    assert events(instituto, "punto_sin_red") == []


def test_a_difusor_within_its_tolerance_is_on_time_and_one_minute_past_it_is_late(instituto: Instituto) -> None:
    """Stale is found within a minute: the round after the tolerance."""
    with abierto(Sitio(instituto.publicados[2])) as site, watch(instituto) as vigia:
        seen = {}
        for minute in (9, 10, 11):
            instituto.a_las(FIRMADOS[3] + minute * MINUTO - timedelta(seconds=10))
            seen[minute] = told(vigia.ronda(of(("uno", site))), "uno").veredicto
    assert seen == {9: "al_dia", 10: "al_dia", 11: "atrasado"}
    assert [one["veredicto"] for one in events(instituto, "dictamen")] == ["al_dia", "atrasado"]


def test_a_file_once_seen_altered_is_read_in_every_round_until_it_is_well(instituto: Instituto) -> None:
    """Otherwise the verdict would come and go with the sampling, and the slot would end by luck."""
    ajustes = RAPIDO.model_copy(update={"muestra": 12})
    site = Sitio(instituto.publicados[3])
    ruta = "gub/distrito-001/index.html"
    assert (instituto.publicados[3] / ruta).is_file()
    with abierto(site), watch(instituto, ajustes) as vigia:
        site.alterados[ruta] = b"otra cosa"
        found = [told(vigia.ronda(of(("uno", site))), "uno").veredicto for _ in range(9)]
        first = found.index("alterado")
        assert set(found[first:]) == {"alterado"}
        site.alterados.clear()
        assert told(vigia.ronda(of(("uno", site))), "uno").veredicto == "al_dia"
        assert told(vigia.ronda(of(("uno", site))), "uno").veredicto == "al_dia"


def test_the_point_that_loses_its_network_suspends_judgement_of_everybody(instituto: Instituto) -> None:
    """Own network lost: with witnesses that fail, or without any where everybody is lost at once."""
    nobody = [f"http://127.0.0.1:{free_port('127.0.0.1')}/" for _ in range(3)]
    watched = of(*((f"d{n}", url) for n, url in enumerate(nobody)))
    with watch(instituto) as vigia:
        made = vigia.ronda(watched)
        again = vigia.ronda(watched)
    assert {(one.veredicto, one.causa) for one in made.dictamenes} == {("sin_determinar", "red")}
    assert [one.con_red for one in (*made.vistas, *again.vistas)] == [False, False]
    assert len(events(instituto, "punto_sin_red")) == 1
    with abierto(Sitio(portada=b"hola")) as witness:
        with watch(instituto, RAPIDO.model_copy(update={"testigos": (witness.url,)})) as vigia:
            made = vigia.ronda(watched)
        assert witness.pedidos
    assert {(one.veredicto, one.causa) for one in made.dictamenes} == {("inaccesible", "difusor")}
    with watch(instituto, RAPIDO.model_copy(update={"testigos": (witness.url,)})) as vigia:  # it is closed by now
        made = vigia.ronda(watched[:1])
    assert [(one.veredicto, one.causa) for one in made.dictamenes] == [("sin_determinar", "red")]


class _OnlyFirst(dict[str, float]):
    """The delays of a witness that answers once and then is not heard any more."""

    def __init__(self, site: Sitio) -> None:
        super().__init__()
        self._site = site

    def get(self, key: str, default: float | None = None) -> float | None:  # type: ignore[override]
        return default if len(self._site.pedidos) <= 1 else 30.0


def test_a_network_that_is_lost_during_the_round_accuses_nobody(instituto: Instituto) -> None:
    """The witnesses are asked again after the second look at who did not answer."""
    dead = f"http://127.0.0.1:{free_port('127.0.0.1')}/"
    with abierto(Sitio(portada=b"hola")) as witness, abierto(Sitio(instituto.publicados[3])) as good:
        ajustes = RAPIDO.model_copy(update={"testigos": (witness.url,), "respuesta_s": 0.4})
        with watch(instituto, ajustes) as vigia:
            steady = vigia.ronda(of(("uno", dead), ("dos", good)))
            witness.pedidos.clear()
            witness.lentas = _OnlyFirst(witness)
            made = vigia.ronda(of(("uno", dead), ("dos", good)))
    assert (told(steady, "uno").veredicto, told(steady, "uno").causa) == ("inaccesible", "difusor")
    assert [view.con_red for view in made.vistas] == [False]
    assert {(one.veredicto, one.causa) for one in made.dictamenes} == {("sin_determinar", "red")}


def test_one_alone_that_does_not_answer_a_point_without_witnesses_is_nobodys_fault(instituto: Instituto) -> None:
    with watch(instituto) as vigia:
        made = vigia.ronda(of(("uno", f"http://127.0.0.1:{free_port('127.0.0.1')}/")))
    assert [(one.veredicto, one.causa) for one in made.dictamenes] == [("inaccesible", "sin_determinar")]
    assert not made.dictamenes[0].falla


def test_what_is_wrong_once_is_looked_at_twice_before_it_is_said(instituto: Instituto) -> None:
    site = Sitio(instituto.publicados[3])
    port = free_port("127.0.0.1")
    url = f"http://127.0.0.1:{port}/"
    with abierto(Sitio(instituto.publicados[3])) as other, watch(instituto) as vigia:
        made = vigia.ronda(of(("uno", url), ("dos", other)))
        assert told(made, "uno").veredicto == "inaccesible"
        with abierto(site, puerto=port):
            made = vigia.ronda(of(("uno", url), ("dos", other)))
    assert told(made, "uno").veredicto == "al_dia"


def test_rounds_are_kept_by_hour_with_their_hash_in_the_journal(instituto: Instituto) -> None:
    folder = instituto.workspace.folder / CARPETA
    start = FIRMADOS[3] + 2 * MINUTO
    with abierto(Sitio(instituto.publicados[3])) as site, watch(instituto) as vigia:
        first = vigia.ronda(of(("uno", site)))
        instituto.a_las(start + MINUTO)
        second = vigia.ronda(of(("uno", site)))
        kept = sorted(folder.glob("*/*.json"))
        assert [path.name for path in kept] == ["000001.json", "000002.json"]
        assert json.loads(kept[1].read_bytes())["anterior"] == first.sha256 == sha256_bytes(kept[0].read_bytes())
        instituto.a_las(start + timedelta(hours=1))
        vigia.ronda(of(("uno", site)))
    packed = list(folder.glob("*.jsonl.gz"))
    assert len(packed) == 1
    assert len(gzip.decompress(packed[0].read_bytes()).splitlines()) == 2
    noted = [one for one in events(instituto, "nota") if one.get("clase") == "observaciones"]
    assert [one["sha256"] for one in noted] == [sha256_bytes(packed[0].read_bytes())]
    store = Almacen(instituto.workspace)
    read = list(store.lee(start - MINUTO, start + timedelta(hours=2), difusor="uno"))
    assert [one.ronda for one in read] == [1, 2, 3]
    assert read[1].dictamenes == second.dictamenes
    number = second.dictamenes[0].evidencia[0]
    cited = store.citadas([number], start - MINUTO, start + timedelta(hours=2))[number]
    assert (cited.corte, cited.hora, cited.leidas) == (3, start + MINUTO, second.observaciones[0].leidas)
    packed[0].write_bytes(packed[0].read_bytes()[:-20])
    with pytest.raises(DanadoError):
        list(store.lee(start - MINUTO, start + timedelta(hours=2)))


def test_the_oldest_hours_go_where_they_take_more_than_they_may(instituto: Instituto) -> None:
    folder = instituto.workspace.folder / CARPETA
    folder.mkdir()
    for hour in ("20210601T01", "20210601T02"):
        (folder / f"{hour}.jsonl.gz").write_bytes(bytes(6_000_000))
    small = RAPIDO.model_copy(update={"guarda_mb": 10})
    with abierto(Sitio(instituto.publicados[3])) as site, watch(instituto, small) as vigia:
        vigia.ronda(of(("uno", site)))
        instituto.a_las(instituto.clock.instant + timedelta(hours=1))
        vigia.ronda(of(("uno", site)))
    assert not (folder / "20210601T01.jsonl.gz").exists()
    assert (folder / "20210601T02.jsonl.gz").exists()
    assert any("20210601T01" in str(one.get("texto")) for one in events(instituto, "nota"))


def test_two_processes_do_not_make_rounds_at_once_and_numbers_never_repeat(instituto: Instituto) -> None:
    with abierto(Sitio(instituto.publicados[3])) as site, watch(instituto) as one, watch(instituto) as other:
        numbers = [vigia.ronda(of(("uno", site))) for vigia in (one, other, one)]
        assert [made.numero for made in numbers] == [1, 2, 3]
        assert len({seen.n for made in numbers for seen in made.observaciones}) == 3
        with (
            locks.exclusive(instituto.workspace.folder / CARPETA / ".candado"),
            pytest.raises(InstanciaError),
        ):
            one.ronda(of(("uno", site)))
        assert Almacen(instituto.workspace).ronda == 0  # nothing is held by who only reads
        assert one.ronda(of(("uno", site))).numero == 4


def test_nobody_is_judged_with_a_manifest_that_is_not_the_signed_one(instituto: Instituto) -> None:
    path = instituto.workspace.repositorio / "targets" / "cortes" / "0003" / "manifiesto.json"
    path.write_bytes(path.read_bytes().replace(b"gub", b"gob", 1))
    with abierto(Sitio(instituto.publicados[3])) as site, watch(instituto) as vigia, pytest.raises(DanadoError):
        vigia.ronda(of(("uno", site)))
    assert events(instituto, "dictamen") == []
    assert list((instituto.workspace.folder / CARPETA).glob("2*")) == []


# Another vantage point.


def remote(instituto: Instituto, folder: Path, sites: dict[str, Sitio]) -> tuple[Puesto, AjustesMonitor]:
    """A point in ``folder`` that watches these, and the settings of an institute that knows it."""
    disk = instituto.workspace.disk
    call = instituto.workspace.convocatoria
    public = inicia(
        folder, punto="norte", convocatoria=call.id, instituto=call.instituto, ambiente="simulacro", disk=disk
    )
    with (folder / "observa.toml").open("a") as file:
        for name, site in sites.items():
            file.write(f'[[portal]]\ndifusor = "{name}"\nurls = ["{site.url}"]\n')
    post = Puesto(folder, disk=disk, clock=instituto.clock)
    here = PuntoRemoto(punto="norte", clave=public, url=str(folder / "salida"))
    return post, RAPIDO.model_copy(update={"remoto": (here,)})


def test_what_another_point_sees_counts_and_is_measured_with_what_was_signed(
    instituto: Instituto, tmp_path: Path
) -> None:
    """What only one point sees, over plain HTTP, may be of the network between: an old copy, and other bytes too."""
    instituto.a_las(FIRMADOS[3] + timedelta(minutes=11))
    ruta = "gub/index.html"
    altered = Sitio(instituto.publicados[3], alterados={ruta: b"otra"})
    with (
        abierto(Sitio(instituto.publicados[3])) as good,
        abierto(Sitio(instituto.publicados[2])) as old,
        abierto(altered),
    ):
        post, ajustes = remote(instituto, tmp_path / "punto", {"uno": old, "dos": good, "tres": altered})
        _, files = post.ronda()
        post.close()
        assert [path.name for path in files] == ["000001------mirada.json"]
        with watch(instituto, ajustes) as vigia:
            watched = of(("uno", good), ("dos", good), ("tres", good))
            made = vigia.ronda(watched)
            again = vigia.ronda(watched)
    assert {view.punto for view in made.vistas} == {"instituto", "norte"}
    assert {view.punto for view in again.vistas} == {"instituto"}  # what was taken is not taken twice
    assert made.errores == {}
    shown = {one.difusor: (one.veredicto, one.causa, one.motivos) for one in made.dictamenes}
    assert shown == {
        "uno": ("atrasado", "red", ("CORTE_VIEJO",)),
        "dos": ("al_dia", "ninguna", ()),
        "tres": ("alterado", "red", ("CONTENIDO",)),
    }
    envelope = next((instituto.workspace.folder / CARPETA).glob("*/norte-000001.json"))
    assert envelope.read_bytes() == files[0].read_bytes()


def test_a_portal_with_a_manifest_of_its_own_is_found_out_from_a_point_that_believes_it(
    instituto: Instituto, tmp_path: Path
) -> None:
    """The point compares with what the portal says of itself: its hash is what the institute compares."""
    cover = b"<h1>otros resultados</h1>"
    manifest = json.loads((instituto.publicados[3] / "manifiesto.json").read_bytes())
    for entry in manifest["archivos"]:
        if entry["ruta"] == "index.html":
            entry |= {"bytes": len(cover), "sha256": sha256_bytes(cover)}
    data = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    liar = Sitio(instituto.publicados[3], alterados={"index.html": cover, "manifiesto.json": data})
    with abierto(liar), abierto(Sitio(instituto.publicados[3])) as good:
        post, ajustes = remote(instituto, tmp_path / "punto", {"uno": liar})
        seen, _ = post.ronda()
        post.close()
        assert seen.observaciones[0].manifiesto_sha256 == sha256_bytes(data)
        with watch(instituto, ajustes) as vigia:
            made = vigia.ronda(of(("uno", good)))
    assert (made.dictamenes[0].veredicto, made.dictamenes[0].motivos) == ("alterado", ("CORTE_AJENO",))


def test_observations_that_were_changed_taken_out_or_signed_by_another_are_refused(
    instituto: Instituto, tmp_path: Path
) -> None:
    with abierto(Sitio(instituto.publicados[3])) as good:
        post, ajustes = remote(instituto, tmp_path / "punto", {"uno": good})
        files = [post.ronda()[1][0] for _ in range(3)]
        post.close()
        whole = [path.read_bytes() for path in files]
        watched = of(("uno", good))

        def after(*contents: bytes | None) -> Ronda:
            for path, data in zip(files, contents, strict=True):
                path.unlink(missing_ok=True)
                if data is not None:
                    path.write_bytes(data)
            with watch(instituto, ajustes) as vigia:
                return vigia.ronda(watched)

        lying = json.loads(whole[0])
        lying["signatures"][0]["sig"] = lying["signatures"][0]["sig"][::-1]
        made = after(canonical_json(lying), None, None)
        assert set(made.errores) == {"norte"}
        assert {view.punto for view in made.vistas} == {"instituto"}
        assert made.dictamenes[0].veredicto == "al_dia"
        made = after(whole[0], None, whole[2])
        assert isinstance(made.errores["norte"], CadenaError)
        assert {view.punto for view in made.vistas} == {"instituto", "norte"}  # the first one is good
        made = after(*whole)
        assert made.errores == {}
    other = tmp_path / "otra"
    inicia(other, punto="norte", convocatoria="x", instituto="y", ambiente="oficial", disk=instituto.workspace.disk)
    named = ajustes.remoto[0].model_copy(update={"clave": other / "punto.pub.pem"})
    with watch(instituto, ajustes.model_copy(update={"remoto": (named,)})) as vigia, abierto(Sitio()) as any_site:
        refused = vigia.ronda(of(("uno", any_site)))
    assert isinstance(refused.errores["norte"], FirmaError)


def test_where_there_is_another_point_silence_towards_one_alone_accuses_nobody(
    instituto: Instituto, tmp_path: Path
) -> None:
    """The road between the two may be what is broken. Two that agree accuse."""
    dead = Sitio(url=f"http://127.0.0.1:{free_port('127.0.0.1')}/")
    with abierto(Sitio(instituto.publicados[3])) as good:
        post, ajustes = remote(instituto, tmp_path / "punto", {"uno": dead, "dos": good})
        watched = of(("uno", dead), ("dos", good))
        with watch(instituto, ajustes) as vigia:
            alone = vigia.ronda(watched)
            post.ronda()
            both = vigia.ronda(watched)
        post.close()
    assert (told(alone, "uno").veredicto, told(alone, "uno").causa) == ("inaccesible", "sin_determinar")
    assert (told(both, "uno").veredicto, told(both, "uno").causa) == ("inaccesible", "difusor")


def test_the_slots_of_the_night_carry_the_cut_and_the_instant_of_its_signature(instituto: Instituto) -> None:
    with abierto(Sitio(instituto.publicados[3])) as site, watch(instituto) as vigia:
        vigia.ronda(of(("uno", site)))
        slots = vigia.periodos
    assert [one.corte for one in slots[:4]] == [1, 2, 3, None]
    assert [one.vence for one in slots[:3]] == [HORAS[n] for n in (1, 2, 3)]
    assert all(
        one.firmado is not None and timedelta() <= one.firmado - FIRMADOS[n] < MINUTO
        for n, one in enumerate(slots[:3], 1)
    )
    assert len(slots) == 24 * 3 + 1
    assert slots[-1].vence == instituto.workspace.convocatoria.fin_actualizacion


def test_a_portal_of_the_settings_is_named_once() -> None:
    one = PortalVigilado(difusor="uno", urls=("https://uno.example.mx/",))
    with pytest.raises(ValueError, match="dos tablas"):
        AjustesMonitor(portal=(one, one))
