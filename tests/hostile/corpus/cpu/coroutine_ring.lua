-- class: cpu
-- tries: coroutines that wake one another without end
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local ring = {}
  for i = 1, 100 do
    ring[i] = coroutine.wrap(function() while true do coroutine.yield(i) end end)
  end
  while true do for i = 1, #ring do ring[i]() end end
end

return job
