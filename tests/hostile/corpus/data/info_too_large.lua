-- class: data
-- tries: to fill the database by the info of a run, again and again
-- holds: COMPLETE "went on"

local job = core.job()

function job.run(run)
  for i = 1, 200 do job.save_info({ number = i, text = ("x"):rep(20000) }) end
  job.save_info({ text = ("x"):rep(900000) })
  return job.OK, "went on"
end

return job
