-- class: metatables
-- tries: to fill the record of the run with an endless message
-- holds: ERROR "xxxxxxxx"

local job = core.job()

function job.run(run)
  error(("x"):rep(4 * 1024 * 1024))
end

return job
