"""A night as events, without a network: people who come, open pages and wait, links that are shared, queues.

Pure: a seed and numbers in, numbers out. ``visitas`` makes what each person asks, one by one; ``enlace`` is a link that
all share by equal parts and ``mostrador`` a queue before several servers; ``noche`` puts them together and counts. It
knows nothing of the formulas of ``difusor.aforo``, which it is the proof of.
"""
