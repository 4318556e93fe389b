"""The convocatoria as data: the profile model, the five profiles shipped, how to write one. Imports only base."""
