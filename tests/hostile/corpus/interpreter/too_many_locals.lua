-- class: interpreter
-- tries: to overflow the registers of a function
-- holds: ERROR "too many local variables"

local job = core.job()

function job.run(run)
  return job.OK, require("lib.locals")
end

return job
