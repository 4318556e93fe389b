"""Access logs in, measures out: who consulted a portal, when and what, defined once (``docs/memoria/definiciones.md``).

``lectura.read`` opens logs of any kind and size, plain or compressed, and gives clean text in pieces of bounded size;
``deteccion`` finds the format of a file, ``formatos`` knows those of the common servers and services, ``directivas``
understands the ``LogFormat`` of Apache and the ``log_format`` of nginx. ``cuenta.measure`` runs the measures
(``sql/*.sql``, plain SELECTs that each engine wraps) and gives ``medidas.Medidas``: frozen values, JSON
``pregon/medidas/1``. ``sucesos`` adds what no log knows: availability and freshness, from the difusor's own events.
``ajustes`` is the ``[[bitacora]]`` of ``difusor.toml``; it imports no engine.

Addresses live in the engine's memory and its private folder only. A visitor is a keyed hash.
"""
