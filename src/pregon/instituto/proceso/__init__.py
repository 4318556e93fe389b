"""Due process: the count of failed cuts of each difusor, its warnings, the orders, and its return (GRO-3.3).

Pure, for whoever has periods and dictámenes at hand::

    from pregon.instituto.proceso.cuenta import cierra, suma, terminado, tolerancia
    from pregon.instituto.proceso.regla import paso, regla_de

    margen = tolerancia(convocatoria)                                  # timedelta
    cierre = cierra("radio-uno", periodo, dictamenes, tolerancia=margen)  # -> Cierre: cumplio, fallo or no_cuenta
    cuenta = suma(cuenta, cierre)                                      # Cuenta(difusor="radio-uno") to begin with
    siguiente = paso(regla_de(convocatoria, puntos=3), cuenta, cierre, estado="activo")  # -> Paso.accion

``cierra`` takes the dictámenes of everybody and of any time: it leaves aside those that are not of that difusor or not
of that slot. ``terminado(periodo, el_que_sigue, ahora)`` says when a slot may be closed.

With the institute's workspace (journal, channels, signed notices)::

    from pregon.instituto.proceso.avisa import Proceso

    proceso = Proceso(workspace)
    proceso.cierra(periodos, dictamenes)   # closes what ended, once each; warns, proposes, orders
    proceso.atiende()                      # delivers what waits, tries again what failed; finishes what was confirmed

Everything is in the journal: a process that is killed at any step reads it and goes on where it was.
"""
