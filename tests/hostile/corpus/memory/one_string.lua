-- class: memory
-- tries: one string that is larger than all memory
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  return job.OK, #("x"):rep(2^33 // 1)
end

return job
