"""How this installation knows others, and itself again: keys that others publish, fetched within bounds; its own seal.

Nothing here knows of FHIR or of pages; both faces use it.
"""
