"""The docs as a site: ``make sitio``. Nothing of it comes from another server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent

project = "Pregón"
author = "Pregón"
language = "es"
extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["portal", "tablero", "memoria/*.png"]
myst_heading_anchors = 4
# A table that GitHub draws from text (mermaid) is shown here as that text; the page says the same in words.
suppress_warnings = ["misc.highlighting_failure"]
html_theme = "furo"
html_title = "Pregón"
html_static_path = ["_estatico"]
html_css_files = ["sitio.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"top_of_page_buttons": []}
copybutton_exclude = ".linenos, .gp"


class Outward(SphinxTransform):
    """A link to a file of the code, or to a folder, is no page: its text stays, with where that file is."""

    default_priority = 1

    def apply(self, **_: Any) -> None:
        """Replace each of them in this document."""
        page = Path(self.document["source"]).parent
        links = [*self.document.findall(addnodes.pending_xref), *self.document.findall(addnodes.download_reference)]
        for link in links:
            target = str(link["reftarget"])
            places = [place / (target + end) for place in (HERE, page) for end in (".md", "")]
            file = next((one for one in places if one.exists()), page / target).resolve()
            if file.is_relative_to(HERE) and not file.is_dir():
                continue
            where = nodes.literal(text=str(file.relative_to(HERE.parent)))
            link.replace_self([*link.children, nodes.Text(" ("), where, nodes.Text(")")])


ARBOL = (
    ("Empezar", ["inicio/difusor", "inicio/instituto", "inicio/auditor"]),
    ("Ahora", ["urgencias/a-las-1955", "urgencias/corte-tarde", "urgencias/ataque", "urgencias/llave-perdida"]),
    ("Guías, una por convocatoria", ["guias/*"]),
    ("Operación", ["operacion/*"]),
    ("Papeles", ["cumplimiento", "memoria/*"]),
    ("Referencia", ["convocatorias", "datos", "estados", "verificacion", "glosario", "referencia/*"]),
    (
        "Por dentro",
        ["architecture", "threat-model", "confiabilidad", "archivos-hostiles", "rendimiento", "fuzz", "adr/*"],
    ),
)
"""The menu. It is put into the home page here, so that who reads that page elsewhere sees no marks of Sphinx."""


def _menu(_: Sphinx, docname: str, content: list[str]) -> None:
    if docname == "index":
        for caption, pages in ARBOL:
            listed = "\n".join(pages)
            content[0] += f"\n\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{listed}\n```\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    app.connect("source-read", _menu)
    app.add_transform(Outward)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
