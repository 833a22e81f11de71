"""Widgets for Jupyter: login form, tree browser, search box."""
