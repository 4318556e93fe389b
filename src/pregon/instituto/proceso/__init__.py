"""Due process: the count of failed cuts of each difusor, its warnings, the orders, and its return (GRO-3.3)."""
