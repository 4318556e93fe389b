"""Whether a difusor does what its call asks, clause by clause, and what proves it."""
