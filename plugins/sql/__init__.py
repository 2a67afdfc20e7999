"""What core.mysql, core.pg and core.sqlite share: all but the drivers."""
