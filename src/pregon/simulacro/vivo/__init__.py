"""The rehearsal on a screen, while it happens: every difusor by every cut, their portals side by side, and the faults.

A process of its own reads what the night leaves in its folder and serves one page on loopback. It writes nothing there
and nobody waits for it: the night is the same with it and without it.

* ``encargo``: the two files by which whoever leads the night speaks to it: ``vivo.json`` before it begins (periods,
  faults with their targets, where the report will be) and ``resultado.json`` once it ended.
* ``lector.Lector``: reads those, the clock, what was signed, the journal of faults, and of each difusor its pointer,
  its signed acuses and what it notes. Gives ``modelo.Leido``.
* ``cuadro.momento``: folds that into ``modelo.Momento``, what the page shows. Pure. ``palabras`` says it in Spanish.
* ``sitio.Vivo``: the application; ``servicio.atendida`` starts the process (``python -m pregon.simulacro.vivo``) and
  ends it with the night.

===================  =========================================================================================
address              what it gives
===================  =========================================================================================
``/``                the page; ``n`` (2 or 4) and ``p`` (ids, repeated) choose the portals beside the board
``/flujo``           server-sent events ``partes``: which parts of an open page change; ``fin``: the night is over
``/vivo.json``       the same as JSON (``pregon/vivo/1``)
``/informe/{name}``  the files of the signed report, once there is one
===================  =========================================================================================
"""
