"""What the server sends while runs go on, and what it lets in: streams, scripts, guard, clicks. No pages."""
