"""Make all recordings anew."""

from recordings import animation, network, thumbnails

for part in (network, thumbnails, animation):
    part.make()
