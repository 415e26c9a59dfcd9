"""Drawing line by line: canvases, strips, blocks."""
