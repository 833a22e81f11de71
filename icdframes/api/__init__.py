"""The verbs that a notebook types, on the default client; every one is a method of `IcdClient` too."""
