"""The verbs as a notebook types them, on the default client, with their whole story; each is a client's method too."""
