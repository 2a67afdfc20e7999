-- class: environment
-- tries: to let require look in another folder
-- holds: ERROR "package is not available in jobs"

local job = core.job()

function job.run(run)
  package.path = run.data.folder .. "/?.lua"
  return job.OK, require("secret").secret
end

return job
