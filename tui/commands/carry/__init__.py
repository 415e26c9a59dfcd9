"""Commands by which a session or a recording gets elsewhere, and several become one."""
