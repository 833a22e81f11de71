"""The verbs on codes, texts and certificates as plain functions of what they need; it opens no connection."""
