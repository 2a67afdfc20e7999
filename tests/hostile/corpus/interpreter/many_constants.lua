-- class: interpreter
-- tries: to overflow the table of constants of a function
-- holds: COMPLETE 25000

local job = core.job()

function job.run(run)
  return job.OK, #require("lib.constants")
end

return job
