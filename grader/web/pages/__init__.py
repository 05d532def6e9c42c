"""Pages for people: parse, call a verb, render. No page works without a session but the way in."""
