"""Attack what is sent, as somebody would who holds the people in plain text and not the key.

Encodings and plaintext people come in, the share of them that each attack re-identifies goes out.
Rule: an attack is given what its docstring says and nothing else; truth is used to count, never to guess.
"""
