-- class: cpu
-- tries: a library module that never ends, asked for while the file is read
-- holds: INVALID "outside of job.run(): work belongs inside job.run()"

local job = core.job()
require("lib.loop")

function job.run()
  return job.OK
end

return job
