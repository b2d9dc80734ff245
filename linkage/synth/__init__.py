"""A pretend county: agencies with the files they would really export, and the truth that nobody reads.

A number of men and a seed come in; tables, flags, mappings and the truth go out, byte for byte the same every time.
Rule: everything random comes from one numpy Generator(PCG64); names and places are data in configs/synth;
nobody real is in it.
"""
