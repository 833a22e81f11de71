"""Every verb as a method of IcdClient, written once by topic."""
