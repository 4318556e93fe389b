"""7z: ``formato`` and ``metodos`` read its header strictly, ``lectura`` admits one, ``escrito`` writes ours."""
