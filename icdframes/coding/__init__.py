"""Coding without a network: words to codes, and clusters checked, decoded and built."""
