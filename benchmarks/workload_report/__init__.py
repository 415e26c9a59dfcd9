"""What `benchmarks/workloads.py` is made of: runs, sections, and the page they become."""
