"""How many come on the night, what they take, and what carries it: the analysis of capacity (INE-II-a-iii-3, GRO-2.4h).

Everything is a function of values: of ``aforo.toml`` (``ajustes``), of the profile, and of the bytes of a real package
(``peso``). ``demanda`` says how many, ``curva`` when they come, ``pico`` the most in ten seconds, ``capacidad`` what
carries it, ``analisis`` all of it together; ``palabras`` says it, ``documento`` makes the paper with its plots. The
formulas and where they come from are in docs/memoria/aforo.md; ``pregon.simulacro.modelo`` simulates the same night
and shares none of them.
"""
