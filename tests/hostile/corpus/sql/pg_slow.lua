-- class: sql
-- tries: to hold the engine and the server with statements that do not end
-- needs: pg
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local slept = core.pg.query("shop", "SELECT pg_sleep(3600)")
  core.pg.query("shop", "SET statement_timeout = 0")
  local endless = core.pg.query("shop", "DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$")
  return job.OK, (slept or endless) and "answered" or "held"
end

return job
