-- class: interpreter
-- tries: to overflow the compiler by parentheses
-- holds: ERROR "lib/nested.lua: C stack overflow"

local job = core.job()

function job.run(run)
  return job.OK, require("lib.nested")
end

return job
