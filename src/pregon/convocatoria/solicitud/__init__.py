"""The form with which somebody asks to be a difusor: both sides read it, and by the same rules.

* ``modelo.Ficha``: what the institute registers; ``modelo.Borrador``: the same while the difusor fills it in.
* ``formulario``: the questions of each call's form, answered from it; ``faltantes``; ``plantilla``, an empty one.
* ``contactos``: the stages of a call, and who is called in each.
* ``logo.admite``: the logo that a call takes, cleaned.
"""
