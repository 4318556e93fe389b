"""A night as events, without a network: people who come, open pages and wait, links that are shared, queues.

Pure, a seed and numbers in and numbers out, but for ``medicion``, which measures real deliveries for ``calibracion``.
``visitas`` makes what each person asks, one by one; ``enlace`` is a link that all share by equal parts;
``mostrador`` is a queue before several servers; ``noche`` puts them together and counts. None of these
knows the formulas of ``difusor.aforo``, of which they are the proof.
``reparto`` is one cut to N difusores, ``plan`` answers an institute's
questions with it, and ``publico`` is the public before them, with the habits that ``aforo`` supposes.
"""
