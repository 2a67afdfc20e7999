-- class: sql
-- tries: to carry out a second statement behind the first on a server
-- needs: mysql
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  core.mysql.query("shop", "CREATE TABLE IF NOT EXISTS two (id INT)")
  core.mysql.query("shop", "SELECT 1; DROP TABLE two")
  core.mysql.query("shop", "SELECT 1 /*! ; DROP TABLE two */")
  return job.OK, core.mysql.query("shop", "SELECT COUNT(*) AS n FROM two") and "held" or "dropped"
end

return job
