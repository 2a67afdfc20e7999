-- class: environment
-- tries: to require a file that a link in jobs/lib leads to
-- holds: ERROR "require: "

local job = core.job()

function job.run(run)
  return job.OK, require("lib.link")
end

return job
