"""Services of the kernel: every write that is not a transition. Keyword-only, atomic, naming the actor."""
