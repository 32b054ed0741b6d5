"""Readers of documents: elements within elements (JSON, XML, FHIR), each row at the end of paths."""
