"""Pure functions of tables; the only place with narwhals."""
