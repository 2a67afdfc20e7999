-- class: boundary
-- tries: to make the engine build far more than was sent
-- holds: COMPLETE 801

local job = core.job()

function job.run(run)
  local list = {}
  for i = 1, 120000 do list[i] = {} end
  local _, _, code = core.data("many"):save({ _id = "tables", list = list })
  return job.OK, code
end

return job
