"""Real servers for the tests, on 127.0.0.1 or in network namespaces of their own."""
