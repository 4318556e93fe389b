"""Actas -> totals at every level, by SQL on the engine of ``motor``."""
