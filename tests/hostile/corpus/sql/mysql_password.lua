-- class: sql
-- tries: to read the password of the engine's account
-- needs: mysql
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local ways = { "SHOW VARIABLES LIKE '%pass%'", "SELECT * FROM information_schema.processlist", "SHOW GRANTS" }
  local everything = {}
  for _, sql in ipairs(ways) do everything[#everything + 1] = core.json.encode(core.mysql.query("shop", sql) or {}) end
  local _, problem = core.mysql.query("shop", "nonsense")
  return job.OK, tostring(problem):find("hostile_%x+:") and problem or "held"
end

return job
