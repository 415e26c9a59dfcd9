"""A room per screen; `answering` and `tab_panes` are what several of them share."""
