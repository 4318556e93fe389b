"""A whole night on one machine: the institute and its difusores as separate processes, real carriers, checks."""
