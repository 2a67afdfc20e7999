-- class: sql
-- tries: patterns that take a time without end
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local like = "SELECT '" .. ("a"):rep(5000) .. "' LIKE '" .. ("%a"):rep(500) .. "b'"
  local glob = "SELECT '" .. ("a"):rep(5000) .. "' GLOB '" .. ("*a"):rep(500) .. "b'"
  return job.OK, (core.sqlite.query("notes", like) or core.sqlite.query("notes", glob)) and "answered" or "held"
end

return job
