"""Reports about a run: numbers come in, one self-contained page or plain text goes out.

Rule: counts, shares and seconds only; nothing about any one person.
"""
