"""What the server sends while runs go on, and whom it lets in: streams, scripts, guard. No pages."""
