-- class: interpreter
-- tries: to make a metatable weak after it was given
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local kept = {}
  for round = 1, 5000 do
    local meta = {}
    local object = setmetatable({ { round }, { round } }, meta)
    meta.__mode = round % 2 == 0 and "k" or "v"
    kept[round % 128 + 1] = object
    local other = kept[(round * 31) % 128 + 1]
    if other then getmetatable(other).__mode = nil end
  end
  return job.OK, "held"
end

return job
