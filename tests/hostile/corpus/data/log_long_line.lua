-- class: data
-- tries: to fill the log by one line without end
-- holds: COMPLETE "went on"

local job = core.job()

function job.run(run)
  core.log(("x"):rep(3 * 1024 * 1024))
  core.log(("ä"):rep(10000))
  print(("y"):rep(500000), ("z"):rep(500000))
  return job.OK, "went on"
end

return job
