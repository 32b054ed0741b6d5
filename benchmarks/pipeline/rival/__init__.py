"""A plain pipeline of pandas, COPY and Splink, as most teams would write it.

What it links by (columns, rules, comparisons, training, threshold) was fixed before anything was measured. After
the first runs it was helped, not hindered: three slow lines now work on whole columns, and filler identifiers are
known.

Each step reads what it needs from the warehouse and writes what it made, as tasks of a scheduler do. The tables,
the server and the expectations are ours. Cleaning is vectorised pandas; files are read whole; bulk loads and reads
go through COPY. Splink has one row per record and is configured as its documentation says. Nothing is stopped by a
failed expectation. What it does not have: judgements, people that last from run to run, evidence per comparison, a
change log, reports, bounded memory.
"""
