"""The institute's side of delivery: what to send to whom, sending it to all at once, and reading their acuses."""
