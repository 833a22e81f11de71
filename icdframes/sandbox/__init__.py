"""A real HTTP server on loopback that behaves like the ICD API."""
