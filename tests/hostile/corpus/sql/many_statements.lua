-- class: sql
-- tries: to carry out a second statement behind the first
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  core.sqlite.query("notes", "CREATE TABLE IF NOT EXISTS two (id INTEGER)")
  if core.sqlite.query("notes", "SELECT 1; DROP TABLE two") then return job.OK, "two statements" end
  core.sqlite.query("notes", "SELECT 1 --\n; DROP TABLE two")
  return job.OK, core.sqlite.query("notes", "SELECT COUNT(*) AS n FROM two") and "held" or "dropped"
end

return job
