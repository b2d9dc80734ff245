"""From encodings to candidate pairs, from evidence to levels, from levels to calibrated probabilities and links.

Encodings and evidence come in, pairs, comparisons and scores go out. Rule: this room has no key and cannot encode;
it never sees a name. Importing it compiles nothing: numba is loaded when a search runs.
"""
