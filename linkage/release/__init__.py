"""What a social worker finally sees: opened links come in, a worklist and printable sheets go out.

Rule: a link, the words for how it agrees, and released categories; never a value of a person, never a score,
a rank or a count of flags. Every page says that identity is unconfirmed and that nothing here is a finding.
"""
