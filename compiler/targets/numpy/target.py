"""What is said of the numpy target."""

from ..target import Target, late

_network = late("numpy.network.NumpyNetwork")
NUMPY = Target("numpy", lambda subject: _network(subject.program, subject.arrays))
