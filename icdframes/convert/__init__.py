"""Whole tables in the forms of others: databases, FHIR, networkx, SKOS; it asks no question of them."""
