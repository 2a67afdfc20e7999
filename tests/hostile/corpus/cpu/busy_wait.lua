-- class: cpu
-- tries: to wait for a time that never comes
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  while os.time() < math.maxinteger do end
  return job.OK
end

return job
