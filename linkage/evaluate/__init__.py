"""Measure links against a known truth: how many are right, and whether probabilities mean what they say.

Arrays come in, figures go out. Rule: truth lives here and nowhere on the path; no row number or id comes out.
"""
