-- class: sql
-- tries: to hold the engine and the server with a statement that sleeps
-- needs: mysql
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local rows = core.mysql.query("shop", "SELECT SLEEP(3600)")
  core.mysql.query("shop", "SELECT BENCHMARK(10000000000, MD5('x'))")
  if rows and rows[1]["SLEEP(3600)"] == 0 then return job.OK, "slept" end
  return job.OK, "held"
end

return job
