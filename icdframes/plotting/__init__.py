"""Figures of hierarchies and counts, made with matplotlib or plotly."""
