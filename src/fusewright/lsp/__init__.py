"""The language server: what editors show of a specification while it is written.

The modules answer in terms of offsets and spans; `server` alone speaks the protocol.
"""
