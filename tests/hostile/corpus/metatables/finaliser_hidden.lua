-- class: metatables
-- tries: to hide a finaliser behind an index function
-- holds: COMPLETE false

local job = core.job()

function job.run(run)
  local ran = false
  local meta = setmetatable({}, { __index = { __gc = function() ran = true end } })
  for _ = 1, 1000 do setmetatable({}, meta) end
  local heap = {}
  for i = 1, 100000 do heap[i % 100] = { i } end
  return job.OK, ran
end

return job
