"""What a difusor's administrator puts in the system so that the institute can deliver, and no more than that."""
