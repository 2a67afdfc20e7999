-- class: sql
-- tries: a query that makes rows without end
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"
  return job.OK, core.sqlite.query("notes", sql) and "answered" or "held"
end

return job
