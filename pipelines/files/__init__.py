"""Linking files of any person data: files and a mapping in; people, edges, a model and a report out."""
