"""Papers: one list of blocks, written as tagged PDF, as DOCX or as XLSX. Knows nothing of elections or difusores.

What the other rooms use::

    from pregon.documentos.bloques import Columna, Documento, Figura, Nota, Parrafo, Tabla, Titulo
    from pregon.documentos.formas import escribe

    documento = Documento(
        titulo="Memoria técnica", autor="Diario Uno", fecha=date(2024, 6, 12), pie="PREP Durango 2024",
        bloques=(
            Titulo(texto="Visitas"),                      # nivel 1, 2, 3; none skipped
            Parrafo(texto="Cuántas personas consultaron los resultados."),
            Tabla(
                titulo="Visitas por hora", hoja="Visitas",
                columnas=(Columna(nombre="Hora"), Columna(nombre="Visitas", clase="numero")),
                filas=(("20:00", 18_403), ("21:00", 12_277)),   # text is text, int and Decimal are numbers
                nota="Visita: peticiones de un visitante con menos de 30 minutos entre una y otra.",
            ),
            Figura(imagen=svg, tipo="svg", alt="Las visitas suben a las 20:00 …", titulo="Visitas por minuto"),
            Nota(texto="Faltan 12 minutos de bitácora.", tono="aviso"),
        ),
    )
    data = escribe(documento, "pdf")                      # or "docx", "xlsx"

* ``bloques``: ``Titulo Parrafo Lista Nota Tabla Campos Figura Firmas Salto`` and the ``Documento`` that holds them;
  frozen values, checked when made.
* ``formas.escribe(documento, forma) -> bytes``; ``FORMAS``. Same document, same bytes. ``AjustesError`` where the
  library of that form is not installed (extra ``papeles``).
* ``pdf.compone(template, data, hora=…, sin_papeles=…)``: a page that has a typst template of its own; ``pdf.a_png``: an
  SVG drawn as PNG.
* ``texto.legible(text)``: anybody's text without what no form can hold. Every form does this by itself.

What comes from outside (log lines, names, what people wrote) may be given as it is: no form executes anything of it.
In a spreadsheet each text is a text cell, also ``=…``, ``+…``, ``@…``, and stays one when somebody edits it.
"""
