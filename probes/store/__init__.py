"""The live session in bounded memory."""
