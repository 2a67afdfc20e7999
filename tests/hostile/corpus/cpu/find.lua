-- class: cpu
-- tries: one call of string.find that tries every way
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  return job.OK, (("a"):rep(30000)):find(".-.-.-.-.-.-b")
end

return job
