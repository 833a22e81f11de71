"""Questions to tables as pure functions, beside your own data where there are any; the only place with narwhals."""
