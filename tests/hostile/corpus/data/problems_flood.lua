-- class: data
-- tries: to fill the database by warnings and errors
-- holds: ERROR "yyyy"
-- holds: ERROR "problem"
-- holds: ERROR "error"

local job = core.job()

function job.run(run)
  for i = 1, 150 do
    job.warn("W" .. i, ("x"):rep(500))
    job.err("E" .. i, ("y"):rep(500))
  end
  return job.OK, "went on"
end

return job
