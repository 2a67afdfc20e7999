-- class: lifecycle
-- tries: to do work while the file is only read
-- holds: INVALID "only inside job.run()"

local job = core.job()
core.data("load"):save({ _id = "load", value = "done" })

function job.run()
  return job.OK
end

return job
