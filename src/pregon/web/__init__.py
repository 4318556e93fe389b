"""Sign-in, sessions, CSRF and limits for the pages that only staff may see. Never the public portal."""
