"""`make bench`: every measurement, one after another. Options are those of `benchmarks.suite`."""

from benchmarks import network, service, suite

options = suite.parsed()
network.main()
suite.main(options)
service.main([])
