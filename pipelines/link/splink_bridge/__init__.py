"""The bridge to Splink: our models as Splink settings, Splink models as ours, and the tests of both as SQL."""
