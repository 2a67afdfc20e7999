-- class: cpu
-- tries: an endless loop in a comparator
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  table.sort({ 3, 2, 1 }, function() while true do end end)
  return job.OK
end

return job
