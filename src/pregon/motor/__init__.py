"""Runs an ``.sql`` file on the data engine. The only importer of DuckDB."""
