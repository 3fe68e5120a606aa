"""The only code that knows SQL: schema, journal, index, materialise, rebuild, audit.

The journal is where an acknowledgement becomes durable; the index is derived and can be rebuilt from the
repositories at any time.
"""
