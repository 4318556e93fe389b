"""Elections that never happened: their catalogue, their actas, when each arrives, and whole nights on disk."""
