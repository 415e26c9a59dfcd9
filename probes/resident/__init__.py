"""What the resident memory of a process is made of, told from outside and by what its agent says.

smaps.py     the kernel's list of mappings, as sums by what they are for
pymalloc.py  Python's own heap, by its list of arenas in the process's memory
parts.py     the two and the counters of allocators, put together: parts that sum to RSS
probe.py     when: by what it costs
"""
