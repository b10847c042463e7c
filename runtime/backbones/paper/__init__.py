"""The backbones of the BM-NAS paper as modules of our own, one file each: what `paper:NAME` opens.

Their parts have the names of the published code where its weights have them, and each of the
features that the paper takes is what one part gives.
"""
