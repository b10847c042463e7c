"""The demo's real data: emoji pictures and names, two backbones, and the features they give."""
