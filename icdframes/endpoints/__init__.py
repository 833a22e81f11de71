"""One small method per operation of the ICD API; it never sees a table."""
