"""Pregón carries a preliminary election result (PREP) from the institute to every official difusor."""

__version__ = "0.1.0"
