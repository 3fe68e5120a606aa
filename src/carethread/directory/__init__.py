"""PURE values: people, organisations, roles and teams, and who is a member of what at an instant.

Reference data, not clinical record: it lives in the database, keeps every version, deactivates and never deletes.
Names are FHIR's, because it is filled from FHIR.
"""
