"""Pure functions of tables and of people's own data; the only place with narwhals."""
