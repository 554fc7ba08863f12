"""From wish to result: `client` for the server, `worker` for the process that computes, `supervisor` for its life."""
