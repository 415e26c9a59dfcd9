"""One detector per file, and the judgements that two of them share."""
