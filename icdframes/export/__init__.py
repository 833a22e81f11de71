"""Whole tables in the forms of others: FHIR, SKOS, SQL databases, networkx."""
