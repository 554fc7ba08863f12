"""Make all recordings anew."""

from recordings import network, thumbnails

network.make()
thumbnails.make()
