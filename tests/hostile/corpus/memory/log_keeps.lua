-- class: memory
-- tries: log lines made of all memory
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local lines = {}
  while true do
    lines[#lines + 1] = ("x"):rep(100000) .. #lines
    core.log(lines[#lines])
  end
end

return job
