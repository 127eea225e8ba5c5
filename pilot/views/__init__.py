"""Views of the kernel: the generic pages of all machines, the first page, and what stands around them."""
