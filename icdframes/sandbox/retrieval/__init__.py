"""Finding entities by words: words → phrases → index → ranking, over the ground that a call names."""
