"""The papers with which somebody asks to be a difusor, all of them from one ``solicitud.toml``.

* ``solicitud.lee(path)``: the file, and which of its keys are empty; ``plantilla(convocatoria)``, an empty one;
  ``ficha(solicitud)``, the form as the institute registers it, which ``instituto difusor alta`` takes as it is.
* ``carpeta.prepara(leida, convocatoria, hoy=…, ajustes=…)``: every paper as bytes, every blank with its path, and what
  the rule of the call says of the logo. ``carpeta.guarda(hecho, folder, disk)`` writes them.
* ``papeles``: which paper a call asks for, and the clauses that it answers.
* ``servicio.describe(ajustes, convocatoria)`` and ``diagrama``: the service that ``difusor.toml`` makes, drawn.

Everything but ``carpeta`` is pure. Nothing here knows how a page or a sheet is written: that is ``documentos``.
"""
