"""What the compiler asks of the machine: files, archives, locks, memory, tensors and pickles
that nobody trusts, processes, versions, the cycle collector."""
