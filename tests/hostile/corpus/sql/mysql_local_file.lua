-- class: sql
-- tries: to let the engine send one of its own files to the server
-- needs: mysql
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  core.mysql.query("shop", "CREATE TABLE IF NOT EXISTS stolen (line TEXT)")
  local taken = core.mysql.query("shop", "LOAD DATA LOCAL INFILE '" .. run.data.file .. "' INTO TABLE stolen")
  local rows = core.mysql.query("shop", "SELECT line FROM stolen")
  return job.OK, taken and rows and #rows > 0 and "read" or "held"
end

return job
