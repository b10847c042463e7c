"""`python -m fusewright`, which torchrun starts."""

from .cli import main

if __name__ == "__main__":
    main()
