-- class: metatables
-- tries: to find the end of a chain of index tables that leads back to itself
-- holds: ERROR "'__index' chain too long"

local job = core.job()

function job.run(run)
  local first = {}
  local last = first
  for _ = 1, 3000 do last = setmetatable({}, { __index = last }) end
  setmetatable(first, { __index = last })
  return job.OK, last.nothing
end

return job
