-- class: interpreter
-- tries: to overflow the compiler by tables inside of tables
-- holds: ERROR "lib/braces.lua: C stack overflow"

local job = core.job()

function job.run(run)
  return job.OK, require("lib.braces") ~= nil
end

return job
