"""PURE: who may do what. Values in, an error or nothing out.

`reach` says who may read a thread through each of its participants; the index keeps it, so that lists and searches
find exactly what `check_may_read` lets through. Every other check begins with that one.
"""
