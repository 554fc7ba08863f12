"""How fast the engine and the app are, and whether what the pages say is true."""
