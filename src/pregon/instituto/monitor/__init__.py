"""What each difusor shows, seen from outside by several vantage points, and the verdict on it.

``veredicto.dictamina(difusor, *, ahora, reglas, periodos, observaciones, vistas=(), firmados=(), mando="publica",
mando_desde=None, visible=None, puntos=None) -> Dictamen`` is pure and is what everybody calls.
``veredicto.Reglas.de(convocatoria)`` gives its rules, ``periodos.periodos(convocatoria, cortes)`` its slots, and
``veredicto.mirada`` whether a point had its own network. The verdicts:

====================================================  =============  ==============  ===================
what is seen                                          veredicto      causa           motivos
====================================================  =============  ==============  ===================
results before the start                              alterado       difusor         ANTICIPADO
a file that differs from the signed manifest          alterado       difusor (1)     CONTENIDO
a cut never signed, another site, another manifest    alterado       difusor         CORTE_AJENO
an older cut than the one due, from every point       atrasado       difusor         CORTE_VIEJO
an older one from one point, the newest from another  atrasado       red             CORTE_VIEJO
the page of before the start, with a cut due          atrasado       difusor         ESPERA_TARDIA
a notice that nobody ordered, with a cut due          atrasado       difusor         AVISO_PROPIO
the notice that was ordered                           al_dia         ninguna
no answer from any point                              inaccesible    difusor (2)     SIN_RESPUESTA
wrong TLS from every point                            inaccesible    difusor         TLS
no answer from one point, the right cut from another  al_dia         red             SIN_RESPUESTA
the newest cut, and the institute owes one            atrasado       instituto
the newest cut                                        al_dia         ninguna         notes, if any (3)
only points without network saw it                    sin_determinar red
nobody looked                                         sin_determinar sin_determinar
====================================================  =============  ==============  ===================

(1) ``red`` over plain HTTP where another point read the same file well. (2) ``sin_determinar`` where there are several
points and fewer than two with network say so, or where nobody at all answered the only one. (3) LENTO, CABECERAS and
HORA are told and change no verdict; SIN_RESPUESTA too, where fewer than half of the files did not come.

A cut is due once ``tolerancia`` has passed since it was signed; until then the one before is ``al_dia``. The institute
owes a cut when ``margen`` has passed since its hour.
"""
