"""Real servers for the tests, on loopback, each a context manager that ends its own process."""
