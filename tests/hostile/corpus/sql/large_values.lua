-- class: sql
-- tries: values that fill the engine's memory
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local ways = {
    "SELECT zeroblob(2000000000)", "SELECT hex(zeroblob(100000000))", "SELECT replace(hex(zeroblob(400000)), '0', '0123456789')",
    "SELECT printf('%.*c', 2000000000, 'x')", "SELECT group_concat(hex(zeroblob(1000))) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100000) SELECT x FROM n)",
  }
  for _, sql in ipairs(ways) do
    if core.sqlite.query("notes", sql) then return job.OK, sql end
  end
  return job.OK, "held"
end

return job
