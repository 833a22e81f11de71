"""The only place with ipywidgets."""
