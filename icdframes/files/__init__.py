"""Files that WHO publishes, read as the same tables as the API's answers."""
