"""Sixty simulated difusores over a night of faults: what goes wrong, how it looks from outside, and what is true."""
