"""Who the difusores are: their forms, contacts, keys, logo, state and support, with what is confidential under seal.

What the other rooms use:

* ``almacen.Registro(workspace)``: ``todos()`` and ``uno(id)`` give ``modelo.Inscrito`` (``id nombre url estado desde``
  and its ``historia``: nothing confidential, no key needed); ``vigilables()``, those whose portal is looked at;
  ``contactos(id, hora)`` the people to call at that instant, who answers then first (needs the key of the registry);
  ``ficha(id)`` the whole form. ``pasa(id, nuevo, mandato, aviso=n)`` changes the state alone, by the table.
* ``orden.ordena(workspace, id, nuevo, mandato, texto=…, hasta=…)``: sign the notice that the transition asks for,
  unless it is signed already, and then change the state. Called again after a death it ends what was left: one notice.
  ``estados.Mandato(quien="operador" | "programa", operador=…, motivo=…, evidencia=(…))`` says who orders it and why.
* ``orden.empieza(workspace)``: from the start on, who is still ``admitido`` becomes ``activo``; the due process has it
  done each time that it closes slots.
* ``estados``: ``Estado`` and ``TRANSICIONES``, the table that ``docs/estados.md`` draws; ``transicion(de, a)``.
* What a form is, what each call asks in it, the stages of a call with whom to call in each, and the logo are in
  ``convocatoria.solicitud``: both sides read them.
* ``nodos.desacuerdos(workspace, id, ficha)``: what its form and its ``[[destino]]`` say against each other.
* ``lista.escribe(workspace, folder)``: the public list, links off by state; ``lista.abierta(convocatoria, hora)``.
* ``soporte.Soporte(workspace)``: ``abre``, ``responde``, ``cierra``, ``todos``.

It knows none of the other rooms of the night. A difusor that is only a ``[[destino]]`` and has no form here has no
state: orders for it go through ``avisos`` as ever.
"""
