"""Widgets for Jupyter: `login.LoginForm`, `tree.TreeBrowser`, `search.SearchBox`.

The only place with ipywidgets. The tree is one native list box per open level,
which browsers make accessible by keyboard and quick with hundreds of rows, and
there are never more widgets than what is on the screen. The only JavaScript of
our own is a few lines in `keys`, without which JupyterLab takes the arrow keys
for itself. A widget gets a client, a
`connect` function or loaded tables from its caller; it refuses to know which
client is the default, and to keep or show a secret.
"""
