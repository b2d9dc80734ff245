"""Objects become sealed bytes for one recipient, and sealed bytes become objects only when everything is proven.

Rule: bytes until every numbered obligation of `container.open_package` holds, then an object. No pickle.
"""
