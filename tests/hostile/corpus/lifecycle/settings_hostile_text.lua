-- class: lifecycle
-- tries: to break lists and logs by texts of settings
-- holds: INVALID "description"
-- holds: COMPLETE "ran"

local job = core.job {
  description = "\27]0;owned\7\27[2J\r\n\0 {{ x }} [red]x[/red] $(id)",
  tags = { ["../../x"] = "'; DROP TABLE run; --" },
}

function job.run()
  return job.OK, "ran"
end

return job
