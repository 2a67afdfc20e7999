-- class: data
-- tries: to fill the database by what is kept from run to run
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local saved = job.save_state({ text = ("x"):rep(2 * 1024 * 1024) })
  local kept = job.persist({ text = ("x"):rep(2 * 1024 * 1024) })
  return job.OK, (saved or kept) and "kept" or "held"
end

return job
