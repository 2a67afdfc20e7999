-- class: sql
-- tries: to carry out a second statement behind the first, and to leave a session changed
-- needs: pg
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  core.pg.query("shop", "CREATE TABLE IF NOT EXISTS two (id INT)")
  core.pg.query("shop", "SELECT 1; DROP TABLE two")
  if not core.pg.query("shop", "SELECT COUNT(*) AS n FROM two") then return job.OK, "dropped" end
  core.pg.query("shop", "SET search_path = pg_temp")
  core.pg.query("shop", "CREATE TEMP TABLE toys (id INT)")
  core.pg.query("shop", "PREPARE toys AS SELECT 1")
  local rows = core.pg.query("shop", "SELECT name FROM public.toys")
  local plain = core.pg.query("shop", "SELECT name FROM toys")
  return job.OK, rows and #rows == 1 and plain and #plain == 1 and "held" or "changed"
end

return job
