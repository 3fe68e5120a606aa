"""The record format: values, codecs and rules. Pure: values in, values out; no Git, no SQL, no clock of its own."""
