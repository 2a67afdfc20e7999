-- class: boundary
-- tries: to send more than a frame may hold
-- holds: COMPLETE 801

local job = core.job()

function job.run(run)
  local _, _, code = core.data("large"):get({ text = ("x"):rep(3 * 1024 * 1024) })
  return job.OK, code
end

return job
