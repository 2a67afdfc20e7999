-- class: boundary
-- tries: to exhaust the engine's decoder by a million tiny values
-- holds: COMPLETE 801

local job = core.job()

function job.run(run)
  local list = {}
  for i = 1, 150000 do list[i] = true end
  local _, _, code = core.data("many"):get({ list = list })
  return job.OK, code
end

return job
