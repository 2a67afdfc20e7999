-- class: bytecode
-- tries: to get at bytecode through the methods of strings
-- holds: ERROR "string.dump is not available in jobs"

local job = core.job()

function job.run(run)
  return job.OK, #("x").dump(job.run)
end

return job
