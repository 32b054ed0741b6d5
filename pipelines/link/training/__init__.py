"""Training: from a model's starting values and the data to m, u and priors, without any truth."""
