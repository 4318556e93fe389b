"""The measures as SQL: each file is one SELECT over a run's tables, in words that ``motor_duckdb.sql`` gives DuckDB."""
