-- class: cpu
-- tries: an innocent pattern that takes quadratic time
-- holds: TIMEOUT "of CPU time: the limit"

local job = core.job()

function job.run(run)
  local blanks = (" "):rep(200000)
  while true do blanks:gsub("%s*$", "") blanks:find("%s+x") end
end

return job
