-- class: cpu
-- tries: a comparator that never agrees with itself, on a large list
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local list, flip = {}, false
  for i = 1, 50000 do list[i] = i end
  while true do pcall(table.sort, list, function() flip = not flip return flip end) end
end

return job
