"""The memoria técnica: what the night was, as the calls ask (GRO-6, DGO-IV, INE-VII), as PDF, DOCX, XLSX and JSON.

What the access logs say comes measured (``bitacoras.medidas``: this room reads no log and knows no engine); what no log
knows comes from the difusor's own records (``cumplimiento.registros``); what only people know, from ``memoria.toml``.

``notas`` is that file, which is theirs: what they wrote in it is never changed. ``incidencias`` makes stretches of the
journal; ``noche`` has cuts, freshness and availability; ``memoria.reune`` puts all of it together and ``blancos`` says
what it still lacks. ``documento`` makes the paper, part by part (``partes``, ``uso``), with the plots of ``dibujos``;
``carpeta`` writes it. Everything but ``carpeta`` is a function of values.
"""
