-- class: environment
-- tries: to run with an environment of its own that answers every name
-- holds: ERROR "attempt to"

local job = core.job()

function job.run(run)
  local real_job = job
  local _ENV = setmetatable({}, { __index = function(_, name) return { name = name } end })
  local file = io.open("/etc/passwd")
  return real_job.OK, file
end

return job
