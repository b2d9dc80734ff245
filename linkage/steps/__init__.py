"""One step of the journey each: a desk and files in, files and an account of what was done out.

Here files meet recipes. Rule: a step writes everything or nothing, then notes it in the journal; the steps of one
party never import another party's.
"""
