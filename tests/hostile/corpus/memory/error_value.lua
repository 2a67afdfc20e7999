-- class: memory
-- tries: an error value that is larger than its report may be
-- holds: ERROR "error value: "

local job = core.job()

function job.run(run)
  local value = {}
  for i = 1, 20000 do value[i] = { i, ("x"):rep(50) } end
  error(value)
end

return job
