"""Carriers: how the static repository travels from institute to difusor. None of them is trusted (design §2)."""
