"""Cuts read from the institute's own database: one read-only transaction, written as the official files."""
