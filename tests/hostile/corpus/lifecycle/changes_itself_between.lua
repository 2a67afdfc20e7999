-- class: lifecycle
-- tries: to be another program when it runs than when it was read
-- holds: COMPLETE "read again"

local job = core.job()
local first = true
pcall(function() first = run == nil end)

function job.run(run)
  core.files.write("../jobs/lifecycle/changes_itself_between.lua", "return 1")
  core.files.write("../jobs/changes_itself_between.mark.lua", "return 1")
  return job.OK, run and first and "read again"
end

return job
