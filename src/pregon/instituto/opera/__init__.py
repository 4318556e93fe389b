"""The clock of the night: when each cut is due, the service that makes, delivers and watches it, and ``revisa`` before.

``programa.tareas`` decides (pure); ``turno.Turno`` does one thing with the workspace; ``servicio.Servicio`` does each
in its time and beside the others; ``noche.opera`` is the process. Its parts: ``envios`` (deliveries and acuses),
``vigilancia`` (the monitor's round and the due process), ``llegadas`` (the folder where files arrive), ``cierre`` (the
closing that a person orders). Before the night: ``revisa`` and ``ensayo``. The unit of systemd: ``unidad``.
"""
