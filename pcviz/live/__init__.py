"""What the server sends during runs, and which requests it accepts: streams, scripts, guard, clicks. No pages."""
