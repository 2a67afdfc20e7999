-- class: cpu
-- tries: one call of table.move over a distance without end
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  table.move({}, 1, 10^15 // 1, 2)
  return job.OK
end

return job
