"""Libraries of operations: the `.fuse` files here, each named by its file."""
