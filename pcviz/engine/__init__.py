"""From request to result: `client` for the server, `worker` for the process that computes, `supervisor` to keep it."""
