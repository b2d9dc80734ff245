"""How packages travel and where a party keeps its own things: folders, and a journal of what happened.

Rule: nothing here can read what is inside a package beyond what opening proves; nothing is ever overwritten.
"""
