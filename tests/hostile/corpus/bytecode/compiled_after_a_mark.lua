-- class: bytecode
-- tries: to hide bytecode behind the mark of UTF-8
-- holds: ERROR "is not UTF-8 text"

local job = core.job()

function job.run(run)
  return job.OK, require("lib.marked")
end

return job
