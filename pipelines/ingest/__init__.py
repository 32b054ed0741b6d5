"""INGEST: receive an agency's files, register and archive them, land their rows, and accept deliveries."""
