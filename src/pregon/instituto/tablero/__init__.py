"""The board of the night: what the institute sees of its difusores and of itself, and a process of its own to serve it.

It only reads: it may die, or be on the second machine, and the night does not notice. The value that everybody draws
is ``modelo.Cuadro``, one moment of the night, frozen:

* ``modelo``: ``Cuadro`` (``noche``, ``cortes``: one column a slot that began, ``difusores``: rows, worst first,
  ``por_decidir``, ``eventos``, ``puntos``, ``alarmas``, ``faltan``), ``LETRAS`` (what each letter of a row's ``celdas``
  says, with its shape for whoever sees no colour) and ``gravedad`` (worst first). ``Renglon.celdas[i]`` and
  ``Renglon.segundos[i]`` are of ``Cuadro.cortes[i]``.
* ``cuadro``: ``Pliego`` folds what is read into the ``Cuadro`` of an instant; ``letras.letra`` decides a cell,
  ``pendientes.de`` what asks for a person, ``palabras`` says each event; ``diferencia.diferencia(antes, despues)`` what
  changed (``Cambio``). All pure.
* ``formas``: ``de_cuadro`` gives the JSON ``pregon/tablero/1`` of ``/tablero.json``; ``de_cambio`` what ``/flujo.json``
  says.
* ``lector.Lector``: reads the workspace in a thread of its own, first the whole night and then only what is new.
  ``.cuadro`` is the last moment, never None; ``.listo`` is set once the night was read; ``.detalle(id)`` and
  ``.bitacora(…)`` are asked for on demand, off the loop's thread.
* ``sitio.Tablero(workspace, environment=…)``: the application (``.app``) and its parts, which routes of other modules
  use: ``.responde(request, template, **data)`` for a page, ``.paginas``, ``.libro`` (the door's), ``.puerta``,
  ``.cuentas``, ``.sitio``, ``.lector``, ``.workspace``, ``.environment``. ``servicio.atendiendo(workspace,
  environment=…)`` attends it.

What is done from it: ``acciones`` (who may what, with which fields; pure), ``puertas.Ventanilla`` (takes a request or
refuses it, by numbered steps), ``tramites`` (each request once, in the journal before and after), ``ejecuta`` (by the
functions that the commands call), ``api`` and ``openapi`` (the same as JSON, under ``/api/``).

Pages (templates of ``plantillas/``; every one gets ``cuenta``, ``roles`` and ``ficha``, the token of its forms):

====================  ===================  ==========================================================================
address               template             what it gets
====================  ===================  ==========================================================================
``/``                 ``tablero.html``     ``cuadro`` (``Cuadro``), ``elegido`` (None), ``muro`` (bool)
``/difusor/{id}``     ``difusor.html``     ``detalle`` (``modelo.Detalle``), ``cuadro``
``/bitacora``         ``bitacora.html``    ``hoja`` (``modelo.Hoja``: events, filter, next page), ``cuadro``; the filter
                                           is ``difusor``, ``corte``, ``tipo``, ``tono`` and ``antes`` (a number)
``/flujo``            parts of the page    server-sent events ``partes`` (``vista.Partes``), numbered; a page says which
                                           it has in ``?serie=…&desde=…``, a browser that comes back in Last-Event-ID
``/tablero.json``     —                    JSON ``pregon/tablero/1``
``/acciones/{c}``     ``accion.html``      ``cual`` (``acciones.Accion``), ``valores``, ``problemas``, ``cuadro``
``/tramites/{n}``     ``tramite.html``     ``tramite`` (``tramites.Tramite``), ``cuadro``
``/api/…``            —                    JSON, by ``/api/openapi.json``
``/flujo.json``       —                    events ``cuadro`` (whole) and ``cambio`` (``formas.de_cambio``), numbered
====================  ===================  ==========================================================================
"""
