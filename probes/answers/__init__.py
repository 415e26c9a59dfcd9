"""The one implementation of `Reader`, over parts that are in memory or on disk."""
