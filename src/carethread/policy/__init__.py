"""PURE: who may do what. Values in, an error or nothing out.

`reach` says who may read a thread through each of its participants; the index keeps it, so that lists and searches
find exactly what `check_may_read` lets through. Every other check begins with that one.

| question | module |
|---|---|
| who asks, about what | `actor` |
| who reads | `reading`; in an emergency, or through a system: `exceptional` |
| for whom one writes, on which side, to whom | `speaking`, `sides` |
| who posts, corrects, sets aside | `writing` |
| who opens a thread, with whom | `opening`, `admission` |
| who changes a ledger, and to what | `changing`; by which right: `home`, `parts` |
| whether a button is shown | `allowing` |
"""
