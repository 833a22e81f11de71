"""Full-text search of the sandbox: words, phrases, index, ranking."""
