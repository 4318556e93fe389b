"""What one of the twenty processes does: count its logs with the key of the night, and sign its delivery.

Importing it does what every process needs once: the server of processes does it before it makes them.
"""

from __future__ import annotations

import os
from pathlib import Path

from pregon.bitacoras import entrega
from pregon.bitacoras.contado import shared, told_apart
from pregon.bitacoras.conteo import Conteo
from pregon.bitacoras.cuenta import Corrida, open_run
from pregon.bitacoras.lectura import Fuente
from pregon.bitacoras.resumen import summarise
from pregon.bitacoras.robots import Registro, browser_of
from pregon.bitacoras.ventanas import SIEMPRE, Ventana
from pregon.trust import keys
from pregon.trust.acuse import Emisor
from pregon.trust.noche import ClaveNoche
from tests.bitacoras.medir import AHORA, FIREFOX, ZONA

Registro().tell([FIREFOX])
browser_of(FIREFOX)


def trabaja(folder: str, numero: int, secretos: list[bytes]) -> int:
    """One delivery for each key, of ``<numero>-<place>.log``; the number of this process."""
    place = Path(folder)
    key = keys.load(place / f"{numero}.pem")
    for n, secret in enumerate(secretos):
        counting = Conteo()
        made = Corrida([Ventana(0, "eleccion", 0, SIEMPRE)], hilos=1, clave=secret, al_paso=counting.paso)
        with open_run(made) as run:
            run.take([Fuente(place / f"{numero}-{n}.log")])
            found = summarise(run, sitios=("prep",), zona=ZONA, now=AHORA)
            sketches = counting.sketches(run, ("prep",))
        data = entrega.sign(
            Emisor("ensayo-2027", "oficial", f"difusor-{numero}", "principal"),
            instituto="iedemo",
            noche=ClaveNoche(secret).nombre,
            generado=AHORA,
            zona=ZONA.key,
            k=10,
            medidas=shared(found, 10),
            contados=told_apart(sketches, 10),
            crudas=None,
            key=key,
        )
        (place / f"{numero}-{n}.json").write_bytes(data)
    return os.getpid()
