"""Coverage-guided search for inputs that break what reads bytes from outside. ``make fuzz``; ``docs/fuzz.md``."""
