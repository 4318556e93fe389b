"""The institute's evidence: the journal's chain, the file of a difusor or a cut, the report of the night.

The chain itself is under ``state().record`` (``base.cadena``): whoever records does nothing for it. What others call::

    from pregon.instituto.bitacora import sellos

    sello = sellos.sella(workspace, corte=12)           # after each signed cut, and at the end of the night
    mensajero.manda(sellos.mensaje(workspace, sello))   # out of the machine: mail, syslog, webhook
    sellos.revisa(workspace).fallas                     # () where the journal is as it was written

``[bitacora] copias`` of ``instituto.toml`` names folders of other disks where each seal is written too.
"""
