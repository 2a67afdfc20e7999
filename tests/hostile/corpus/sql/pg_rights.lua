-- class: sql
-- tries: to become somebody else on the server
-- needs: pg
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local ways = {
    "SET ROLE postgres", "SET SESSION AUTHORIZATION postgres", "ALTER ROLE CURRENT_USER SUPERUSER", "CREATE ROLE evil SUPERUSER",
    "SELECT rolpassword FROM pg_authid", "ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()",
  }
  for _, sql in ipairs(ways) do
    if core.pg.query("shop", sql) then return job.OK, sql end
  end
  return job.OK, "held"
end

return job
