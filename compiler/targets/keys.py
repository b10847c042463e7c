"""What artifacts were compiled from stands in their metadata, under these keys."""

SPEC_KEY = "fusewright.spec"
"""The specification."""
ENSEMBLE_KEY = "fusewright.ensemble"
"""The specifications of an ensemble, with their weights."""
JOINT_KEY = "fusewright.joint"
"""Where a model with backbones says what its raw inputs are, as JSON."""
