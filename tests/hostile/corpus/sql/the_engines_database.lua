-- class: sql
-- tries: to open the engine's own database by a name
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, name in ipairs({ "moontide", "../moontide.db", "moontide.db", "/etc/passwd", "", "notes\0", "NOTES", "main", "temp" }) do
    if core.sqlite.query(name, "SELECT 1") then return job.OK, name end
  end
  local rows = core.sqlite.query("notes", "SELECT name FROM sqlite_master WHERE name IN ('run', 'job', 'audit')")
  return job.OK, rows and #rows == 0 and "held" or "found"
end

return job
