"""What a difusor publishes in an object store behind a CDN (INE-II-a), besides its own disk."""
