"""One file, one reason not to send; `botopt.engine.pipeline` holds their order."""
