"""The difusor watches itself: what is wrong, since when, and who is told."""
