"""The server processes: the door to each worker, the cache of answers, the supervisor over all."""
