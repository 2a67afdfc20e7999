-- class: environment
-- tries: to find a forbidden function by a name that no filter of words would see
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local names = { ("daol"):reverse(), "load" .. "string", ("ELIFOD"):lower():reverse(), ("loadxfile"):gsub("x", "") }
  for _, name in ipairs(names) do
    if pcall(_G[name], "return 1") then return job.OK, name end
  end
  return job.OK, "held"
end

return job
