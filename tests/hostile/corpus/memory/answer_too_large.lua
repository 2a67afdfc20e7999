-- class: memory
-- tries: one answer that does not fit into what is left
-- holds: COMPLETE 800

local job = core.job()

function job.run(run)
  core.data("kept"):save({ _id = "large", text = ("x"):rep(4 * 1024 * 1024) })
  local hoard = ("h"):rep(9 * 1024 * 1024)
  local _, _, code = core.data("kept"):get("large")
  return job.OK, #hoard > 0 and code
end

return job
