"""Disaster: the stand-by machine, and the repository rebuilt from a difusor."""
