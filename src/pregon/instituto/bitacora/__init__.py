"""The institute's evidence: the journal's chain, the file of a difusor or a cut, the report of the night."""
