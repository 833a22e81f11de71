"""Configuration of the documentation site: ``sphinx-build -W --keep-going -b html notebooks build/site``."""

from icdframes import __version__

project = "icdframes"
author = "The icdframes developers"
release = version = __version__
html_title = f"icdframes {__version__}"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
]
exclude_patterns = ["output", ".ipynb_checkpoints"]
templates_path = ["_templates"]

# the guides are Markdown; the notebooks are shown with the outputs that are stored in them
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
suppress_warnings = ["mystnb.unknown_mime_type"]

# the reference is made from the docstrings: a page for each public name
autosummary_generate = True
autosummary_imported_members = True
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "inherited-members": True}
default_role = "py:obj"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_sidebars = {name: [] for name in ("index", "contributing", "changelog")}
html_theme_options = {
    "logo": {"text": "icdframes"},
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "header_links_before_dropdown": 6,
}
project_copyright = (
    "The icdframes developers. Classifications: World Health Organization, ICD-11 under CC BY-ND 3.0 IGO"
)
