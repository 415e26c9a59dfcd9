"""A session as screens see it, live or recorded, and what is told beside them."""
