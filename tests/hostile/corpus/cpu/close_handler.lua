-- class: cpu
-- tries: an endless loop while errors are cleaned up
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local guard <close> = setmetatable({}, { __close = function() while true do end end })
  error("clean up")
end

return job
