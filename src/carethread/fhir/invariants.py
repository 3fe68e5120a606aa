"""The invariants of R4 that are checked, one function each, named by FHIR's own key: `per_1` is `per-1`."""
