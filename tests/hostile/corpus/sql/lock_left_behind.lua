-- class: sql
-- tries: to keep others out of a database by a lock that outlives the run
-- holds: ERROR "left in the middle"

local job = core.job()

function job.run(run)
  local connection = assert(core.sqlite.dbConnect("notes"))
  core.sqlite.dbQuery(connection, "BEGIN EXCLUSIVE")
  error("left in the middle")
end

return job
