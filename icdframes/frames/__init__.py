"""Graph → typed DataFrames → files; it never sees HTTP."""
