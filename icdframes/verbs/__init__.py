"""What each verb does, from what a user asks to a table; it opens no connection."""
