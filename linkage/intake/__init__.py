"""Turn an agency's own file into standardised Records, flags and a data-quality report.

A CSV, a workbook or a frame comes in; Records, Notes and Quality go out.
Rule: only mapped columns are read on; every fault is named by line, all at once; no message holds a value of a person.
"""
