"""`make bench`: every measurement, one after another."""

from benchmarks import network

network.main()
