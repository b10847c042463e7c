"""What the compiler asks of the machine: files, processes, versions, the cycle collector."""
