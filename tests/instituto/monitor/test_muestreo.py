"""What is read in each round, and the probability that the documents state (docs/operacion/monitor.md)."""

from __future__ import annotations

import math
import random
from collections import Counter

from pregon.instituto.monitor.muestreo import (
    CADA_GRANDE,
    MUESTRA,
    SIEMPRE_MAX,
    ReglasMuestreo,
    elige,
    recorrido,
)
from pregon.paquete.manifest import FileEntry


def entry(ruta: str, size: int = 10_000) -> FileEntry:
    return FileEntry(ruta, size, "0" * 64)


def campeche(corte: int = 7) -> list[FileEntry]:
    """The shape of the package of Campeche 2021: four contests, 509 files, about."""
    files = [entry(name) for name in ("index.html", "corte.json", "manifiesto.json", "resumen.txt", "SHA256SUMS")]
    for contest, units in (("gub", 21), ("dip", 21), ("ayun", 13), ("juntas", 22)):
        files += [entry(f"{contest}/index.html")]
        files += [entry(f"datos/{corte:04d}/{contest}/{name}.json") for name in ("entidad", "indice", "noche")]
        files += [entry(f"{contest}/distrito-{n:03d}/index.html") for n in range(units)]
        files += [entry(f"{contest}/distrito-{n:03d}/secciones/index.html") for n in range(units)]
        files += [entry(f"datos/{corte:04d}/{contest}/seccion/{n:04d}.json") for n in range(54)]
    files += [entry(f"assets/a{n}.0123abcd.js") for n in range(16)]
    files += [entry(f"base-de-datos/20210607_0{corte}00_PREP_GOB_CAMP.zip", 30 << 20)]
    return files


def test_what_most_people_see_is_read_in_every_round() -> None:
    walk = recorrido(campeche(), clave="secreta")
    always = {one.ruta for one in walk.siempre}
    assert {"index.html", "corte.json", "gub/index.html", "datos/0007/juntas/entidad.json"} <= always
    assert len(always) <= SIEMPRE_MAX
    for number in range(40):
        assert always <= {one.ruta for one in walk.elige("uno", number)}
    assert walk.probabilidad("gub/index.html", 1) == 1.0


def test_nothing_is_read_twice_before_everything_was_read_once() -> None:
    walk = recorrido(campeche(), clave="secreta")
    rest = {one.ruta for one in walk.resto}
    rounds = math.ceil(len(rest) / MUESTRA)
    read = Counter(one.ruta for number in range(rounds) for one in walk.elige("uno", number) if one.ruta in rest)
    assert set(read) == rest
    assert max(read.values()) <= 2  # the last round begins the walk again
    assert sum(read.values()) == rounds * MUESTRA


def test_an_altered_byte_is_found_within_five_minutes_with_the_probability_that_is_stated() -> None:
    """In the cover, a contest or its data, surely. In one of n others, 5·20/n by each point: counted over secrets."""
    files = campeche()
    walk = recorrido(files, clave="x")
    n = len(walk.resto)
    stated = walk.probabilidad("gub/distrito-003/index.html", 5)
    assert stated == 5 * MUESTRA / n
    assert 0.2 < stated < 0.3
    rng = random.Random(20210606)
    found = tries = 0
    for _ in range(150):
        one = recorrido(files, clave=f"{rng.random()}")
        victim, start = rng.choice(one.resto).ruta, rng.randrange(1000)
        tries += 1
        found += any(victim in {each.ruta for each in one.elige("uno", start + k)} for k in range(5))
    spread = 3 * math.sqrt(stated * (1 - stated) / tries)
    assert abs(found / tries - stated) < spread
    assert walk.probabilidad("gub/distrito-003/index.html", 5, 3) == 1 - (1 - stated) ** 3
    assert walk.probabilidad("gub/distrito-003/index.html", math.ceil(n / MUESTRA)) == 1.0
    assert walk.probabilidad("no-existe", 5) == 0.0


def test_a_package_with_fewer_files_than_a_sample_is_read_whole() -> None:
    files = [entry("index.html"), entry("a/b/c.html"), entry("a/b/d.html")]
    assert sorted(elige(files, difusor="uno", ronda=3, clave="x")) == ["a/b/c.html", "a/b/d.html", "index.html"]
    assert elige([], difusor="uno", ronda=3, clave="x") == ()


def test_large_files_are_read_one_by_one_now_and_then() -> None:
    files = [*campeche(), entry("base-de-datos/20210607_0700_PREP_DIP_CAMP.zip", 3 << 20)]
    walk = recorrido(files, clave="x")
    assert len(walk.grandes) == 2
    read = [one.ruta for number in range(4 * CADA_GRANDE) for one in walk.elige("uno", number) if one in walk.grandes]
    assert len(read) == 4
    assert read[0] != read[1]
    assert walk.probabilidad(read[0], 2 * CADA_GRANDE) == 1.0


def test_what_was_seen_altered_is_read_again_every_round() -> None:
    walk = recorrido(campeche(), clave="x")
    victim = walk.resto[200].ruta
    for number in range(30):
        assert walk.elige("uno", number, {victim, "no-existe"})[0].ruta == victim


def test_the_order_is_the_points_secret_the_same_from_cut_to_cut_and_begins_elsewhere_for_each() -> None:
    first, second, other = (
        recorrido(campeche(7), clave="x"),
        recorrido(campeche(8), clave="x"),
        recorrido(campeche(7), clave="y"),
    )
    assert [one.ruta.replace("/0007/", "/0008/") for one in first.resto] == [one.ruta for one in second.resto]
    assert [one.ruta for one in first.resto] != [one.ruta for one in other.resto]
    assert first.elige("uno", 1) != first.elige("dos", 1)
    few = recorrido(campeche(), clave="x", reglas=ReglasMuestreo(muestra=3))
    assert len(few.elige("uno", 1)) == len(few.siempre) + 3
