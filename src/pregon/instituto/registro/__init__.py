"""The difusores of a call: what each one declared, the state it is in, its logo, and the support given."""
