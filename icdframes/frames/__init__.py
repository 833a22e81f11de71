"""From a graph of entities to typed DataFrames, and from DataFrames to files."""
