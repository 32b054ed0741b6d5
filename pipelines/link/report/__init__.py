"""What a report shows of a linkage: its facts as plain data, and the pieces of a page, pure functions of those."""
