"""Drafts a contract from an agency's files: look at each column, propose what it becomes, say how sure that is."""
