"""Sources of a cut in real databases."""
