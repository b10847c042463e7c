"""What the compiler asks of the machine: files, versions, the cycle collector."""
