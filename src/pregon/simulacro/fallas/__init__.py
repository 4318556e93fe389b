"""Faults on purpose in a rehearsed night: which, when, to whom; how each is done; and the night that they happen to.

What the other rooms use::

    from pregon.simulacro.fallas.plan import lee, resuelve, todas
    from pregon.simulacro.fallas.noche import LeaderConFallas

    fallas = resuelve(lee(path), difusores=10, cortes=6, semilla=7, intervalo_min=20)   # or todas(...)
    with LeaderConFallas(night, fallas, folder, say=print).run() as result:
        result.fallas, result.notas

* ``plan``: the values, read from a TOML or drawn by a seed; nothing is done there.
* ``instituto``, ``difusor``, ``enlace``, ``publico``: who does the faults of each, undoes them and says what effect
  they had (``escena.Provocador``). Their helpers: ``mensajero`` takes the repository to one difusor and spoils what it
  carries; ``recibe`` is a difusor with no room left on its disk; ``avalancha`` readers who come all at once;
  ``visitante`` one who notices that nobody answers; ``orilla`` a store and its edge; ``postgres`` what two machines of
  an institute share.
* ``mirada``: what is seen of each difusor. ``diario``: what began, ended and had an effect. ``noche``: leads it all.

What each fault must and must not cause is said in ``simulacro.notas``, which sees the plan and never the night.
"""
