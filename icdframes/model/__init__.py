"""Pure values, and JSON to values and back; standard library only."""
