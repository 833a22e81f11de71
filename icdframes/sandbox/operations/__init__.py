"""The operations of the ICD API, a file for each kind: a call → its answer, or a refusal."""
