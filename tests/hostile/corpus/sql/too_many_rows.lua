-- class: sql
-- tries: to fill the engine's memory with rows
-- holds: COMPLETE 810

local job = core.job()

function job.run(run)
  local sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 50000) SELECT x FROM n"
  local rows, _, code = core.sqlite.query("notes", sql)
  return job.OK, rows and #rows or code
end

return job
