-- class: sql
-- tries: to write a file anywhere by a copy of the database
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local sql = "VACUUM INTO '" .. run.data.folder .. "/owned.db'"
  return job.OK, core.sqlite.query("notes", sql) and "written" or core.sqlite.query("notes", "VACUUM") and "vacuum" or "held"
end

return job
