"""Zip: ``formato`` reads its records strictly, ``lectura`` admits one, ``escrito`` writes ours."""
