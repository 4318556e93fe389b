"""One probe of a public URL, as a citizen would ask: what it answered, when, and which corte it shows."""
