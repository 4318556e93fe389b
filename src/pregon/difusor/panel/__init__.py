"""The status panel of a difusor: one phone-sized page, signed in."""
