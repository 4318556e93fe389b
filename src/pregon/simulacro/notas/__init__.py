"""The marks of a rehearsed night: what each difusor had to do, what it did, and how ready it is.

* ``espera``: what the plan of faults alone says that must happen. It sees nothing of the night: what is seen of it and
  what was said of it beforehand are put side by side in ``notas`` alone.
* ``notas``: the marks, by difusor and clause, out of what was expected and what was seen; the grade.
* ``caida``: for how long a portal may be silent in a night, by its call.
* ``asistencia``: who took part in which official simulacro (INE-III-c).
* ``informe``: the signed report, as HTML, PDF and JSON.
"""
