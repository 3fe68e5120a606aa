"""PURE: between the record's values and FHIR R4 resources. Resources go out whole, and come in as drafts.

What comes in names people, threads and messages as text; who looks them up is somebody else. Nothing that a client
said is dropped silently: an element is kept, is the server's own to set, or is refused with what to do instead.
"""
