"""The counts that the difusores deliver after the night, added up without an address of anybody.

::

    memorias/noche.clave    the key with which visitors are counted (0600), until ``claves.destruye``
    memorias/descifra.pem   opens the access logs that GRO and DGO ask for (0600)
    memorias/papeles/       that key, sealed for each node and signed: one file each, to be given to it
    memorias/entregas/<difusor>/<nodo>.json   what each delivered, as it came

``claves`` makes, gives out and destroys the key; ``recibo.admit`` takes a delivery or refuses it; ``union.add_up`` adds
up what there is and says who is missing; ``crudas.open_logs`` opens encrypted logs. The union needs no key: destroy it
as soon as every difusor has its own.
"""
