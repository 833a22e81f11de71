"""The command-line program icdframes, a file for each group of commands."""
