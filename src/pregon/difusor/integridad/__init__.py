"""What is public is read again all night, and put right where it is not what was accepted."""
