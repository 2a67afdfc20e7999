-- class: bytecode
-- tries: to get at bytecode to change
-- holds: ERROR "string.dump is not available in jobs"

local job = core.job()

function job.run(run)
  return job.OK, #string.dump(function() return 1 end)
end

return job
