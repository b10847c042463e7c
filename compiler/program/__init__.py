"""The Program: the tensor program in SSA form, and what rewrites it."""
