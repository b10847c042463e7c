"""What every diagnostic code means, in one line; the message of an instance says the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CODES: Final[Mapping[str, str]] = {
    # The text
    "E001": "the text does not follow the grammar",
    "E002": "the file cannot be read as text",
    "E003": "the text is nested too deeply",
    "E004": "the text is too long",
    "E005": "a number, name or string is not well formed",
    "E006": "the specification is written for another version of the language",
    "E007": "a statement stands twice or is missing",
    "E008": "arguments stand in the wrong order, or where they mean nothing",
    # JSON and YAML
    "E101": "the document is not well-formed JSON or YAML",
    "E102": "the document does not follow the schema",
    # Names
    "E201": "unknown feature, Cell or Step",
    "E202": "a name is declared twice",
    "E203": "unknown operation",
    "E204": "unknown library or role",
    "E205": "a reference to something that comes later: a cycle",
    "E206": "unknown parameter of an operation",
    "E207": "unknown number",
    "E208": "unknown rule, budget or loss",
    "E209": "an operation that stands in several libraries",
    "E210": "unknown modality",
    "E211": "a name that is reserved",
    "E212": "an operation that calls itself",
    "E213": "two candidates of a hole that cannot be told apart",
    # Shapes, sizes and arity
    "E301": "an operation is applied to a number of inputs that it does not take",
    "E302": "shapes that cannot meet",
    "E303": "an equation that does not mean anything",
    "E304": "an operation or role that gives another shape than its place needs",
    "E305": "axes of a feature that cannot be read",
    "E306": "a size, count or rate that is out of range",
    "E307": "a feature whose shape is not known yet",
    "E308": "the program is too large",
    "E309": "the number of class names differs from the number of classes",
    "E310": "a feature whose shape is not what its backbone gives",
    "E311": "heads that cannot stand together, or learn, as they are written",
    # Rules for filling holes
    "E401": "rules that no choice can meet",
    "E402": "a hole that nothing can fill",
    "E403": "a hole where a program without holes is needed",
    "E404": "budgets that no network of the space was found to keep",
    "E405": "choices that a strategy cannot make",
    "W401": "it could not be decided whether the rules can be met",
    # Legal, but surely a mistake
    "W402": "a modality that nothing can take",
    "W403": "a Step that nothing reads",
    "W404": "a Cell that nothing takes and that is no output",
    "W405": "a hole with one candidate",
    "W406": "an operation that stands twice among candidates",
    "W407": "an operation of the pool that no Step can become",
    "W408": "an operation of the specification's own that nothing uses",
    "W409": "a number of the network that nothing uses",
    # Data and weights
    "E501": "data lacks an array that the specification declares",
    "E502": "data whose shape differs from the declared one",
    "E503": "labels or splits that do not fit",
    "E504": "a file that cannot be read or written",
    "E505": "weights that do not fit the program",
    "E506": "settings of a run that cannot be used",
    "E507": "a run folder that is in use, lacks something, is of several runs, or would be lost",
    "E508": "a result that failed its check",
    "E509": "something that is not installed",
    "E510": "a run that was stopped before its end",
    "E511": "a latency profile that cannot be used",
    "E512": "more memory is needed than there is",
    "E513": "a feature store that is damaged, unfinished, in use, or cannot be as it is asked for",
    "E514": "a backbone, or a part of one, that cannot be used",
    "E515": "features of other backbones than those that a network was trained together with",
    # Data that fit, but of which a number says little
    "W501": "a class or label that every sample of a split has",
    "W502": "a class or label of which a split has no samples, or few",
    "W503": "a feature, or channels of it, that do not vary, or hardly",
    "W504": "samples that are equal in every feature",
    "W505": "an optional modality that no sample of a split has",
    "W506": "a metric that says nothing of what a split lacks",
    "W507": "features that know the labels of training samples",
    "W508": "a test split drawn from samples that may have been learned",
    "W509": "a validation split drawn from the samples for training",
    "W510": "a feature of which an adapter keeps few numbers",
    "W511": "many more parameters than samples to learn them from",
    "W512": "channels of a feature whose scales differ by orders of magnitude",
    # Genotypes of the published code
    "E601": "the text is not a genotype of the published code",
    "E602": "the genotype does not fit the specification",
    # Programs and Graphs
    "E701": "a value, input or parameter of a program that is not declared",
    "E702": "a graph that is no fusion network",
}
