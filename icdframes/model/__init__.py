"""Pure values and JSON → values; standard library only, no network, no tables."""
