"""The HTTP service: requests in, answers out. What they mean is decided below, in `runtime`."""
