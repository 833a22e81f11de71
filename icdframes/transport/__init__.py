"""The only place that knows requests, authlib and requests-cache."""
