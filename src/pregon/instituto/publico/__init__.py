"""What the institute tells everybody: the list of difusores, how each one is, and how the night goes. Static files.

``pregon instituto opera`` writes them into one folder, ``pregon instituto publica`` too; any web server gives them, and
they stay when the night's service or the board ends. They are made of what is public already: signed cuts and notices,
the open part of the registry, and verdicts in public words.

* ``sitio.Publicador(workspace).publica(firmas, dictamenes)`` writes one state and switches to it.
* ``modelo.Publico`` is that state as a value; ``estado.estado`` makes it, pure; ``formas`` writes it as JSON and
  ``paginas`` as HTML.
* ``paquete.archivos(workspace)``: the state in force, as files for the tree of a cut (docs/adr/0017).
"""
