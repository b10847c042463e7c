"""The primitives: every `Primitive` at the top level of a module here is one."""
