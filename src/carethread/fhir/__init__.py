"""The FHIR R4 gateway: resources made from the record, and writes that become commits."""
