"""Manifest, archives, changes between cuts and safe reading: values and streams, no state."""
